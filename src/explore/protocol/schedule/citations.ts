/**
 * What the checker says of a protocol's operations cites them by number, `TLBI VMALLE1IS (event 3)`. Beside
 * a schedule, whose steps are those of all threads, it is the number of the step that counts. What is not
 * shown there is cited without a number.
 */
import type { TraceEvent } from '../../../port/index.ts';
import { isSameOperation } from '../run/recording.ts';
import type { Path } from '../run/unroll.ts';
import type { Schedule } from './schedule.ts';

/** What a sentence is about: its numbers are those of the path's events, from 1. */
export type Cited = Pick<Path, 'operations' | 'trace' | 'behind'>;

/** A way of the hypervisor's side in a schedule: plain data, which may cross threads. */
export interface CitedWay {
  readonly operations: Path['operations'];
  /** By index of the operation: the number of its first step, from 1. */
  readonly numbers: ReadonlyMap<number, number>;
}

/** Of the first thread; undefined: there is none. */
export function wayIn({ shown: [first] }: Pick<Schedule, 'shown'>): CitedWay | undefined {
  if (first === undefined) return undefined;
  return { operations: first.path.operations, numbers: first.numbers };
}

const IN_BRACKETS = / \(event (\d+)\)/g;
const IN_WORDS = /\bevent (\d+)/g;

/** Where a number would be a part of the sentence. */
const NOT_SHOWN = 'an operation not shown here';

/** The sentence with the numbers of the steps that `shown` has. */
export function citing(why: string, of: Cited | null, shown: CitedWay | undefined): string {
  const numberOf = (cited: string): number | null =>
    of === null ? null : stepOf(of, Number(cited) - 1, shown);
  return why
    .replaceAll(IN_BRACKETS, (_, cited: string) => {
      const number = numberOf(cited);
      return number === null ? '' : ` (step ${number})`;
    })
    .replaceAll(IN_WORDS, (_, cited: string) => {
      const number = numberOf(cited);
      return number === null ? NOT_SHOWN : `step ${number}`;
    });
}

/** On another way the same operation may be another one. */
function stepOf(of: Cited, event: number, shown: CitedWay | undefined): number | null {
  const seen = of.trace[event];
  if (seen === undefined || shown === undefined || !isOperation(seen)) return null;
  const index = of.behind[event] ?? -1;
  const [mine, theirs] = [of.operations[index], shown.operations[index]];
  if (mine === undefined || theirs === undefined || !isSameOperation(mine, theirs)) return null;
  return shown.numbers.get(index) ?? null;
}

/** What the page tables' keeper does is in no schedule. */
function isOperation({ op }: TraceEvent): boolean {
  return ['read', 'write', 'dsb', 'dmb', 'isb', 'vttbr', 'tge', 'ipi', 'tlbi'].includes(op);
}
