/**
 * The changes a protocol can make, as data: what the entry holds before and must hold after, and what
 * follows from that for accesses and for the memory behind the old mapping. The checker, the explorer
 * and their sentences read this table; nothing asks for a change by name but to choose a row.
 *
 * A *kind* is what a protocol says of itself. Some kinds have several *forms*, which start from other
 * entries: `unmap` meets blocks and tables. A protocol is tried in every form of its kind, unless it
 * names one.
 */

/** What an entry holds. `locked`: another vCPU is at work on it (KVM_INVALID_PTE_LOCKED). */
export type Holding = 'table' | 'block' | 'empty' | 'locked';

export interface Change {
  readonly from: Holding;
  readonly to: Holding;
  /**
   * When the memory behind the old mapping is taken, so that nothing may be stored through that any
   * more: before the first new descriptor is stored (its contents are copied to the new place, by
   * whoever moves them), or once the protocol has returned (it is given away, or sent by a migration).
   * Absent: it stays.
   */
  readonly takes?: 'before-new' | 'at-end';
  /** What a store is that comes later all the same, as the end of a sentence. */
  readonly late?: string;
  /** Of a table: some of its entries are invalid from the start (isHole below). */
  readonly holes?: true;
  /** Old or new mapping denies stores: then a permission fault may be right. */
  readonly readOnly?: 'old' | 'new';
  /** A vCPU makes it, in the handler of the fault that asks for it; the others are the host's. */
  readonly by?: 'vcpu';
  /** In words. */
  readonly text: string;
}

const CHANGES = {
  coalesce: { from: 'table', to: 'block', text: 'a table becomes a block' },
  split: { from: 'block', to: 'table', text: 'a block becomes a table' },
  'unmap-leaf': {
    from: 'block',
    to: 'empty',
    takes: 'at-end',
    late: 'after the memory had been given to somebody else',
    text: 'a block is unmapped',
  },
  'unmap-table': {
    from: 'table',
    to: 'empty',
    takes: 'at-end',
    late: 'after the memory had been given to somebody else',
    text: 'a table and all it maps is unmapped',
  },
  'unmap-sparse': {
    from: 'table',
    to: 'empty',
    holes: true,
    takes: 'at-end',
    late: 'after the memory had been given to somebody else',
    text: 'a table with holes and all it maps is unmapped',
  },
  map: { from: 'empty', to: 'block', by: 'vcpu', text: 'an empty entry gets a block' },
  'map-locked': {
    from: 'locked',
    to: 'locked',
    by: 'vcpu',
    text: 'an entry that another vCPU has LOCKED is left to that one',
  },
  restrict: {
    from: 'block',
    to: 'block',
    takes: 'at-end',
    late: 'after the page had been sent by the migration',
    readOnly: 'new',
    text: 'a block loses its write permission',
  },
  relax: {
    from: 'block',
    to: 'block',
    readOnly: 'old',
    by: 'vcpu',
    text: 'a block regains its write permission',
  },
  relocate: {
    from: 'block',
    to: 'block',
    takes: 'before-new',
    late: 'after the contents had been copied to the new place',
    text: 'a block moves to another output address',
  },
} as const satisfies Record<string, Change>;

export type ChangeName = keyof typeof CHANGES;
export const CHANGE_NAMES = Object.keys(CHANGES) as readonly ChangeName[];

export function changeNamed(name: ChangeName): Change {
  return CHANGES[name];
}

/**
 * Which entries of a lowest-level table are holes, where the table has some: the first one, one in the
 * middle and the last one; of a table of two the first, so that a gather meets the gap before it meets
 * what comes after.
 */
export function isHole(index: number, entries: number): boolean {
  if (index === 0) return true;
  return entries > 2 && (index === entries / 2 || index === entries - 1);
}

/** Kinds, and the forms of each; the first is the plain one. */
const FORMS = {
  coalesce: ['coalesce'],
  split: ['split'],
  unmap: ['unmap-leaf', 'unmap-table', 'unmap-sparse'],
  map: ['map', 'map-locked'],
  protect: ['restrict', 'relax'],
  relocate: ['relocate'],
} as const satisfies Record<string, readonly [ChangeName, ...ChangeName[]]>;

/** `coalesce`: table to block. `split`: block to table. The others change no size. */
export type ProtocolKind = keyof typeof FORMS;
export const PROTOCOL_KINDS = Object.keys(FORMS) as readonly ProtocolKind[];

/** Kinds that change the size of a mapping: what `stress` measures. */
export function changesSize(kind: ProtocolKind): kind is 'coalesce' | 'split' {
  return kind === 'coalesce' || kind === 'split';
}

export function formsOf(kind: ProtocolKind): readonly ChangeName[] {
  return FORMS[kind];
}

/** What a protocol says that decides which changes it is tried with. */
export interface Changing {
  readonly kind: ProtocolKind;
  readonly form?: ChangeName;
  readonly lock?: 'exclusive' | 'shared';
}

/**
 * The changes a protocol makes. Nobody else can hold an entry LOCKED while the lock is held
 * exclusively.
 */
export function changesOf({ kind, form, lock = 'exclusive' }: Changing): readonly ChangeName[] {
  const all = form === undefined ? FORMS[kind] : [form];
  return lock === 'shared' ? all : all.filter((name) => CHANGES[name].from !== 'locked');
}

/** The first of them: what stands for all where one will do. */
export function plainChange(protocol: Changing): ChangeName {
  return changesOf(protocol)[0] ?? FORMS[protocol.kind][0];
}
