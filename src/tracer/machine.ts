/** The emulated machine, as QEMU's arguments: EL2, a GIC that KVM can use, memory in a file. */
export interface Machine {
  /** Paths. */
  readonly kernel: string;
  readonly initramfs: string;
  readonly plugin: string;
  readonly memory: string;
  readonly log: string;
  /** As for QEMU's -cpu. */
  readonly cpu: string;
  readonly cpus: number;
  /** Words for the kernel's command line, and for the first program. */
  readonly kernelWords: readonly string[];
  readonly programWords: readonly string[];
}

export const MEMORY_BYTES = 2 ** 30;

/** A comma in a value of QEMU's is written twice. */
const value = (text: string): string => text.replaceAll(',', ',,');

export function qemuArguments(machine: Machine): string[] {
  const memory = `memory-backend-file,id=m,size=${MEMORY_BYTES},mem-path=${value(machine.memory)}`;
  const words = ['console=ttyAMA0', 'quiet', 'panic=-1', ...machine.kernelWords];
  return [
    ...['-machine', 'virt,virtualization=on,gic-version=3,memory-backend=m'],
    ...['-object', `${memory},share=on`, '-m', `${MEMORY_BYTES / 2 ** 20}M`],
    ...['-cpu', machine.cpu, '-smp', String(machine.cpus)],
    // With one thread for all CPUs plugins are told the wrong one.
    ...['-accel', 'tcg,thread=multi'],
    ...['-nodefaults', '-display', 'none', '-serial', 'stdio', '-no-reboot'],
    ...['-kernel', machine.kernel, '-initrd', machine.initramfs],
    ...['-append', [...words, '--', ...machine.programWords].join(' ')],
    ...[
      '-plugin',
      `${value(machine.plugin)},out=${value(machine.log)},ram=${value(machine.memory)}`,
    ],
  ];
}
