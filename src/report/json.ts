/**
 * Results as JSON: the same result is the same bytes, whoever built the object and in which order.
 * Fields of the contract come first, in its order; others after them by name.
 */
import { FIGURES } from '../result/figures/figures.ts';
import { isFigure, type Table } from '../result/figures/kinds.ts';

const ORDER = [
  ...[
    'tool',
    'schema',
    'command',
    'verdict',
    'exitCode',
    'reasons',
    'remarks',
    'seed',
    'argv',
    'version',
  ],
  ...['machine', 'startedAt', 'elapsedMs', 'interrupted', 'controls', 'runs'],
  ...['scenario', 'protocol', 'mutant', 'cpu', 'granule', 'level', 'vcpus', 'scheduling'],
  ...['reorder', 'access', 'delays', 'repeats'],
  ...[
    'bbm',
    'nt',
    'multihit',
    'spec',
    'hafdbs',
    'ets',
    'tlb',
    'walkcache',
    'tlbi',
    'hdbss',
    'bbmid',
    'vmid',
  ],
  ...namesOf(FIGURES),
  ...['exhibit', 'violations'],
  ...['name', 'kind', 'rule', 'why', 'vcpu', 'ipa', 'round', 'count', 'events', 'exploreCommand'],
  ...['value', 'lo', 'hi', 'p50', 'p99', 'max'],
  ...['cpus', 'model', 'arch', 'node', 'v8', 'kernel', 'notes'],
  ...['caught', 'twinClean', 'standsFor', 'seconds', 'detail'],
  ...['thread', 'generation', 'sequence', 'text'],
];

/** Figures, in the order of their table; objects of them before what is in them. */
function namesOf(table: Table): string[] {
  const inner = Object.values(table).map((entry) => {
    if (!isFigure(entry)) return namesOf(entry);
    return entry.kind === 'group' ? namesOf(entry.figures) : [];
  });
  return [...Object.keys(table), ...inner.flat()];
}

const RANK: ReadonlyMap<string, number> = new Map(
  // A name in several objects has its first place.
  [...ORDER.entries()].toReversed().map(([i, key]) => [key, i]),
);

/**
 * Two spaces of indentation and a newline at the end. What JSON has no word for becomes what a
 * reader can use: a number without a finite value is null, a descriptor (`bigint`) is hexadecimal
 * text. Undefined fields are left out.
 */
export function formatJson(value: unknown): string {
  return `${JSON.stringify(ordered(value), null, 2)}\n`;
}

function ordered(value: unknown): unknown {
  if (typeof value === 'bigint') return `0x${value.toString(16)}`;
  if (Array.isArray(value)) return value.map(ordered);
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).sort(([a], [b]) => compareKeys(a, b));
  return Object.fromEntries(entries.map(([key, inner]) => [key, ordered(inner)]));
}

function compareKeys(a: string, b: string): number {
  const byRank = (RANK.get(a) ?? ORDER.length) - (RANK.get(b) ?? ORDER.length);
  return byRank !== 0 ? byRank : a < b ? -1 : 1;
}
