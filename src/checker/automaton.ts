/**
 * The per-entry break-before-make automaton over one transition: casemate's (v3.0.2,
 * src/lib/src/model.c: VALID, INVALID_UNCLEAN, INVALID) extended with FEAT_BBM, which casemate
 * does not model.
 *
 * Two things are followed: what the entry holds, and which old translations may still be cached
 * (`must`: they have to go before anything depends on it; `should`: R_GPPYH asks for it, but
 * nothing wrong can be seen). store-rule.ts judges a store, obligation.ts barriers and TLBIs,
 * publication.ts contents, end-of-transition.ts where it arrived.
 *
 * Left out: locks, and what child entries hold, as a trace does not say where they lie. A store to
 * an entry of the old table while it may still be walked is found only where the transition makes
 * no table of its own.
 */
import { assertNever } from '../arch/assert.ts';
import { type Descriptor, hasNt, isValid, typeOf } from '../arch/descriptor.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { TraceEvent, TransitionTrace } from '../port/trace.ts';
import type { AutomatonFinding, AutomatonVerdict, FindingCode } from './automaton-verdict.ts';
import { geometryOfTrace } from './coverage.ts';
import { judgeEnd } from './end-of-transition.ts';
import { missingStep } from './missing-step.ts';
import { advance, newObligation, type Obligation } from './obligation.ts';
import { type Contents, contentsAfter, NO_CONTENTS } from './publication.ts';
import { judgeStore, ruleOf, sameMapping, type StoreVerdict } from './store-rule.ts';
import { storeSentence } from './store-sentence.ts';

type WriteEvent = Extract<TraceEvent, { readonly op: 'write' }>;
type FreeEvent = Extract<TraceEvent, { readonly op: 'free' }>;

/**
 * Judges what one transition did, at the sanitised BBM level it was given. `truncated`: the trace
 * is only its first part, so nothing can be said about where it arrived or what it left unclean.
 */
export function judgeTrace(
  trace: TransitionTrace,
  bbm: BbmLevel,
  truncated = false,
): AutomatonVerdict {
  return new Automaton(trace, bbm).judge(truncated);
}

class Automaton {
  readonly #trace: TransitionTrace;
  readonly #bbm: BbmLevel;
  readonly #makesTables: boolean;
  readonly #violations: AutomatonFinding[] = [];
  readonly #notes = new Set<string>();
  #windowed = false;
  #ntWindowed = false;

  #current: Descriptor;
  #lastValid: Descriptor;
  #must: Obligation | null = null;
  #should: Obligation | null = null;
  #shouldWhy = '';
  /** A missing step that a store was already blamed for; the end need not repeat it. */
  #told = '';

  #contents: Contents = NO_CONTENTS;
  #lastTlbi: number | null = null;
  #lastStore: number | null = null;
  #storesOrdered = true;
  /** Another agent changed the entry: a vCPU under a shared lock, or the hardware walker. */
  #overtaken = false;

  constructor(trace: TransitionTrace, bbm: BbmLevel) {
    this.#trace = trace;
    this.#bbm = bbm;
    this.#current = trace.old;
    this.#lastValid = trace.old;
    this.#makesTables = trace.events.some((e) => e.op === 'allocate' || e.op === 'build');
  }

  judge(truncated: boolean): AutomatonVerdict {
    for (const [index, event] of this.#trace.events.entries()) {
      this.#step(event, index);
      this.#contents = contentsAfter(this.#contents, event, index);
    }
    if (!truncated) this.#end();
    return {
      violations: this.#violations,
      notes: [...this.#notes],
      windowed: this.#windowed,
      ntWindowed: this.#ntWindowed,
    };
  }

  #step(event: TraceEvent, index: number): void {
    switch (event.op) {
      case 'write':
        if (event.entry === 'target') this.#store(event, index);
        else this.#storeChild(index);
        return;
      case 'read':
        if (event.entry === 'target') this.#observe(event.value);
        return;
      case 'dsb':
        if (event.kind === 'ish' || event.kind === 'ishst') this.#storesOrdered = true;
        this.#advance(event, index);
        return;
      case 'tlbi':
        this.#advance(event, index);
        this.#lastTlbi = index;
        return;
      case 'free':
        this.#free(event, index);
        return;
      case 'build':
      case 'allocate':
      case 'cmo':
      case 'isb':
      case 'get':
      case 'put':
        return;
      default:
        return assertNever(event);
    }
  }

  #advance(event: TraceEvent, index: number): void {
    if (this.#must !== null) this.#must = advance(this.#trace, this.#must, event, index);
    if (this.#should !== null) this.#should = advance(this.#trace, this.#should, event, index);
  }

  #violate(code: FindingCode, why: string, event: number | null): void {
    const rule = code.startsWith('freed') ? 'freed-table' : 'break-before-make';
    this.#violations.push({ rule, code, why, event });
  }

  #observe(value: Descriptor): void {
    if (value === this.#current) return;
    this.#overtaken = true;
    this.#current = value;
    if (isValid(value)) this.#lastValid = value;
  }

  #store(event: WriteEvent, index: number): void {
    if (isValid(event.value)) {
      this.#storeValid(event, index);
    } else {
      this.#windowed = true;
      // Invalid over invalid changes nothing: no TLB can hold it (I_WZCBG).
      if (isValid(this.#current)) this.#mustFlush(this.#current, index);
    }
    this.#current = event.value;
    this.#lastStore = index;
    this.#storesOrdered = false;
  }

  #storeValid(event: WriteEvent, index: number): void {
    const { level } = this.#trace;
    const after = event.value;
    const broken = !isValid(this.#current);
    const before = broken ? this.#lastValid : this.#current;
    const unclean = this.#unclean(after);
    const geometry = geometryOfTrace(this.#trace);
    const bbm = this.#bbm;
    const verdict = judgeStore({ geometry, level, bbm, before, after, broken, unclean });
    if (verdict.violation !== null) {
      const step = this.#must === null ? '' : missingStep(this.#trace, this.#must);
      const { violation: code, change } = verdict;
      this.#violate(code, storeSentence({ code, change, bbm, level, after, step }), index);
      this.#told = step;
    }
    this.#follow(verdict, before, index);
    this.#publish(event, before, index);
    this.#lastValid = after;
    if (hasNt(after, level)) this.#ntWindowed = true;
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
    return newObligation(this.#trace, olds, index, this.#lastTlbi);
  }

  /** Of the descriptors that may still be cached, does every one map what `after` maps? */
  #unclean(after: Descriptor): 'no' | 'same' | 'other' {
    if (this.#must === null) return 'no';
    if (!isValid(after)) return 'other';
    const g = geometryOfTrace(this.#trace);
    const { level } = this.#trace;
    const same = (old: Descriptor): boolean =>
      sameMapping(old, after) || ruleOf(g, level, old, after) === 'direct';
    return this.#must.olds.every(same) ? 'same' : 'other';
  }

  #isOldTable(d: Descriptor): boolean {
    return typeOf(d, this.#trace.level) === 'table' && sameMapping(d, this.#trace.old);
  }

  /** Casemate: "Wrote on a page with an unclean parent". */
  #storeChild(index: number): void {
    const must = this.#must;
    if (must === null || this.#makesTables) return;
    if (!must.olds.some((old) => this.#isOldTable(old))) return;
    const why = 'an entry of the old table was written while walkers may still use the table';
    this.#violate('child-of-unclean', `${why}: ${missingStep(this.#trace, must)}`, index);
  }

  #publish(event: WriteEvent, before: Descriptor, index: number): void {
    if (event.order !== 'plain') return;
    if (typeOf(event.value, this.#trace.level) !== 'table') {
      // A block over the same block (nT set or cleared) shows nothing new.
      if (this.#contents.memoryOrdered || typeOf(before, this.#trace.level) === 'block') return;
      this.#notes.add(
        'block stored with a plain store, and no barrier orders the memory it shows before it',
      );
      return;
    }
    const fill = this.#contents.unorderedFill;
    if (fill === null) return;
    const why =
      `table published before its contents are ordered: filled until event ${fill}, then linked ` +
      'by a plain store, with neither store-release nor DSB in between';
    this.#violate('published-unordered', why, index);
  }

  #free(event: FreeEvent, index: number): void {
    if (!event.ofOld) return;
    // One teardown frees many pages; the first tells all.
    if (this.#violations.some((v) => v.rule === 'freed-table')) return;
    const grace = ' (after a grace period, but hardware walkers are not RCU readers)';
    const what = `old table freed${event.when === 'grace' ? grace : ''}`;
    if (this.#isOldTable(this.#current)) {
      this.#violate('freed-linked', `${what} while the entry still points to it`, index);
      return;
    }
    if (this.#must === null) return;
    const step = missingStep(this.#trace, this.#must);
    this.#violate('freed-unclean', `${what} while walkers may still use it: ${step}`, index);
  }

  #end(): void {
    if (this.#lastStore === null && this.#overtaken) {
      this.#notes.add('gave way: another agent had changed the entry, which was left as found');
      return;
    }
    const end = judgeEnd(this.#trace, this.#current, this.#lastStore !== null);
    if (end !== null) this.#violate(end.code, end.why, this.#lastStore);
    this.#endUnclean();
    if (this.#should !== null) this.#noteShould(this.#should);
    if (!this.#storesOrdered) this.#notes.add('no DSB after the last store to the entry');
  }

  #endUnclean(): void {
    if (this.#must === null || this.#unclean(this.#current) === 'same') return;
    const step = missingStep(this.#trace, this.#must);
    if (step === this.#told) return;
    const { level } = this.#trace;
    const olds = [...new Set(this.#must.olds.map((old) => typeOf(old, level)))].join(' and ');
    const why = `left unclean, translations of the old ${olds} may survive: ${step}`;
    this.#violate('left-unclean', why, this.#must.storedAt);
  }

  #noteShould(should: Obligation): void {
    const step = missingStep(this.#trace, should);
    const missing =
      this.#shouldWhy === 'nT cleared'
        ? 'second TLBI after clearing nT missing; what lingers is slow, not wrong'
        : this.#shouldWhy === 'permissions'
          ? 'permissions changed, but the TLBI that makes it visible is missing'
          : 'second TLBI after replacing the nT block missing; a level-1 PE does not cache it';
    this.#notes.add(`${missing} (R_GPPYH): ${step}`);
  }
}
