/**
 * What one entry holds, and which old translations of it may still be cached: `must` have to go
 * before anything depends on it; `should` are asked for by R_GPPYH, but nothing wrong can be seen.
 *
 * The automaton keeps one for the target and one for every child entry that is stored to while
 * walkers can reach it.
 */
import { assertNever } from '../arch/assert.ts';
import { type Descriptor, hasNt, isValid, typeOf } from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { TraceEvent } from '../port/trace.ts';
import { changedBesideSize } from './leaf-difference.ts';
import { missingStep } from './missing-step.ts';
import { advance, newObligation, type Obligation } from './obligation.ts';
import { type Place, translates } from './place.ts';
import {
  judgeStore,
  ruleOf,
  sameMapping,
  type StoreCode,
  type StoreVerdict,
} from './store-rule.ts';
import { storeSentence } from './store-sentence.ts';

export interface StoreFinding {
  readonly code: StoreCode;
  readonly why: string;
}

export class EntryState {
  place: Place;
  /** It was seen not to translate, though it did before the transition. */
  windowed = false;
  ntWindowed = false;
  #current: Descriptor;
  #lastValid: Descriptor;
  #must: Obligation | null = null;
  #should: Obligation | null = null;
  #shouldWhy = '';
  /** The store whose missing flush a later store was blamed for: it need not be told again. */
  #toldOf: number | null = null;
  #lastTlbi: number | null = null;

  /** `lastTlbi`: index of the last TLBI before the state was begun, for sentences. */
  constructor(place: Place, lastTlbi: number | null = null) {
    this.place = place;
    this.#current = place.old;
    this.#lastValid = place.old;
    this.#lastTlbi = lastTlbi;
  }

  get current(): Descriptor {
    return this.#current;
  }

  get must(): Obligation | null {
    return this.#must;
  }

  get should(): Obligation | null {
    return this.#should;
  }

  get shouldWhy(): string {
    return this.#shouldWhy;
  }

  /** What is missing is still to be said. */
  get isUntold(): boolean {
    return this.#must !== null && this.#must.storedAt !== this.#toldOf;
  }

  /** What is missing before the old translations are gone; nothing if they are. */
  missing(): string {
    return this.#must === null ? '' : missingStep(this.place, this.#must);
  }

  /** Nothing is left below the table it holds, in any TLB: only the table itself may be cached. */
  emptied(): void {
    this.place = { ...this.place, oldLeaves: [] };
  }

  /** A barrier or a TLBI of the transition. */
  advance(event: TraceEvent, index: number): void {
    if (this.#must !== null) this.#must = advance(this.place, this.#must, event, index);
    if (this.#should !== null) this.#should = advance(this.place, this.#should, event, index);
    if (event.op === 'tlbi') this.#lastTlbi = index;
  }

  /** Another agent changed it: a vCPU under a shared lock, or the hardware walker. */
  overtake(value: Descriptor): void {
    this.#current = value;
    if (this.#isCached(value)) this.#lastValid = value;
  }

  /**
   * The store's effect, and what is wrong with it. `beside`: of a table that takes the place of a
   * block, what its leaves change beside the size; of a block, what the table's do whose place it
   * takes, where the place does not say what that maps.
   */
  store(
    after: Descriptor,
    index: number,
    bbm: BbmLevel,
    beside: (block: Descriptor) => readonly string[] = () => [],
  ): StoreFinding | null {
    if (this.#isCached(after)) return this.#storeValid(after, index, bbm, beside);
    if (!isValid(after) && this.#isCached(this.place.old)) this.windowed = true;
    // Invalid over invalid changes nothing: no TLB can hold it (I_WZCBG).
    if (this.#isCached(this.#current)) this.#mustFlush(this.#current, index);
    this.#current = after;
    return null;
  }

  /** May a TLB hold what a walk makes of it? */
  #isCached(d: Descriptor): boolean {
    return translates(d, this.place.level, this.place.hafdbs);
  }

  #storeValid(
    after: Descriptor,
    index: number,
    bbm: BbmLevel,
    beside: (block: Descriptor) => readonly string[],
  ): StoreFinding | null {
    const { geometry, level } = this.place;
    const broken = !this.#isCached(this.#current);
    const before = broken ? this.#lastValid : this.#current;
    const unclean = this.unclean(after);
    const besideSize = this.#besideSize(before, after, beside);
    const verdict = judgeStore({
      geometry,
      level,
      bbm,
      before,
      after,
      broken,
      unclean,
      besideSize,
    });
    const finding = this.#finding(verdict, after, bbm);
    this.#follow(verdict, before, index);
    this.#current = after;
    this.#lastValid = after;
    if (hasNt(after, level)) this.ntWindowed = true;
    return finding;
  }

  /**
   * Of a store of another size over what may still be cached: the attributes that change with the
   * size. A block is held against what the tables it replaces map.
   */
  #besideSize(
    before: Descriptor,
    after: Descriptor,
    beside: (block: Descriptor) => readonly string[],
  ): readonly string[] {
    const { geometry, level, maps } = this.place;
    const cached = [...(this.#must?.olds ?? []), before].filter((d) => this.#isCached(d));
    const to = typeOf(after, level);
    if (to === 'table') {
      const blocks = cached.filter((d) => typeOf(d, level) === 'block');
      return blocks.map(beside).find((names) => names.length > 0) ?? [];
    }
    const isOverTable = cached.some((d) => typeOf(d, level) === 'table');
    if (to !== 'block' || !isOverTable) return [];
    if (maps === null) return beside(after);
    return changedBesideSize(geometry, { d: after, level }, { d: maps, level });
  }

  #finding(verdict: StoreVerdict, after: Descriptor, bbm: BbmLevel): StoreFinding | null {
    const { violation: code, change } = verdict;
    if (code === null) return null;
    const step = this.missing();
    this.#toldOf = this.#must?.storedAt ?? null;
    return {
      code,
      why: storeSentence({ code, change, bbm, level: this.place.level, after, step }),
    };
  }

  #follow({ consequence, change }: StoreVerdict, before: Descriptor, index: number): void {
    switch (consequence) {
      case 'none':
      case 'keep':
        return;
      case 'must-flush':
        this.#mustFlush(before, index);
        return;
      case 'should-flush':
        this.#shouldWhy = change;
        this.#should = this.#oblige(this.#should, before, index);
        return;
      default:
        return assertNever(consequence);
    }
  }

  #mustFlush(old: Descriptor, index: number): void {
    this.#must = this.#oblige(this.#must, old, index);
  }

  /**
   * What was pending starts again: a TLBI under way for the older one need not reach the newer one.
   */
  #oblige(pending: Obligation | null, old: Descriptor, index: number): Obligation {
    const olds = [...(pending?.olds ?? []), old];
    return newObligation(this.place, olds, index, this.#lastTlbi);
  }

  /** Of the descriptors that may still be cached, does every one map what `after` maps? */
  unclean(after: Descriptor): 'no' | 'same' | 'other' {
    if (this.#must === null) return 'no';
    const { geometry, level } = this.place;
    if (!isValid(after)) return 'other';
    const same = (old: Descriptor): boolean =>
      sameMapping(old, after) || ruleOf(geometry, level, old, after) === 'direct';
    return this.#must.olds.every(same) ? 'same' : 'other';
  }
}
