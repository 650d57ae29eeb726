/** Pins the calling thread to one CPU after the other and looks where it really runs. */
import { readFileSync } from 'node:fs';
import { parseCpuList, pinThisThread } from '../stress/process/pinning.ts';

export interface PinCounts {
  readonly verified: readonly number[];
  readonly failed: readonly number[];
}

/** For a thread that ends afterwards: it stays pinned. */
export function runPins(cpus: readonly number[]): PinCounts {
  const verified: number[] = [];
  const failed: number[] = [];
  for (const cpu of cpus) (pinThisThread([cpu]) && isOnlyOn(cpu) ? verified : failed).push(cpu);
  return { verified, failed };
}

const LOOKS = 20;

/** The kernel's own record of the mask, and of the CPU the thread ran on last, several times over. */
function isOnlyOn(cpu: number): boolean {
  for (let look = 0; look < LOOKS; look++) {
    const mask = /^Cpus_allowed_list:\s*(\S+)$/m.exec(
      readFileSync('/proc/thread-self/status', 'utf8'),
    )?.[1];
    if (mask === undefined || String(parseCpuList(mask)) !== String(cpu)) return false;
    if (lastCpu(readFileSync('/proc/thread-self/stat', 'utf8')) !== cpu) return false;
  }
  return true;
}

/** Field 39 of /proc/PID/stat; the name in field 2 may have spaces and brackets in it. */
export function lastCpu(stat: string): number {
  return Number(stat.slice(stat.lastIndexOf(')') + 2).split(' ')[36]);
}
