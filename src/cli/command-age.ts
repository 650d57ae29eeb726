/**
 * How long the command has been running for the person who typed it: npm takes a third of a second
 * before this program starts, on a busy machine seconds, and a time limit is for all of it.
 */
import { readFileSync } from 'node:fs';

/** npm, its shell, and nothing between them and this process. */
const ANCESTORS = 3;
/** Linux counts a process's start in these; sysconf(_SC_CLK_TCK) is 100 everywhere it runs today. */
const TICKS_PER_SECOND = 100;

/** npm takes five seconds to start this where ten others want two CPUs. */
const NPM_MS_MAX = 20_000;

/** Milliseconds since `npm run` was started, or this process where that is not known. */
export function commandAgeMs(): number {
  const own = performance.now();
  return process.env['npm_lifecycle_event'] === undefined ? own : ageOf(own, npmAgeMs());
}

/** npm that began long before this process has run something else first: "build && stage2-stress …". */
export function ageOf(ownMs: number, npmMs: number | null): number {
  return npmMs === null || npmMs - ownMs > NPM_MS_MAX ? ownMs : Math.max(ownMs, npmMs);
}

function npmAgeMs(): number | null {
  try {
    let pid = process.ppid;
    for (let n = 0; n < ANCESTORS && pid > 1; n++) {
      // npm names itself after what it runs; its shell and others have their program there.
      const name = readFileSync(`/proc/${pid}/cmdline`, 'latin1');
      const stat = readFileSync(`/proc/${pid}/stat`, 'latin1');
      const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      if (/^npm (?:run|exec|start|test|x)\b/.test(name)) return ageMs(Number(fields[19]));
      pid = Number(fields[1]);
    }
  } catch {
    // Not Linux, or npm has ended meanwhile.
  }
  return null;
}

function ageMs(startTicks: number): number | null {
  const uptime = Number(readFileSync('/proc/uptime', 'latin1').split(' ')[0]);
  const age = 1000 * (uptime - startTicks / TICKS_PER_SECOND);
  return Number.isFinite(age) ? age : null;
}
