/**
 * What a protocol does when it loses: under a lock held for reading another vCPU may take the entry
 * first, and the compare-exchange answers LOCKED. Here nobody else stores to it, so the search never
 * comes this way; one run of the protocol shows it.
 *
 * A loser that looks again finds LOCKED for a while and then what the winner leaves, the wanted block
 * or a table. Whoever goes on for ever from there waits for what nobody will do.
 */
import { type Descriptor, LOCKED } from '../../../arch/descriptor.ts';
import type { Table } from '../../../port/index.ts';
import { BoundReached } from '../machine/bounds.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import { Recording, type Script } from '../run/recording.ts';
import { type Path, pathOf } from '../run/unroll.ts';

/** Reads of the entry that find LOCKED before the winner is done. */
const LOCKED_READS = 4;
/** Operations after which a loop is taken for one that does not end. */
const OPERATIONS_MAX = 4096;

/** One run in which it loses, or null: it does not ask by compare-exchange. */
export interface LostRace {
  /** Null: it never ends. */
  readonly path: Path | null;
}

/** `script`: of the region that `map` is of; `initial`: what all of the machine holds before. */
export function lostRace(
  script: Script,
  map: MemoryMap,
  initial: readonly Descriptor[],
): LostRace | null {
  const answers: Descriptor[] = [];
  let found = 0;
  let lost = false;
  const won = map.change.to === 'table' ? map.descriptorFor((map.tables - 1) as Table) : map.wanted;
  const answer = (location: number, _: number, recording: Recording): Descriptor => {
    const isCas = recording.operations.at(-1)?.kind === 'cas';
    lost ||= isCas && location === map.target;
    const value =
      lost && location === map.target
        ? found++ < LOCKED_READS
          ? LOCKED
          : won
        : recording.peek(location);
    answers.push(value);
    return value;
  };
  try {
    const recording = new Recording(initial, answer, OPERATIONS_MAX, script);
    return lost ? { path: pathOf(recording, answers) } : null;
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
    return lost && error.bound === 'operations' ? { path: null } : null;
  }
}
