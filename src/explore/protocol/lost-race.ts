/**
 * What a protocol does when it loses: under a lock held for reading another vCPU may take the entry
 * first, and the compare-exchange answers LOCKED. Here nobody else stores to it, so the search never
 * comes this way; one run of the protocol shows it.
 */
import { LOCKED } from '../../arch/descriptor.ts';
import { BoundReached } from './bounds.ts';
import { type MemoryMap, TARGET } from './memory-map.ts';
import { Recording, type Script } from './recording.ts';
import type { Path } from './unroll.ts';

/** Answers to reads before it is taken for a loop that waits for the winner. */
const READS_MAX = 64;

/** The way through `script` on which it loses the entry; null: it never asks, or waits for ever. */
export function lostRace(script: Script, map: MemoryMap, operationsMax: number): Path | null {
  const initial = map.initial();
  const log: bigint[] = [];
  let lost = false;
  try {
    while (log.length < READS_MAX) {
      const recording = new Recording(initial, log, operationsMax, script);
      const last = recording.operations.at(-1);
      if (!recording.pending || (last?.kind !== 'cas' && last?.kind !== 'read')) {
        const { operations, trace, findings, memory } = recording;
        return lost ? { operations, trace, findings, answers: log, memory } : null;
      }
      const isRace: boolean = !lost && last.kind === 'cas' && last.location === TARGET;
      log.push(isRace ? LOCKED : recording.peek(last.location));
      lost ||= isRace;
    }
  } catch (error) {
    // A loop until it wins.
    if (!(error instanceof BoundReached)) throw error;
  }
  return null;
}
