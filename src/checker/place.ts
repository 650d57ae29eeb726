/**
 * One entry as the automaton sees it: where it lies, and what was cached of it before the
 * transition. The target of a transition is one, and so is each child entry that a walker can reach
 * while the protocol stores to it.
 */
import { assert } from '../arch/assert.ts';
import { type Descriptor, typeOf } from '../arch/descriptor.ts';
import { entrySize, type Geometry, geometryOf, GRANULES, type Level } from '../arch/geometry.ts';
import type { TransitionTrace } from '../port/trace.ts';

export interface Place {
  readonly geometry: Geometry;
  readonly level: Level;
  /** First IPA the entry maps, and how many bytes. */
  readonly ipa: number;
  readonly size: number;
  readonly vmid: number;
  /** What it held before the transition, and the levels of the valid leaves below that. */
  readonly old: Descriptor;
  readonly oldLeaves: readonly Level[];
}

/** The granule whose entries of `level` have this size; level and size together are unique. */
export function geometryOfTrace(trace: Pick<TransitionTrace, 'level' | 'size'>): Geometry {
  const fits = GRANULES.map(geometryOf).filter((g) => entrySize(g, trace.level) === trace.size);
  const [g] = fits;
  assert(g !== undefined, `no granule has level-${trace.level} entries of ${trace.size} bytes`);
  assert(fits.length === 1, `level ${trace.level} and size ${trace.size} name one granule`);
  return g;
}

export function targetPlace(trace: TransitionTrace): Place {
  const { level, ipa, size, vmid, old } = trace;
  const oldLeaves = leavesOf(trace);
  return { geometry: geometryOfTrace(trace), level, ipa, size, vmid, old, oldLeaves };
}

/** Levels of leaves below the old table, with what the transition itself has put there. */
function leavesOf(trace: TransitionTrace): readonly Level[] {
  const below = (trace.level + 1) as Level;
  const blocks = trace.events.some(
    (e) => e.op === 'write' && e.place?.table === 'old' && typeOf(e.value, below) === 'block',
  );
  return blocks ? [...new Set([...trace.oldLeaves, below])] : trace.oldLeaves;
}

/** Does hardware translate through it? What is reserved faults like what is invalid. */
export function translates(d: Descriptor, level: Level): boolean {
  const type = typeOf(d, level);
  return type !== 'invalid' && type !== 'reserved';
}
