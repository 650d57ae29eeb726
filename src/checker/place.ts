/**
 * One entry as the automaton sees it: where it lies, and what was cached of it before the
 * transition. The target of a transition is one, and so is each child entry that a walker can reach
 * while the protocol stores to it.
 */
import { assert } from '../arch/assert.ts';
import { AF, attributesOf, type Descriptor, makeLeaf, typeOf } from '../arch/descriptor.ts';
import { entrySize, type Geometry, geometryOf, GRANULES, type Level } from '../arch/geometry.ts';
import type { TransitionTrace } from '../port/trace.ts';
import { type Holes, holesOf } from './tables/holes.ts';

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
  /** Entries below it that held nothing. */
  readonly holes: Holes;
  /**
   * The leaf of this level that maps what a table in this entry maps: what a block that takes the
   * place of the table is held against. Null: not known.
   */
  readonly maps: Descriptor | null;
  /** Hardware sets the access flag (FEAT_HAFDBS), so that one that is clear keeps no walk away. */
  readonly hafdbs: boolean;
}

/** The granule whose entries of `level` have this size; level and size together are unique. */
export function geometryOfTrace(trace: Pick<TransitionTrace, 'level' | 'size'>): Geometry {
  const fits = GRANULES.map(geometryOf).filter((g) => entrySize(g, trace.level) === trace.size);
  const [g] = fits;
  assert(g !== undefined, `no granule has level-${trace.level} entries of ${trace.size} bytes`);
  assert(fits.length === 1, `level ${trace.level} and size ${trace.size} name one granule`);
  return g;
}

export function targetPlace(trace: TransitionTrace, hafdbs = false): Place {
  const { level, ipa, size, vmid, old } = trace;
  const oldLeaves = leavesOf(trace);
  const geometry = geometryOfTrace(trace);
  const maps = leafWanted(trace, level, ipa);
  const holes = holesOf(trace, geometry);
  return { geometry, level, ipa, size, vmid, old, oldLeaves, holes, maps, hafdbs };
}

/** The leaf of `level` that maps at `ipa` what the wanted block maps there. */
export function leafWanted(trace: TransitionTrace, level: Level, ipa: number): Descriptor {
  if (level === trace.level) return trace.wanted;
  const pa = trace.pa + ipa - trace.ipa;
  const wanted = { ...attributesOf(trace.wanted, trace.level), nT: false };
  return makeLeaf(geometryOfTrace(trace), level, pa, wanted);
}

/** Levels of leaves below the old table, with what the transition itself has put there. */
function leavesOf(trace: TransitionTrace): readonly Level[] {
  const below = (trace.level + 1) as Level;
  const blocks = trace.events.some(
    (e) => e.op === 'write' && e.place?.table === 'old' && typeOf(e.value, below) === 'block',
  );
  return blocks ? [...new Set([...trace.oldLeaves, below])] : trace.oldLeaves;
}

/**
 * Does hardware translate through it, so that a TLB may hold it? What is reserved faults like what is
 * invalid, and so does a leaf whose access flag is clear, unless hardware sets the flag itself
 * (R_WZCBG; herd's aarch64bbm.cat takes the clearing of AF for a break, too).
 */
export function translates(d: Descriptor, level: Level, hafdbs = false): boolean {
  const type = typeOf(d, level);
  if (type === 'invalid' || type === 'reserved') return false;
  return type === 'table' || hafdbs || (d & AF) !== 0n;
}
