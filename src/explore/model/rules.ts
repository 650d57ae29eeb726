/**
 * The model's ordering rules: what each step of a thread must come after, and what it leaves
 * behind.
 *
 * A *view* is a lower bound on a position in the global order. The same rules run over two kinds of
 * view: positions (joined by `max`) when a thread is checked against one global order, and sets of
 * the thread's own events (joined by union) when its unavoidable order is worked out beforehand.
 * The rule beside each name is the one of the Arm memory model (DDI 0487 B2.3, "…-ordered-before").
 *
 * Left out: tags, instruction fetch.
 */
import { ALL_ARCHITECTURES, type Architecture, type ModelOptions } from './options.ts';
import type { BarrierKind, Dependency, Reads, ReadNode, RmwNode, WriteNode } from './program.ts';

export type Join = (a: number, b: number) => number;

/**
 * Slots of a thread's state, one machine word each; the arrays behind them follow in this order.
 */
export const VRD = 0; // latest explicit read
export const VWR = 1; // latest explicit write
export const VDMB = 2; // DMB SY, DMB LD: orders later explicit accesses and faults
export const VDMBST = 3; // DMB ST: orders later writes and faults
export const VDSB = 4; // DSB: orders everything later but walks (ETS2: walks too)
export const VCSE = 5; // context synchronisation: orders everything later
export const VSPEC = 6; // control, address-then-program-order and walk dependencies
export const VCTRL = 7; // control dependencies alone
export const VACQ = 8; // load-acquire
export const VREL = 9; // store-release
export const VTLBI = 10; // own TLBIs, at every receiver
export const VHU = 11; // own walkers' updates of descriptors
// The same with pick dependencies: they order writes only, but through whatever comes between
// (pick-lob), so they are carried along beside the views they start from.
export const PRD = 12;
export const PDMB = 13;
export const PDSB = 14;
export const PCSE = 15;
export const PACQ = 16;
/** Not a view: DSBs for loads and stores so far. */
export const EPOCH = 17;
const VIEWS = 18;

export interface Layout {
  /** Per location: index of the write last read or written, in coherence order. */
  readonly cohIndex: number;
  /** Per location: what a later own write must come after (local memory write successor). */
  readonly cohView: number;
  /** Per location: own latest write, 0 for none, and its address and data dependencies. */
  readonly fwdIndex: number;
  readonly fwdView: number;
  readonly fwdPick: number;
  /** Per location: view of the read of the atomic access that was the own latest write, else 0. */
  readonly fwdRmw: number;
  /** Per read of the path: its view, and that with pick dependencies. */
  readonly readView: number;
  readonly readPick: number;
  /** The exclusive monitor: location and write of the last load-exclusive. Not views. */
  readonly monitor: number;
  /** Per page offset: latest translation. */
  readonly tcoh: number;
  readonly size: number;
}

export function layoutOf(locations: number, reads: number, offsets: number): Layout {
  const cohIndex = VIEWS;
  const cohView = cohIndex + locations;
  const fwdIndex = cohView + locations;
  const fwdView = fwdIndex + locations;
  const fwdPick = fwdView + locations;
  const fwdRmw = fwdPick + locations;
  const readView = fwdRmw + locations;
  const readPick = readView + reads;
  const tcoh = readPick + reads;
  const monitor = tcoh + offsets;
  return {
    cohIndex,
    cohView,
    fwdIndex,
    fwdView,
    fwdPick,
    fwdRmw,
    readView,
    readPick,
    tcoh,
    monitor,
    size: monitor + 2,
  };
}

/** State of one thread at one node. */
export type Frame = Int32Array;

/** Reads a slot; every index is within the frame by construction of the layout. */
function at(s: Frame, slot: number): number {
  return s[slot] as number;
}

/**
 * Where some step of a search comes later under one architecture than under the one before it. Two
 * that no step told apart have the same executions: their searches are the same, step by step.
 */
export class ToldApart {
  /** FEAT_ETS2 from the base architecture, and FEAT_ETS3 from FEAT_ETS2. */
  ets2 = false;
  ets3 = false;

  add({ ets2, ets3 }: ToldApart): void {
    this.ets2 ||= ets2;
    this.ets3 ||= ets3;
  }

  areSame(a: Architecture, b: Architecture): boolean {
    const [one, other] = [rankOf(a), rankOf(b)];
    const added = ALL_ARCHITECTURES.slice(Math.min(one, other) + 1, Math.max(one, other) + 1);
    return !added.some((arch) => arch !== 'base' && this[arch]);
  }
}

/** Each has what those before it have. */
const rankOf = (arch: Architecture): number => ALL_ARCHITECTURES.indexOf(arch);

export class Rules {
  readonly options: ModelOptions;
  readonly layout: Layout;
  readonly join: Join;
  readonly #toldApart: ToldApart;
  readonly #hasEts2: boolean;
  readonly #hasEts3: boolean;

  constructor(options: ModelOptions, layout: Layout, join: Join, toldApart = new ToldApart()) {
    this.options = options;
    this.layout = layout;
    this.join = join;
    this.#toldApart = toldApart;
    this.#hasEts2 = rankOf(options.arch) >= rankOf('ets2');
    this.#hasEts3 = rankOf(options.arch) >= rankOf('ets3');
  }

  basicView(s: Frame, dependency: Dependency): number {
    return this.#viewOf(s, dependency.basic, this.layout.readView);
  }

  pickView(s: Frame, dependency: Dependency): number {
    return this.#viewOf(s, dependency.pick, this.layout.readPick);
  }

  #viewOf(s: Frame, reads: Reads, base: number): number {
    let view = 0;
    for (let rest = reads; rest !== 0; rest &= rest - 1) {
      view = this.join(view, at(s, base + 31 - Math.clz32(rest & -rest)));
    }
    return view;
  }

  /**
   * A walk starts after context synchronisation and its address; with ETS2 also after an earlier
   * DSB (DSB-ob).
   */
  walkFloor(s: Frame, address: Dependency): number {
    let start = this.join(at(s, VCSE), this.basicView(s, address));
    start = this.#withEts2(start, this.join(start, at(s, VDSB)));
    if (this.options.tlb || this.options.memory === 'arm') return start;
    // Without a TLB a walk is one more read of the simpler memory.
    start = this.join(start, at(s, VRD));
    return this.options.memory === 'sc' ? this.join(start, at(s, VWR)) : start;
  }

  /**
   * ets-ob: the walk read behind a fault comes after every earlier explicit access; with ETS2 behind
   * a Translation or Access-flag fault, which no TLB entry gives, with ETS3 behind any.
   */
  faultWalkFloor(s: Frame, address: Dependency, isCacheable: boolean): number {
    const start = this.walkFloor(s, address);
    const later = this.join(start, this.join(at(s, VRD), at(s, VWR)));
    return isCacheable ? this.#withEts3(start, later) : this.#withEts2(start, later);
  }

  #withEts2(start: number, later: number): number {
    if (later !== start) this.#toldApart.ets2 = true;
    return this.#hasEts2 ? later : start;
  }

  #withEts3(start: number, later: number): number {
    if (later !== start) this.#toldApart.ets3 = true;
    return this.#hasEts3 ? later : start;
  }

  /**
   * The fault itself: bob, DSB-ob and IFB-ob reach it; dependencies and a store's release do not.
   */
  faultFloor(s: Frame): number {
    const barriers = this.join(this.join(at(s, VDMB), at(s, VDMBST)), at(s, VDSB));
    return this.join(barriers, this.join(at(s, VCSE), at(s, VACQ)));
  }

  /** addr, bob (DMB, acquire, release then acquire), DSB-ob, IFB-ob. */
  readFloor(s: Frame, node: ReadNode | RmwNode): number {
    let floor = this.join(this.basicView(s, node.address), at(s, VDMB));
    floor = this.join(floor, this.join(at(s, VDSB), at(s, VCSE)));
    floor = this.join(floor, at(s, VACQ));
    if (node.order === 'acquire') floor = this.join(floor, at(s, VREL));
    if (this.options.memory !== 'arm') floor = this.join(floor, at(s, VRD));
    if (this.options.memory === 'sc') floor = this.join(floor, at(s, VWR));
    return floor;
  }

  /**
   * addr, data, ctrl, addr;po, walk;po (dob and pob), bob, DSB-ob, IFB-ob, local write successor.
   */
  writeFloor(s: Frame, node: WriteNode | RmwNode, location: number): number {
    let floor = this.join(this.pickView(s, node.address), this.pickView(s, node.data));
    floor = this.join(floor, this.join(at(s, VSPEC), at(s, VDMB)));
    floor = this.join(floor, this.join(at(s, VDMBST), at(s, VDSB)));
    floor = this.join(floor, this.join(at(s, VCSE), at(s, VACQ)));
    floor = this.join(floor, at(s, this.layout.cohView + location));
    floor = this.join(floor, at(s, this.layout.cohIndex + location));
    if (node.release || this.options.memory !== 'arm') {
      floor = this.join(floor, this.join(at(s, PRD), at(s, VWR)));
    }
    return this.join(floor, this.#picked(s));
  }

  /** What pick dependencies demand of everything behind the barriers so far that leads to a write. */
  #picked(s: Frame): number {
    const barriers = this.join(at(s, PDMB), at(s, PDSB));
    return this.join(barriers, this.join(at(s, PCSE), at(s, PACQ)));
  }

  /** ctrl, addr, DSB-ob, IFB-ob. A DMB or an acquire does not order a TLBI. */
  tlbiFloor(s: Frame, address: Dependency): number {
    const context = this.join(this.join(at(s, VDSB), at(s, VCSE)), at(s, VCTRL));
    return this.join(context, this.pickView(s, address));
  }

  /**
   * An access went ahead under a translation of view `walk`: later writes and ISBs are ordered
   * after both.
   */
  speculated(s: Frame, address: Dependency, walk: number): void {
    s[VSPEC] = this.join(at(s, VSPEC), this.join(this.pickView(s, address), walk));
  }

  /** A walk read table entry `entry`; an own later write of that entry comes after it (lmws). */
  walked(s: Frame, entry: number, view: number): void {
    const coh = this.layout.cohView + entry;
    s[coh] = this.join(at(s, coh), view);
  }

  /**
   * The update a walk of view `walk` makes: after that walk (aob), ctrl, addr, addr;po, walk;po (dob
   * and pob), and with the walk after context synchronisation (IFB-ob) and, with ETS2, DSB. Not
   * after DMB, acquire or release: bob knows explicit accesses and faults only. What the access
   * itself does is not ordered with it either.
   */
  updateFloor(s: Frame, address: Dependency, walk: number): number {
    return this.join(this.join(walk, at(s, VSPEC)), this.pickView(s, address));
  }

  /** A walker's update took its place `index`: a DSB for loads and stores waits for it (DSB-ob). */
  didUpdate(s: Frame, index: number): void {
    s[VHU] = this.join(at(s, VHU), index);
  }

  /**
   * It translated an access at page offset `offset`: later translations there are coherent with it.
   */
  translated(s: Frame, offset: number, view: number): void {
    const tcoh = this.layout.tcoh + offset;
    s[tcoh] = this.join(at(s, tcoh), view);
  }

  /**
   * A read is satisfied, from view `view` on; `forwarded` is what an own store's pick dependencies
   * add.
   */
  didRead(s: Frame, node: ReadNode | RmwNode, view: number, forwarded: number): void {
    const { readView, readPick } = this.layout;
    s[readView + node.read] = view;
    const picked = this.join(this.join(this.pickView(s, node.address), forwarded), this.#picked(s));
    const pick = this.join(view, picked);
    s[readPick + node.read] = pick;
    if (node.kind === 'read' || node.returns) {
      s[VRD] = this.join(at(s, VRD), view);
      s[PRD] = this.join(at(s, PRD), pick);
    }
    if (node.order !== 'plain') {
      s[VACQ] = this.join(at(s, VACQ), view);
      s[PACQ] = this.join(at(s, PACQ), pick);
    }
  }

  /** It was a read of `location` and saw the write at `index`. */
  coherent(s: Frame, location: number, index: number, view: number): void {
    const { cohIndex, cohView } = this.layout;
    s[cohIndex + location] = index;
    s[cohView + location] = this.join(at(s, cohView + location), view);
  }

  /** A write of `location` took its place `index`. */
  didWrite(s: Frame, node: WriteNode | RmwNode, location: number, index: number): void {
    const { cohIndex, cohView, fwdIndex, fwdView, fwdPick, fwdRmw } = this.layout;
    s[VWR] = this.join(at(s, VWR), index);
    if (node.release) s[VREL] = this.join(at(s, VREL), index);
    s[cohIndex + location] = index;
    s[cohView + location] = this.join(at(s, cohView + location), index);
    s[fwdIndex + location] = index;
    const exclusive = node.kind === 'write' ? node.exclusive : undefined;
    s[fwdRmw + location] = exclusive === undefined ? 0 : at(s, this.layout.readView + exclusive);
    s[fwdView + location] = this.join(
      this.basicView(s, node.address),
      this.basicView(s, node.data),
    );
    s[fwdPick + location] = this.join(this.pickView(s, node.address), this.pickView(s, node.data));
  }

  /**
   * An atomic access that read at view `read` took its place `index`. With acquire and release it
   * orders everything later after its write (bob); a load-acquire of what it wrote comes after its
   * read (aob). TSO has no other kind.
   */
  didRmw(s: Frame, node: RmwNode, location: number, read: number, index: number): void {
    this.didWrite(s, node, location, index);
    s[this.layout.fwdRmw + location] = read;
    const full = (node.order === 'acquire' && node.release) || this.options.memory !== 'arm';
    if (full) s[VDMB] = this.join(at(s, VDMB), index);
  }

  /** One delivery of an own TLBI. */
  didTlbi(s: Frame, index: number, isAwaited = false): void {
    s[VTLBI] = this.join(at(s, VTLBI), index);
    if (isAwaited) s[VDSB] = this.join(at(s, VDSB), index);
  }

  branch(s: Frame, condition: Dependency): void {
    const view = this.pickView(s, condition);
    s[VCTRL] = this.join(at(s, VCTRL), view);
    s[VSPEC] = this.join(at(s, VSPEC), view);
  }

  dmb(s: Frame, covers: BarrierKind): void {
    if (covers === 'store') {
      s[VDMBST] = this.join(at(s, VDMBST), at(s, VWR));
      return;
    }
    s[VDMB] = this.join(at(s, VDMB), at(s, VRD));
    s[PDMB] = this.join(at(s, PDMB), at(s, PRD));
    if (covers === 'full') s[VDMB] = this.join(at(s, VDMB), at(s, VWR));
  }

  /** Only a DSB for loads and stores completes TLBIs (R_PSMWS). */
  dsb(s: Frame, covers: BarrierKind): void {
    let view = at(s, VDSB);
    if (covers !== 'store') {
      view = this.join(view, at(s, VRD));
      s[PDSB] = this.join(at(s, PDSB), at(s, PRD));
    }
    if (covers !== 'load') view = this.join(view, at(s, VWR));
    if (covers === 'full') {
      s[EPOCH] = at(s, EPOCH) + 1;
      if (this.options.dsbWaitsForTlbi) view = this.join(view, at(s, VTLBI));
      if (this.options.dsbWaitsForUpdates) view = this.join(view, at(s, VHU));
    }
    s[VDSB] = view;
  }

  isb(s: Frame): void {
    if (this.options.isb) this.synchronise(s);
  }

  /**
   * IFB-ob: control, address and walk dependencies and earlier DSBs come before everything after
   * it.
   */
  synchronise(s: Frame): void {
    s[VCSE] = this.join(at(s, VCSE), this.join(at(s, VSPEC), at(s, VDSB)));
    s[PCSE] = this.join(at(s, PCSE), this.join(at(s, VSPEC), at(s, PDSB)));
  }
}
