/**
 * How often the kernel took this thread's CPU away, from /proc: a round in which that happened says
 * nothing about time.
 *
 * The status file of the thread is opened once; reading it again at offset 0 makes the kernel write
 * it anew. Outside of Linux nothing is known, and `available` is false: reports then say so instead
 * of counting no preemptions.
 */
import { closeSync, openSync, readlinkSync, readSync } from 'node:fs';

export interface PreemptionCounter {
  readonly available: boolean;
  /** Involuntary context switches of the calling thread so far. */
  read(): number;
  close(): void;
}

const FIELD = Buffer.from('nonvoluntary_ctxt_switches:');
const NEWLINE = 10;

/** Must be called on the thread that is to be counted. */
export function createPreemptionCounter(): PreemptionCounter {
  let fd = -1;
  try {
    // /proc/thread-self names whoever opens it; its target is the thread itself.
    fd = openSync(`/proc/${readlinkSync('/proc/thread-self')}/status`, 'r');
  } catch {
    return { available: false, read: () => 0, close: () => {} };
  }
  const buffer = Buffer.alloc(4096);
  return {
    available: true,
    read() {
      const length = readSync(fd, buffer, 0, buffer.length, 0);
      let at = buffer.indexOf(FIELD);
      if (at < 0 || at > length) return 0;
      let value = 0;
      for (at += FIELD.length; at < length && buffer[at] !== NEWLINE; at++) {
        const digit = (buffer[at] as number) - 48;
        if (digit >= 0 && digit <= 9) value = value * 10 + digit;
      }
      return value;
    },
    close: () => closeSync(fd),
  };
}
