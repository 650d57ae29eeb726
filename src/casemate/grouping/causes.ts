/**
 * Findings by cause: a missing instruction in one place of a kernel is one cause, however often the
 * log ran past it. Two findings have the same cause if rule, place and sentence agree, whatever
 * the addresses and event numbers in it.
 */
import type { LogRecord } from '../reading/record.ts';
import type { Step } from '../rules/stale-set.ts';
import type { TraceRule, TraceViolation } from '../../result/check-trace.ts';

export interface Finding {
  readonly rule: TraceRule;
  /** One sentence. */
  readonly why: string;
  /** The entry, page or register. */
  readonly entry: string;
  /** What led to it, oldest first. */
  readonly history: readonly Step[];
}

/** Where the log names no place in a program. */
const NO_PLACE = 'no place in the log';
/** Of one cause, so many entries are named. */
const ENTRIES_MAX = 20;

interface Cause {
  readonly violation: Omit<TraceViolation, 'count' | 'entries'>;
  count: number;
  readonly entries: Set<string>;
}

export class Causes {
  readonly #byKey = new Map<string, Cause>();

  get count(): number {
    return this.#byKey.size;
  }

  /** Counts the finding; the cause it belongs to. */
  tell({ rule, why, entry, history }: Finding, record: LogRecord): unknown {
    const place = record.source ?? NO_PLACE;
    const key = `${rule}\n${place}\n${withoutNumbers(why)}`;
    let cause = this.#byKey.get(key);
    if (cause === undefined) {
      const { line, id, source } = record;
      const events = history.map(({ line, thread, text, source }) => ({
        line,
        thread,
        text,
        source,
      }));
      cause = {
        violation: { rule, why, place, firstEvent: id, line, source, entry, events },
        count: 0,
        entries: new Set(),
      };
      this.#byKey.set(key, cause);
    }
    this.again(cause, entry);
    return cause;
  }

  /** One more of a cause that was told. */
  again(cause: unknown, entry: string): void {
    const known = cause as Cause;
    known.count += 1;
    if (known.entries.size < ENTRIES_MAX) known.entries.add(entry);
  }

  violations(): TraceViolation[] {
    return [...this.#byKey.values()].map(({ violation, count, entries }) => ({
      ...violation,
      count,
      entries: [...entries],
    }));
  }
}

function withoutNumbers(why: string): string {
  return why
    .replaceAll(/; the last TLBI, event \d+, came before it/g, '')
    .replaceAll(/0x[0-9a-f]+/gi, 'N')
    .replaceAll(/\b(event|vmid=|VMID|thread|ASID) ?\d+/g, '$1 N');
}
