/**
 * Does a thread get on? What counts is its own processor time since it last did, so that a machine
 * busy with other things accuses nobody. A thread that takes none waits for something that nobody
 * does.
 */
import { STAGE } from './progress-words.ts';

export interface Reading {
  readonly stage: number;
  readonly operations: number;
  readonly nowMs: number;
  /** Of the thread, since its start; null if it does not say. */
  readonly cpuMs: number | null;
}

/** Without an operation of the port: correct protocols take microseconds. */
const LOOP_CPU_MS = 500;
/** A module may compute something when it is loaded. */
const LOAD_CPU_MS = 1500;
/** Any scheduler gives a thread that wants it some time within this. */
const WAIT_MS = 2000;
/** Modules come from a disk, or wait for what they need. */
const LOAD_WAIT_MS = 10_000;
/** To be asked takes this little. */
const NOTHING_MS = 5;
/** Of one stage: twice what `stress` lets pass in a transition. */
const OPERATIONS_MAX = 2 ** 22;

/** Where Node does not know the processor time of a thread: so much wall time stands for it. */
const WALL_PER_CPU = 10;

export class Stillness {
  readonly #knowsCpu: boolean;
  #position = '';
  /** When it last got on. */
  #since = { nowMs: 0, cpuMs: 0 };
  /** When it last took processor time. */
  #awake = { nowMs: 0, cpuMs: 0 };
  #cpuMs = 0;

  constructor(knowsCpu: boolean) {
    this.#knowsCpu = knowsCpu;
  }

  /** What it does instead of getting on, or null. */
  look({ stage, operations, nowMs, cpuMs }: Reading): string | null {
    if (operations > OPERATIONS_MAX) {
      return `does not return: ${operations} operations so far`;
    }
    this.#cpuMs = Math.max(this.#cpuMs, cpuMs ?? 0);
    const now = { nowMs, cpuMs: this.#cpuMs };
    const position = `${stage} ${operations}`;
    if (position !== this.#position) {
      this.#position = position;
      this.#since = this.#awake = now;
      return null;
    }
    const isOurs = stage === STAGE.starting;
    const isLoading = isOurs || stage === STAGE.loading;
    const loopMs = isLoading ? LOAD_CPU_MS : LOOP_CPU_MS;
    if (!this.#knowsCpu) {
      const isLate = nowMs - this.#since.nowMs > WALL_PER_CPU * loopMs;
      return isLate && !isOurs ? 'does not return' : null;
    }
    if (!isOurs && now.cpuMs - this.#since.cpuMs > loopMs) {
      return 'does not return: a loop without an operation of the port';
    }
    if (now.cpuMs - this.#awake.cpuMs > NOTHING_MS) this.#awake = now;
    const waitMs = isLoading ? LOAD_WAIT_MS : WAIT_MS;
    return nowMs - this.#awake.nowMs > waitMs
      ? 'does not return: it waits for what nobody does'
      : null;
  }
}
