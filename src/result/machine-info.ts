/** The machine a result was made on, as far as a reader needs it to judge the numbers. */
export interface MachineInfo {
  readonly cpus: number;
  readonly model: string;
  readonly arch: string;
  readonly node: string;
  readonly v8: string;
  readonly kernel: string;
  /** How vCPU descriptors are loaded in this run's default, and what a self-test said of it. */
  readonly notes: readonly string[];
}
