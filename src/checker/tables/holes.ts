/**
 * Entries of the old subtree that held nothing from the start: no TLB holds anything of them, and no flush
 * is owed. The checker goes by what the protocol itself has found there, as whoever skips an entry without
 * a look cannot know. Only where a table with holes is what the transition is about, and nobody else
 * fills them meanwhile.
 */
import { isValid } from '../../arch/descriptor.ts';
import { entrySize, type Geometry, type Level } from '../../arch/geometry.ts';
import { changeNamed } from '../../port/kinds.ts';
import {
  isOldTable,
  type TableName,
  type TraceEvent,
  type TransitionTrace,
} from '../../port/trace.ts';

/** What would be mapped there, in bytes, half-open; and the level of the entry. */
export interface Hole {
  readonly lo: number;
  readonly hi: number;
  readonly level: Level;
}

/** By table and index, as `entryKey` has it. */
export type Holes = ReadonlyMap<string, Hole>;

export const NO_HOLES: Holes = new Map();

export const entryKey = (table: TableName, index: number): string => `${table}#${index}`;

export function holesOf(trace: TransitionTrace, geometry: Geometry): Holes {
  const { change, lock, events } = trace;
  const isSparse = change !== undefined && changeNamed(change).holes === true;
  if (!isSparse || lock === 'shared') return NO_HOLES;
  const holes = new Map<string, Hole>();
  const met = new Set<string>();
  for (const event of events) {
    const at = meeting(event);
    if (at === null) continue;
    const key = entryKey(at.table, at.index);
    // What counts is what it held when it was met first, and that nothing was mapped there since.
    if (!met.has(key) && !at.wasValid) holes.set(key, holeAt(trace, geometry, at));
    if (at.isValid) holes.delete(key);
    met.add(key);
  }
  return holes;
}

interface Meeting {
  readonly table: TableName;
  readonly index: number;
  readonly wasValid: boolean;
  readonly isValid: boolean;
}

/** The entry of the old subtree that an event is about, and whether it mapped something; null: none. */
function meeting(event: TraceEvent): Meeting | null {
  if (event.op === 'read') {
    const { table, index, value } = event;
    if (table === null || index === undefined || !isOldTable(table)) return null;
    return { table, index, wasValid: isValid(value), isValid: isValid(value) };
  }
  if (event.op !== 'write' || event.place === null || !isOldTable(event.place.table)) return null;
  const { table, index, before } = event.place;
  return { table, index, wasValid: isValid(before), isValid: isValid(event.value) };
}

function holeAt({ level, ipa }: TransitionTrace, g: Geometry, { table, index }: Meeting): Hole {
  const below = table === 'old' ? 0 : Number(table.slice('old '.length));
  const from = table === 'old' ? ipa : ipa + below * entrySize(g, (level + 1) as Level);
  const own = (table === 'old' ? level + 1 : level + 2) as Level;
  const lo = from + index * entrySize(g, own);
  return { lo, hi: lo + entrySize(g, own), level: own };
}
