/**
 * What a split's new tables map in the end: every valid leaf in them what the wanted block maps
 * there, whether or not a vCPU has looked. Entries left empty are faulted in later.
 */
import {
  attributesOf,
  type Descriptor,
  isValid,
  type LeafAttributes,
  outputAddress,
  typeOf,
} from '../arch/descriptor.ts';
import { entrySize, type Level } from '../arch/geometry.ts';
import type { ChildPlace, TableName, TransitionTrace } from '../port/trace.ts';
import { geometryOfTrace } from './place.ts';
import type { TableMap } from './table-map.ts';

export interface ContentFinding {
  readonly why: string;
  readonly event: number;
}

const ATTRIBUTE_NAMES: Readonly<Partial<Record<keyof LeafAttributes, string>>> = {
  read: 'read permission',
  write: 'write permission',
  memAttr: 'memory type',
  sh: 'shareability',
  af: 'access flag',
  xn: 'execute-never',
  dbm: 'DBM',
  contiguous: 'Contiguous bit',
};

/** What hardware sets where DBM is set (FEAT_HAFDBS): a protocol may start from less or more of it. */
const STATE_NAMES: ReadonlySet<string> = new Set(['write', 'af']);

const hex = (n: number): string => `0x${n.toString(16)}`;

/** How leaf `found` of `level` differs from what the wanted block maps at `offset`, or null. */
function difference(
  trace: TransitionTrace,
  found: Descriptor,
  level: Level,
  offset: number,
): string | null {
  if (typeOf(found, level) === 'reserved') return 'is reserved: a page descriptor has bit 1 set';
  const pa = trace.pa + offset;
  const at = outputAddress(geometryOfTrace(trace), found, level);
  if (at !== pa) return `maps ${hex(at)} instead of ${hex(pa)}`;
  const wanted = attributesOf(trace.wanted, trace.level);
  const has = attributesOf(found, level);
  const names = Object.entries(ATTRIBUTE_NAMES)
    .filter(([name]) => !(wanted.dbm && has.dbm && STATE_NAMES.has(name)))
    .filter(([name]) => has[name as keyof LeafAttributes] !== wanted[name as keyof LeafAttributes])
    .map(([, text]) => text);
  return names.length === 0 ? null : `differs from the wanted block in ${names.join(', ')}`;
}

/** The first leaf below the new tables that is not what was wanted. */
export function judgeContents(trace: TransitionTrace, map: TableMap): ContentFinding | null {
  const offsetOf = (table: TableName): number | null => {
    const ipa = map.isMade(table) ? map.ipaOf(table) : null;
    return ipa === null ? null : ipa - trace.ipa;
  };
  const leaves = new Map<string, { place: ChildPlace; value: Descriptor; at: number }>();
  for (const [at, event] of trace.events.entries()) {
    if (event.op === 'build') {
      const offset = offsetOf(event.table);
      const why = offset === null ? null : difference(trace, event.like, event.level, offset);
      if (why !== null) return { why: `the new subtree ${event.table} ${why}`, event: at };
    }
    if (event.op !== 'write' || event.place === null) continue;
    const { place, value } = event;
    leaves.set(`${place.table}#${place.index}`, { place, value, at });
  }
  for (const { place, value, at } of leaves.values()) {
    const { table, index } = place;
    const level = map.levelOf(table);
    const offset = offsetOf(table);
    if (offset === null || level === null || !isValid(value)) continue;
    if (typeOf(value, level) === 'table') continue;
    const below = index * entrySize(geometryOfTrace(trace), level);
    const why = difference(trace, value, level, offset + below);
    if (why !== null) return { why: `entry ${index} of the new ${table} ${why}`, event: at };
  }
  return null;
}
