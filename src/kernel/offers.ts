/** Functions of a tree that are protocols: one row each. */
import type { ChangeName, ProtocolKind } from '../port/kinds.ts';
import type { KernelTree } from './tree.ts';

interface Row {
  /** After `kernel:`. */
  readonly name: string;
  readonly kind: ProtocolKind;
  /** Absent: all forms of the kind. */
  readonly form?: ChangeName;
  /** The tree's function. */
  readonly symbol: string;
  /** What glue.c exports to run it. */
  readonly entry: string;
  /**
   * In versions that know of walks under a lock held for reading: is it called with the lock held for
   * writing only, for either, or for reading only?
   */
  readonly shares: 'never' | 'too' | 'always';
  readonly summary: string;
}

const ROWS: readonly Row[] = [
  {
    name: 'map',
    kind: 'coalesce',
    symbol: 'kvm_pgtable_stage2_map',
    entry: 'map',
    shares: 'too',
    summary: 'maps a block where a table is',
  },
  {
    name: 'split',
    kind: 'split',
    symbol: 'kvm_pgtable_stage2_split',
    entry: 'split',
    shares: 'never',
    summary: 'puts a table where a block is (eager splitting)',
  },
  {
    name: 'map-hole',
    kind: 'map',
    symbol: 'kvm_pgtable_stage2_map',
    entry: 'map',
    shares: 'too',
    summary: 'maps a block where nothing is mapped',
  },
  {
    name: 'remap',
    kind: 'relocate',
    symbol: 'kvm_pgtable_stage2_map',
    entry: 'map',
    shares: 'too',
    summary: 'maps a block where another one is',
  },
  {
    name: 'unmap',
    kind: 'unmap',
    form: 'unmap-leaf',
    symbol: 'kvm_pgtable_stage2_unmap',
    entry: 'unmap',
    shares: 'never',
    summary: 'unmaps a block',
  },
  {
    name: 'unmap-table',
    kind: 'unmap',
    form: 'unmap-table',
    symbol: 'kvm_pgtable_stage2_unmap',
    entry: 'unmap',
    shares: 'never',
    summary: 'unmaps a table and all that it maps',
  },
  {
    name: 'wrprotect',
    kind: 'protect',
    form: 'restrict',
    symbol: 'kvm_pgtable_stage2_wrprotect',
    entry: 'wrprotect',
    shares: 'never',
    summary: 'takes the write permission away; its caller flushes the VMID',
  },
  {
    name: 'relax',
    kind: 'protect',
    form: 'relax',
    symbol: 'kvm_pgtable_stage2_relax_perms',
    entry: 'relax',
    shares: 'always',
    summary: 'gives a vCPU the write permission back',
  },
];

export interface Offer extends Row {
  readonly lock: 'exclusive' | 'shared';
}

const SHARED = '-shared';

/** What this tree has of them: `map`, `map-shared`, `split` and so on. */
export function offersOf({ functions, hasShared }: KernelTree): readonly Offer[] {
  return ROWS.filter(({ symbol }) => functions.has(symbol)).flatMap((row): Offer[] => {
    if (row.shares === 'always' && hasShared) return [{ ...row, lock: 'shared' }];
    const exclusive: Offer = { ...row, lock: 'exclusive' };
    if (row.shares !== 'too' || !hasShared) return [exclusive];
    return [exclusive, { ...row, name: row.name + SHARED, lock: 'shared' }];
  });
}

export const PREFIX = 'kernel:';

/** Of any tree, as protocols are named. */
export const OFFER_NAMES: readonly string[] = ROWS.flatMap(({ name, shares }) =>
  shares === 'too' ? [PREFIX + name, PREFIX + name + SHARED] : [PREFIX + name],
);
