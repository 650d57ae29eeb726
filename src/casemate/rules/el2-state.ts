/**
 * The break-before-make automaton of an entry of EL2's stage-1 tree: like that of a stage-2 entry
 * (checker/entry-state.ts), but one TLBI takes leaves and walk caches at once, and there is no
 * second stage to flush: store, DSB ISH, TLBI VAE2IS / VALE2IS / ALLE2IS, DSB ISH (R_DDMVT).
 */
import { type Descriptor, typeOf } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { isBroadcast } from '../../arch/tlbi.ts';
import {
  allRemoved,
  classesOf,
  type EntryClass,
  isLeafRemoved,
  remove,
} from '../../checker/coverage.ts';
import type { StoreFinding } from '../../checker/entry-state.ts';
import { type Place, translates } from '../../checker/place.ts';
import { judgeStore, ruleOf, sameMapping } from '../../checker/store-rule.ts';
import { storeSentence } from '../../checker/store-sentence.ts';
import type { Leaf } from '../tables/forest.ts';
import type { Agent, Beside, Automaton, El2Tlbi, FlushEvent } from './automaton.ts';
import { Everybody } from './everybody.ts';

/** Why a barrier or TLBI did not help. */
interface Mishap {
  readonly of: 'dsb' | 'tlbi';
  readonly text: string;
}

interface Obligation {
  readonly olds: readonly Descriptor[];
  readonly storedAt: number;
  readonly progress: 'stored' | 'ordered' | 'flushed';
  readonly classes: readonly EntryClass[];
  readonly mishap: Mishap | null;
}

export class El2State implements Automaton {
  readonly vmid = null;
  readonly place: Place;
  #current: Descriptor;
  #lastValid: Descriptor;
  #must: Obligation | null = null;
  readonly #wide: Everybody<Obligation>;

  constructor(place: Place) {
    this.place = place;
    this.#current = place.old;
    this.#lastValid = place.old;
    this.#wide = new Everybody((o, event, index) => after(place, o, event, index));
  }

  get current(): Descriptor {
    return this.#current;
  }

  get olds(): readonly Descriptor[] {
    return this.#must?.olds ?? [];
  }

  get isClean(): boolean {
    return this.#must === null;
  }

  get isCleanByOthers(): boolean {
    return this.#wide.now === null;
  }

  get isWaiting(): boolean {
    const wide = this.#wide.now?.progress ?? 'ordered';
    return this.#must?.progress === 'ordered' && wide === 'ordered';
  }

  mayHold(leaf: Leaf): boolean {
    const isThere = translates(this.#current, this.place.level, true);
    return isThere || this.#must === null || !isLeafRemoved(this.#must.classes, leaf);
  }

  get isOrdered(): boolean {
    return this.#must?.progress !== 'stored';
  }

  renumber(): void {}

  missing(): string {
    const o = this.#must;
    if (o === null) return '';
    if (o.mishap !== null) return o.mishap.text;
    if (o.progress === 'flushed')
      return 'the TLBI was not followed by a DSB ISH: other PEs may still be at it (R_YNJCP)';
    return `no TLBI came between the store of event ${o.storedAt + 1} and this`;
  }

  remark(): null {
    return null;
  }

  advance(event: FlushEvent, index: number, by: Agent, own: boolean): void {
    if (own && this.#must !== null) this.#must = after(this.place, this.#must, event, index);
    this.#wide.advance(event, index, by);
  }

  store(value: Descriptor, index: number, bbm: BbmLevel, beside: Beside): StoreFinding | null {
    const { level, geometry } = this.place;
    const wasValid = translates(this.#current, level, true);
    if (!translates(value, level, true)) {
      if (wasValid) this.#oblige(this.#current, index);
      this.#current = value;
      return null;
    }
    const before = wasValid ? this.#current : this.#lastValid;
    const unclean = this.#unclean(value);
    const verdict = judgeStore({
      geometry,
      level,
      bbm,
      before,
      after: value,
      broken: !wasValid,
      unclean,
      besideSize: this.#besideSize(before, value, beside),
    });
    const step = this.missing();
    if (verdict.consequence === 'must-flush') this.#oblige(before, index);
    this.#current = value;
    this.#lastValid = value;
    if (verdict.violation === null) return null;
    const { violation: code, change } = verdict;
    return { code, why: storeSentence({ code, change, bbm, level, after: value, step }) };
  }

  /** What a store of another size over what may still be cached changes beside the size. */
  #besideSize(before: Descriptor, value: Descriptor, beside: Beside): readonly string[] {
    const { level } = this.place;
    const cached = [...(this.#must?.olds ?? []), before];
    const blocks = cached.filter((d) => typeOf(d, level) === 'block');
    if (typeOf(value, level) === 'table') return blocks.flatMap(beside);
    const isOverTable = cached.some((d) => typeOf(d, level) === 'table');
    return typeOf(value, level) === 'block' && isOverTable ? beside(value) : [];
  }

  #unclean(value: Descriptor): 'no' | 'same' | 'other' {
    if (this.#must === null) return 'no';
    const { geometry, level } = this.place;
    const same = (old: Descriptor): boolean =>
      sameMapping(old, value) || ruleOf(geometry, level, old, value) === 'direct';
    return this.#must.olds.every(same) ? 'same' : 'other';
  }

  #oblige(old: Descriptor, storedAt: number): void {
    const olds = [...(this.#must?.olds ?? []), old];
    const classes = classesOf(this.place, olds);
    this.#must = { olds, storedAt, progress: 'stored', classes, mishap: null };
    this.#wide.begin(this.#must);
  }
}

function after(place: Place, o: Obligation, event: FlushEvent, index: number): Obligation | null {
  if (event.op === 'dsb') return afterDsb(o, event.kind, index);
  if (event.op === 'el2') return afterTlbi(place, o, event.tlbi, index);
  if (event.ofEl2 !== true) return o;
  const { kind } = event.tlbi;
  return afterTlbi(place, o, { name: kind, reach: null, broadcast: isBroadcast(kind) }, index);
}

function afterDsb(o: Obligation, kind: string, index: number): Obligation | null {
  const dsb = `DSB ${kind.toUpperCase()} (event ${index + 1})`;
  const mishap = (text: string): Obligation => ({ ...o, mishap: { of: 'dsb', text } });
  if (o.progress === 'ordered') return o;
  if (kind.startsWith('nsh'))
    return mishap(`${dsb} acts for the issuing PE only: an Inner Shareable DSB is missing`);
  // A TLBI that came too early still explains what is missing; a weak DSB no longer does.
  if (o.progress === 'stored')
    return { ...o, progress: 'ordered', mishap: o.mishap?.of === 'tlbi' ? o.mishap : null };
  if (kind === 'ish') return null;
  return mishap(
    `${dsb} does not complete a TLBI, which needs a DSB for loads and stores (R_PSMWS)`,
  );
}

function afterTlbi(place: Place, o: Obligation, op: El2Tlbi, index: number): Obligation {
  const tlbi = `TLBI ${op.name.toUpperCase()} (event ${index + 1})`;
  const mishap = (text: string): Obligation => ({
    ...o,
    mishap: { of: 'tlbi', text: `${tlbi} ${text}` },
  });
  if (o.progress === 'flushed') return o;
  if (o.progress === 'stored')
    return mishap(
      'was issued before a DSB ordered the store, so a walker could refill the old entry after it',
    );
  if (!op.broadcast)
    return mishap('is local to the issuing PE where a broadcast (IS) one is needed');
  const classes = op.reach === null ? [] : remove(place, o.classes, op.reach);
  if (allRemoved(place, classes)) return { ...o, classes, progress: 'flushed', mishap: null };
  return { ...mishap('does not reach all that the old entry left in TLBs'), classes };
}
