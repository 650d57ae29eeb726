/**
 * Pinning threads to CPUs, without native code: a thread reads its own id from /proc and asks
 * `taskset` to pin it. Where that is not possible nothing is pinned, and a list that was asked for
 * by name is refused before anything runs.
 */
import { execFileSync } from 'node:child_process';
import { readFileSync, readlinkSync } from 'node:fs';
import { assertNever } from '../../arch/assert.ts';

export type Pinning =
  | { readonly mode: 'auto' }
  | { readonly mode: 'off' }
  /** The hypervisor's CPU first, then the vCPUs', round and round. */
  | { readonly mode: 'list'; readonly cpus: readonly number[] };

/** CPUs this process may use, from /proc/self/status; null where that is not known. */
export function allowedCpus(): number[] | null {
  try {
    const status = readFileSync('/proc/self/status', 'utf8');
    const list = /^Cpus_allowed_list:\s*(\S+)$/m.exec(status)?.[1];
    return list === undefined ? null : parseCpuList(list);
  } catch {
    return null;
  }
}

/** `0-3,8` as numbers. */
export function parseCpuList(list: string): number[] {
  return list.split(',').flatMap((part) => {
    const [first = '', last = first] = part.split('-');
    const from = Number(first);
    return Array.from({ length: Number(last) - from + 1 }, (_, i) => from + i);
  });
}

/** Can threads of this process be pinned here? Tried on the calling thread, to where it may run anyway. */
export function canPin(): boolean {
  const cpus = allowedCpus();
  return cpus !== null && cpus.length > 1 && pinThisThread(cpus);
}

/** True if the kernel took it. */
export function pinThisThread(cpus: readonly number[]): boolean {
  try {
    const thread = readlinkSync('/proc/thread-self').split('/').at(-1) ?? '';
    execFileSync('taskset', ['-cp', cpus.join(','), thread], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

/** The calling thread; each has a module of its own. */
let isPinned = false;

/**
 * Pins the calling thread of a group, `thread` 0 being the hypervisor; null: it may run anywhere, also if
 * it ran another group before and was pinned for that.
 */
export function placeThisThread(cpus: readonly number[] | null, thread: number): void {
  if (cpus !== null) {
    if (pinThisThread([cpuOfThread(cpus, thread)])) isPinned = true;
    return;
  }
  if (!isPinned) return;
  // Of the main thread, which is never pinned.
  const anywhere = allowedCpus();
  isPinned = anywhere === null || !pinThisThread(anywhere);
}

/** CPUs to use: the hypervisor's first, then the vCPUs' round and round; null: leave it to the kernel. */
export function pinningPlan(pin: Pinning, threads: number): readonly number[] | null {
  switch (pin.mode) {
    case 'off':
      return null;
    case 'list':
      return pin.cpus;
    case 'auto': {
      // The first CPU is left to the main thread. With fewer CPUs than that a pinned thread could not
      // get out of the way of whatever else runs, which costs more than migration.
      const cpus = allowedCpus();
      return cpus !== null && cpus.length > threads && canPin() ? cpus.slice(1) : null;
    }
    default:
      return assertNever(pin);
  }
}

export interface Pins {
  /** For measurements. */
  readonly usual: readonly number[] | null;
  /**
   * For two threads that must race: each on a CPU of its own as long as there are two, because a
   * busy kernel puts them on one for seconds. With load 13 on two cores the entry race was found in 6
   * of 6 hunts within 2.4 s, unpinned in 3 of 6 within 10 s. What else runs there disturbs times, not
   * a race.
   */
  readonly racing: readonly number[] | null;
}

/**
 * `threads` at most run at once; whatever was asked for by name holds for races too. Whether threads can
 * be pinned is not tried for a race: one that cannot be runs where it is.
 */
export function pinsFor(pin: Pinning, threads: number): Pins {
  const usual = pinningPlan(pin, threads);
  const mayRace = pin.mode === 'auto' && usual === null;
  const cpus = mayRace ? allowedCpus() : null;
  return { usual, racing: cpus !== null && cpus.length > 1 ? cpus : usual };
}

/** CPU of `thread` (0 is the hypervisor): vCPUs never share its CPU while there is another one. */
export function cpuOfThread(cpus: readonly number[], thread: number): number {
  const [first = 0, ...rest] = cpus;
  return thread === 0 || rest.length === 0 ? first : (rest[(thread - 1) % rest.length] as number);
}
