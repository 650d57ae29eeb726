/** The automaton of a stage-2 entry: that of protocols, and beside it what all threads did. */
import type { Descriptor } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { EntryState, type StoreFinding } from '../../checker/entry-state.ts';
import { advance, type Obligation } from '../../checker/obligation.ts';
import type { Place } from '../../checker/place.ts';
import type { TraceEvent } from '../../port/trace.ts';
import type { Automaton, FlushEvent } from './automaton.ts';

export class Stage2State implements Automaton {
  readonly #place: Place;
  readonly #state: EntryState;
  #wide: Obligation | null = null;
  #remark: string | null = null;

  constructor(place: Place) {
    this.#place = place;
    this.#state = new EntryState(place);
  }

  get current(): Descriptor {
    return this.#state.current;
  }

  get olds(): readonly Descriptor[] {
    return this.#state.must?.olds ?? [];
  }

  get isClean(): boolean {
    return this.#state.must === null;
  }

  get isCleanByOthers(): boolean {
    return this.#wide === null;
  }

  get isWaiting(): boolean {
    const { must } = this.#state;
    return must?.progress === 'ordered' && (this.#wide?.progress ?? 'ordered') === 'ordered';
  }

  missing(): string {
    return this.#state.missing();
  }

  remark(): string | null {
    return this.#remark;
  }

  advance(event: FlushEvent, index: number, own: boolean): void {
    if (event.op === 'el2') return;
    const plain = this.#asJudged(event);
    if (this.#wide !== null) this.#wide = advance(this.#place, this.#wide, plain, index);
    if (own && this.#state.must !== null) this.#state.advance(plain, index);
  }

  /** Of the VMIDs that a TLBI may act on, the one that does not fit is the one to judge by. */
  #asJudged(event: Exclude<FlushEvent, { op: 'el2' }>): TraceEvent {
    if (event.op === 'dsb') return event;
    const { tlbi, older } = event;
    const { vmid } = this.#place;
    if (older.length === 0) return { op: 'tlbi', tlbi };
    const stray = [tlbi.vmid ?? vmid, ...older].find((acting) => acting !== vmid) ?? vmid;
    // Of the last one written the sentence of the TLBI itself tells.
    if (stray !== vmid && stray !== tlbi.vmid)
      this.#remark =
        `VTTBR_EL2 was written for VMID ${tlbi.vmid ?? vmid} without an ISB before the TLBI, so it ` +
        `may act on VMID ${stray}`;
    return { op: 'tlbi', tlbi: { ...tlbi, vmid: stray } };
  }

  store(value: Descriptor, index: number, bbm: BbmLevel): StoreFinding | null {
    const before = this.#state.must;
    const finding = this.#state.store(value, index, bbm);
    // A new duty begins for everybody.
    if (this.#state.must !== before) this.#wide = this.#state.must;
    return finding;
  }
}
