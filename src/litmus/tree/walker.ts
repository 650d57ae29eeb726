/**
 * What the table walker of a thread does with access flag and dirty state, and for whom.
 *
 * FEAT_HAFDBS (TCR_EL1.HA, HD): instead of an Access-flag fault the walker sets `af`; where `dbm`
 * is set it takes a store's Permission fault away by setting `db` (R_RTBRL). herd's `TTHM=` line
 * says which threads have it: `HA`, `HD` (which implies HA), `SW`, for one thread (`P0:HA`) or all.
 */
import { assert } from '../../arch/assert.ts';
import { LitmusSyntaxError } from '../errors.ts';
import type { LitmusTest } from '../test-case.ts';
import type { Pte } from '../parse/value.ts';

export const FAULT_TYPES = ['Translation', 'AccessFlag', 'Permission'] as const;
export type FaultType = (typeof FAULT_TYPES)[number];

export interface Walker {
  /** It sets the access flag. */
  readonly accessFlag: boolean;
  /**
   * What a store to a clean, writable page does: fault, make it dirty, or go through without. The
   * last is for a compare-and-swap that stores nothing (R_TXGHB leaves that open).
   */
  readonly dirty: 'fault' | 'set' | 'keep';
  /** The thread is at EL0: `el0` 0 keeps it out. */
  readonly user: boolean;
}

const MODES = [
  { accessFlag: false, dirty: 'fault' },
  { accessFlag: true, dirty: 'fault' },
  { accessFlag: true, dirty: 'set' },
  { accessFlag: true, dirty: 'keep' },
] as const;

/** Every walker there can be; addresses name them by their index. */
export const WALKERS: readonly Walker[] = [false, true].flatMap((user) =>
  MODES.map((mode) => ({ ...mode, user })),
);

export function walkerIndex(walker: Walker): number {
  const index = WALKERS.findIndex(
    ({ accessFlag, dirty, user }) =>
      accessFlag === walker.accessFlag && dirty === walker.dirty && user === walker.user,
  );
  assert(index >= 0, 'a walker that keeps dirty state sets the access flag');
  return index;
}

/** How an access through a descriptor goes: a fault, or the descriptor as the walker leaves it. */
export type Resolution =
  | { readonly kind: 'fault'; readonly type: FaultType }
  | { readonly kind: 'mapped'; readonly after: Pte; readonly updated: boolean };

/** Fault priority is the architecture's: Translation, then Access flag, then Permission. */
export function resolve(pte: Pte, write: boolean, walker: Walker): Resolution {
  if (pte.valid === 0) return { kind: 'fault', type: 'Translation' };
  if (pte.af === 0 && !walker.accessFlag) return { kind: 'fault', type: 'AccessFlag' };
  if (walker.user && pte.el0 === 0) return { kind: 'fault', type: 'Permission' };
  const clean = write && pte.db === 0;
  if (clean && (walker.dirty === 'fault' || pte.dbm === 0)) {
    return { kind: 'fault', type: 'Permission' };
  }
  const db = clean && walker.dirty === 'set' ? 1 : pte.db;
  const after = { ...pte, af: 1, db };
  return { kind: 'mapped', after, updated: pte.af === 0 || pte.db !== db };
}

/** What `resolve` leaves when the walker only sets the access flag, of its own accord. */
export function withAccessFlag(pte: Pte): Pte | null {
  return pte.valid !== 0 && pte.af === 0 ? { ...pte, af: 1 } : null;
}

/** The walker of each thread, by the `TTHM=` and `EL0=` lines. */
export function walkersOf(test: LitmusTest): readonly Walker[] {
  const has = tthmOf(test);
  const users = usersOf(test);
  return test.threads.map(({ id }) => {
    const hardware = !has(id, 'SW');
    const dirty = hardware && has(id, 'HD');
    const accessFlag = dirty || (hardware && has(id, 'HA'));
    return { accessFlag, dirty: dirty ? 'set' : 'fault', user: users.has(id) };
  });
}

type Key = 'HA' | 'HD' | 'SW';

function tthmOf(test: LitmusTest): (thread: number, key: Key) => boolean {
  const keys = new Map<Key, { all: boolean; threads: Set<number> }>();
  const { value = '', line = 0 } = test.info.get('tthm') ?? {};
  for (const word of value.split(/\s+/).filter((part) => part !== '')) {
    const match = /^(?:P?([0-9]+):)?(HA|HD|SW)$/i.exec(word);
    if (!match) throw new LitmusSyntaxError(test.file, line, 'HA, HD or SW, or P0:HA', `"${word}"`);
    const key = (match[2] as string).toUpperCase() as Key;
    const known = keys.get(key) ?? { all: false, threads: new Set<number>() };
    if (match[1] === undefined) known.all = key !== 'SW';
    else known.threads.add(Number(match[1]));
    keys.set(key, known);
  }
  return (thread, key) => {
    const known = keys.get(key);
    return known !== undefined && (known.all || known.threads.has(thread));
  };
}

function usersOf(test: LitmusTest): ReadonlySet<number> {
  const { value = '', line = 0 } = test.info.get('el0') ?? {};
  const users = new Set<number>();
  for (const word of value.split(/[\s,]+/).filter((part) => part !== '')) {
    const match = /^P?([0-9]+)$/.exec(word);
    if (!match) throw new LitmusSyntaxError(test.file, line, 'threads such as P0', `"${word}"`);
    users.add(Number(match[1]));
  }
  return users;
}
