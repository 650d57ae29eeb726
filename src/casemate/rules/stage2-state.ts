/** The automaton of a stage-2 entry: that of protocols, and beside it what all threads did. */
import type { Descriptor } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { isLeafRemoved, isSettled } from '../../checker/coverage.ts';
import { EntryState, type StoreFinding } from '../../checker/entry-state.ts';
import { advance, type Obligation } from '../../checker/obligation.ts';
import { type Place, translates } from '../../checker/place.ts';
import type { TraceEvent } from '../../port/trace.ts';
import type { Leaf } from '../tables/forest.ts';
import type { Agent, Beside, Automaton, FlushEvent } from './automaton.ts';
import { Everybody } from './everybody.ts';

export class Stage2State implements Automaton {
  readonly #place: Place & { vmid: number };
  readonly #alsoUnder: readonly number[];
  readonly #state: EntryState;
  readonly #wide: Everybody<Obligation>;
  #remark: string | null = null;

  /** `alsoUnder`: VMIDs under which other CPUs have the tree. Which of them is meant is left open. */
  constructor(place: Place, alsoUnder: readonly number[]) {
    this.#place = { ...place };
    this.#alsoUnder = alsoUnder;
    this.#state = new EntryState(this.#place);
    this.#wide = new Everybody((o, event, index) =>
      event.op === 'el2' ? o : advance(this.#place, o, this.#asJudged(event), index),
    );
  }

  get vmid(): number {
    return this.#place.vmid;
  }

  renumber(vmid: number): void {
    this.#place.vmid = vmid;
  }

  get isOrdered(): boolean {
    return this.#state.must?.progress !== 'stored';
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
    return this.#wide.now === null;
  }

  get isWaiting(): boolean {
    const { must } = this.#state;
    return must !== null && waits(must) && (this.#wide.now === null || waits(this.#wide.now));
  }

  mayHold(leaf: Leaf): boolean {
    const { must, current } = this.#state;
    const isThere = translates(current, this.#place.level, true);
    return isThere || must === null || !isLeafRemoved(must.classes, leaf);
  }

  missing(): string {
    return this.#state.missing();
  }

  remark(): string | null {
    return this.#remark;
  }

  advance(event: FlushEvent, index: number, by: Agent, own: boolean): void {
    if (event.op === 'el2') return;
    this.#wide.advance(event, index, by);
    if (own && this.#state.must !== null) this.#state.advance(this.#asJudged(event), index);
  }

  /** Of the VMIDs that a TLBI may act on, the one that does not fit is the one to judge by. */
  #asJudged(event: Exclude<FlushEvent, { op: 'el2' }>): TraceEvent {
    if (event.op === 'dsb') return event;
    const { older } = event;
    const { vmid } = this.#place;
    const tlbi = this.#alsoUnder.includes(event.tlbi.vmid ?? vmid)
      ? { ...event.tlbi, vmid }
      : event.tlbi;
    if (older.length === 0) return { op: 'tlbi', tlbi };
    const stray = [tlbi.vmid ?? vmid, ...older].find((acting) => acting !== vmid) ?? vmid;
    // Of the last one written the sentence of the TLBI itself tells.
    if (stray !== vmid && stray !== tlbi.vmid)
      this.#remark =
        `VTTBR_EL2 was written for VMID ${tlbi.vmid ?? vmid} without an ISB before the TLBI, so it ` +
        `may act on VMID ${stray}`;
    return { op: 'tlbi', tlbi: { ...tlbi, vmid: stray } };
  }

  store(value: Descriptor, index: number, bbm: BbmLevel, beside: Beside): StoreFinding | null {
    const before = this.#state.must;
    const finding = this.#state.store(value, index, bbm, beside);
    if (this.#state.must !== before) this.#wide.begin(this.#state.must);
    return finding;
  }
}

/** Not for a DSB either: none of the TLBIs that took a part of it is still to be completed. */
function waits({ progress, classes }: Obligation): boolean {
  return progress === 'ordered' && isSettled(classes);
}
