/** Functions of a tree that are protocols: one row each. */
import type { ProtocolKind } from '../port/kinds.ts';
import type { KernelTree } from './tree.ts';

interface Row {
  /** After `kernel:`. */
  readonly name: string;
  readonly kind: ProtocolKind;
  /** The tree's function. */
  readonly symbol: string;
  /** What glue.c exports to run it. */
  readonly entry: string;
  /** Is it called with the lock held for reading, too, in versions that know that? */
  readonly shares: boolean;
  readonly summary: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'map',
    kind: 'coalesce',
    symbol: 'kvm_pgtable_stage2_map',
    entry: 'map',
    shares: true,
    summary: 'maps a block where a table is',
  },
  {
    name: 'split',
    kind: 'split',
    symbol: 'kvm_pgtable_stage2_split',
    entry: 'split',
    shares: false,
    summary: 'puts a table where a block is (eager splitting)',
  },
];

export interface Offer extends Row {
  readonly lock: 'exclusive' | 'shared';
}

const SHARED = '-shared';

/** What this tree has of them: `map`, `map-shared`, `split`. */
export function offersOf(tree: KernelTree): readonly Offer[] {
  return ROWS.filter(({ symbol }) => tree.functions.has(symbol)).flatMap((row): Offer[] => [
    { ...row, lock: 'exclusive' },
    ...(row.shares && tree.hasShared
      ? [{ ...row, name: `${row.name}${SHARED}`, lock: 'shared' as const }]
      : []),
  ]);
}

export const PREFIX = 'kernel:';

/** Of any tree, as protocols are named. */
export const OFFER_NAMES: readonly string[] = ROWS.flatMap(({ name, shares }) =>
  shares ? [PREFIX + name, `${PREFIX}${name}${SHARED}`] : [PREFIX + name],
);
