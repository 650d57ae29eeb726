/** What stands behind the word of a step: values, places and the operands of a TLBI. */
import { scopeOf, TLBI_KINDS, type TlbiKind } from '../arch/tlbi.ts';
import type { Cursor } from './cursor.ts';
import type { Action, Address, ChildIndex, StoreOrder, Ttl, Value } from './steps.ts';

const CHILD_MAX = 8191;
/** Of a range, and of what is added to an IPA. */
export const PAGES_MAX = 2 ** 18;

/** Words for the entry itself, where a kernel's call wants one. */
const ENTRY_WORDS = new Set(['ptep', 'entry']);
/** Words for the first IPA: the operand that the architecture calls Xt. */
const IPA = /^(?:ipa|addr|page|x\d{0,2}|xt)$/;

const VALUE_TEXTS = '0, invalid, locked, block, block+nt, table, old, old+nt';
const CHILD_VALUES: readonly Value[] = ['0', 'locked', 'block'];

/** A value; null if the next word is none. */
function maybeValue(c: Cursor): Value | null {
  const { text } = c.word;
  if (['0', '0x0', '0ul', 'xzr', 'wzr'].includes(text)) return c.take() && '0';
  if (text === 'invalid' || text === 'locked' || text === 'table') {
    c.take();
    return text;
  }
  if (text !== 'block' && text !== 'old') return null;
  c.take();
  if (!c.has('+') && !c.has('|')) return text;
  c.expect('nt', `${text}+nT`);
  return `${text}+nt`;
}

function value(c: Cursor, step: string): Value {
  return maybeValue(c) ?? c.refuse(`${step} stores one of ${VALUE_TEXTS}, not ${c.shown()}`);
}

/** `child[N]`, `child[page]`, `ptep`, `*ptep`, `entry`: undefined if the next word is none of them. */
export function maybePlace(c: Cursor): ChildIndex | null | undefined {
  const isDereferenced = c.has('*');
  if (ENTRY_WORDS.has(c.word.text)) {
    c.take();
    return null;
  }
  if (isDereferenced) c.refuse(`*ptep is the entry; ${c.shown()} is none`);
  if (!c.has('child')) return undefined;
  c.expect('[', 'child[N]');
  const index = c.has('page') ? 'page' : c.number('N of child[N]', CHILD_MAX);
  c.expect(']', 'child[N]');
  return index;
}

/** Kernel calls have brackets around their operands; assembly has none. */
export function bracketed<T>(c: Cursor, step: string, inside: () => T): T {
  const hasBracket = c.has('(');
  const made = inside();
  if (hasBracket) c.expect(')', step);
  return made;
}

export type Store = Extract<Action, { readonly op: 'store' }>;

/** `str V`, `str V, child[N]`, `WRITE_ONCE(*ptep, V)`. */
export function store(c: Cursor, step: string, order: StoreOrder): Store {
  return maybeExchange(c, step, order).store;
}

/** `cmpxchg(ptep, old, V)`, and whether `old` stands there. */
export function exchange(c: Cursor): { readonly store: Store; readonly namesOld: boolean } {
  return maybeExchange(c, 'cmpxchg', 'cas');
}

function maybeExchange(
  c: Cursor,
  step: string,
  order: StoreOrder,
): { readonly store: Store; readonly namesOld: boolean } {
  return bracketed(c, step, () => {
    let namesOld = false;
    let child = maybePlace(c);
    if (child !== undefined) c.has(',');
    const at = c.word;
    let stored = value(c, step);
    if (step === 'cmpxchg' && c.has(',')) {
      if (stored !== 'old') {
        c.refuse(`cmpxchg(ptep, old, V) compares with old, not with "${stored}"`, at);
      }
      namesOld = true;
      stored = value(c, step);
    }
    const hasComma = c.has(',');
    if (child === undefined) child = maybePlace(c);
    else if (hasComma) c.refuse(`${step} has its value; ${c.shown()} is one operand too many`);
    if (child === undefined && hasComma) {
      const right = `of the entry write no address (${step} ${stored}), and ; between two steps`;
      c.refuse(`${step} goes to the entry or to child[N], not to ${c.shown()}: ${right}`);
    }
    if (child !== undefined && child !== null && !CHILD_VALUES.includes(stored)) {
      c.refuse(
        `${step} to a child stores ${CHILD_VALUES.join(', ')} (its part of it), not ${stored}`,
        at,
      );
    }
    return { store: { op: 'store', order, value: stored, child: child ?? null }, namesOld };
  });
}

function address(c: Cursor, kind: TlbiKind): Address {
  const isRange = scopeOf(kind) === 'range';
  const at = c.word;
  if (c.has('range')) {
    if (isRange) return { kind: 'range' };
    return c.refuse(
      `tlbi ${kind} takes one address: write each page { tlbi ${kind}, ipa }, or tlbi ripas2e1is, range`,
      at,
    );
  }
  if (c.has('gathered')) {
    if (isRange) return { kind: 'gathered' };
    return c.refuse(
      `tlbi ${kind} takes one address, and what was gathered is a range: write tlbi ripas2e1is, gathered`,
      at,
    );
  }
  if (!IPA.test(c.word.text)) {
    const right = isRange ? 'range, gathered or ipa+N pages' : 'ipa or ipa+N pages';
    return c.refuse(`tlbi ${kind} takes ${right}, not ${c.shown()}`);
  }
  c.take();
  if (!c.has('+')) {
    if (!isRange) return { kind: 'page', offset: 0 };
    return c.refuse(`tlbi ${kind} takes a range: write range or ipa+N pages`, at);
  }
  const count = c.number('N of ipa+N pages', PAGES_MAX);
  if (!c.has('pages') && !c.has('page')) c.expect('pages', `ipa+${count}`);
  if (!isRange) return { kind: 'page', offset: count };
  if (count === 0) c.refuse(`tlbi ${kind}: a range has one page at least`, at);
  return { kind: 'pages', count };
}

function ttl(c: Cursor): Ttl {
  const word = c.oneOf('ttl', ['0', '1', '2', '3', 'level', 'gathered']);
  return word === 'level' || word === 'gathered' ? word : (Number(word) as Ttl);
}

/** Everything behind `tlbi`, or within the brackets of `__tlbi()` and `__tlbi_level()`. */
export function tlbi(c: Cursor, step: string): Action {
  return bracketed(c, step, () => {
    const at = c.word;
    const kind = TLBI_KINDS.find((known) => known === c.word.text);
    if (kind === undefined) {
      const kinds = TLBI_KINDS.join(', ');
      if (c.atEnd) return c.refuse(`tlbi needs an operation: ${kinds}`);
      return c.refuse(`there is no TLBI ${c.shown()} here: there are ${kinds}`);
    }
    c.take();
    const scope = scopeOf(kind);
    const isAddressed = scope === 'address' || scope === 'range';
    let found: Address | null = null;
    let hint: Ttl | null = null;
    let vmid: 'other' | null = null;
    while (c.has(',') || (!c.atEnd && c.word.text !== ')')) {
      const here = c.word;
      if (c.has('ttl')) {
        if (hint !== null) c.refuse(`tlbi ${kind} has its ttl`, here);
        c.expect('=', 'ttl=N');
        hint = ttl(c);
        if (!isAddressed) c.refuse(`tlbi ${kind} takes no ttl: it takes no address`, here);
      } else if (c.has('vmid')) {
        if (vmid !== null) c.refuse(`tlbi ${kind} has its vmid`, here);
        c.expect('=', 'vmid=other');
        vmid = c.oneOf('vmid', ['other'] as const);
        if (scope === 'all') c.refuse(`tlbi ${kind} acts on every VMID: it takes none`, here);
      } else if (!isAddressed) {
        c.refuse(`tlbi ${kind} takes no address; "${here.text}" is one operand too many`);
      } else if (found === null) {
        found = address(c, kind);
      } else if (step === '__tlbi_level' && hint === null) {
        hint = ttl(c);
      } else {
        c.refuse(`tlbi ${kind} has its operands; "${here.text}" is one too many`);
      }
    }
    if (isAddressed && found === null) {
      const right = scope === 'range' ? 'range or ipa+N pages' : 'ipa';
      c.refuse(`tlbi ${kind} needs an address: write tlbi ${kind}, ${right}`, at);
    }
    return { op: 'tlbi', kind, address: found, ttl: hint, vmid };
  });
}
