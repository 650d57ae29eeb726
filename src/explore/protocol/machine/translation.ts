/**
 * Stage-2 translation of the region for the model: walks of one to three levels, the TLB structures
 * a TLBI may or may not reach (src/arch/tlbi.ts), FEAT_BBM and nT.
 *
 * The output address an access was given is not where the model performs it: every leaf an access
 * may use has a location of its own for that access, so the location tells which leaf it was. What
 * the guest's data is does not matter here, as a right translation leads to the same memory before
 * and after; a wrong one is found by its leaf.
 *
 * A TLB holds whatever it may hold, so the knobs `spec`, `walkcache` and the TLB's size (other than
 * 0) make no difference: a walk may begin at any time, and one under way keeps what it has read.
 */
import { assert } from '../../../arch/assert.ts';
import type { MultihitBehaviour, NtBehaviour } from '../../../arch/cpu-model.ts';
import {
  attributesOf,
  type Descriptor,
  hasNt,
  outputAddress,
  softwareBits,
  typeOf,
} from '../../../arch/descriptor.ts';
import type { BbmLevel } from '../../../arch/feat-bbm.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../../../arch/geometry.ts';
import {
  isBroadcast,
  mustInvalidate,
  type TlbEntryView,
  type TlbiOp,
  type TlbStructure,
} from '../../../arch/tlbi.ts';
import type {
  EntrySpan,
  HardwareUpdate,
  TranslationSystem,
  WalkPath,
  WalkResult,
} from '../../model/index.ts';
import type { AccessAnswers, AccessKind } from './guest.ts';
import { afterAccess, isForeign } from './hardware-update.ts';
import { INTERRUPT } from './reach.ts';
import {
  type MemoryMap,
  NEIGHBOUR_VMID,
  OLD_VERSION,
  REUSED,
  SWITCHED_WALK,
  UNFILLED,
} from './memory-map.ts';

export type FaultKind = 'translation' | 'nt' | 'access-flag' | 'permission' | 'conflict';

/** A leaf as accesses may use it. */
export type Leaf =
  /** With access flag and dirty state as the access leaves them. */
  /** `late`: a store through it took effect after the memory had been taken (kinds.ts). */
  | {
      readonly kind: 'leaf';
      readonly d: Descriptor;
      readonly level: Level;
      readonly late?: true;
    }
  /**
   * Read out of a table page after its reuse, or before it was filled. `updated`: and the walker
   * stored there (FEAT_HAFDBS).
   */
  | { readonly kind: 'freed' | 'unfilled'; readonly updated: boolean }
  /** Mixed from two TLB entries. */
  | { readonly kind: 'amalgam' }
  /** Read in the host's table, by a walk that was under way when VTTBR_EL2 became the VM's. */
  | { readonly kind: 'switched' }
  /** Read where a table descriptor leads that points to no table page. */
  | { readonly kind: 'stray' };

export interface Fault {
  readonly kind: FaultKind;
  readonly level: Level;
}

/** The PE a vCPU runs on, as far as it translates. */
export interface PeModel {
  readonly bbm: BbmLevel;
  readonly nt: NtBehaviour;
  readonly multihit: MultihitBehaviour;
}

/** What two matching entries come to, neither of them an nT block: all that a PE makes of its knobs then. */
export function twoMatch({ bbm, multihit }: PeModel): 'abort' | 'amalgam' | 'either' {
  // A PE of level 3 never aborts (BBM = 0b0011).
  if (multihit === 'abort' && bbm !== 3) return 'abort';
  return multihit === 'amalgamate' ? 'amalgam' : 'either';
}

export interface TranslatedAccess {
  readonly vcpu: number;
  readonly page: number;
  readonly kind: AccessKind;
  /** By the second VM, through its own table. */
  readonly byNeighbour?: true;
  /** By a vCPU that has come to run on the hypervisor's PE. */
  readonly onHostPe?: boolean;
}

const STRUCTURES: readonly TlbStructure[] = ['walk', 'stage2', 'combined'];
/** Most levels of a walk that starts at the target. */
const DEPTHS = 3;

/** What one step of a walk comes to: its end, or the entry of the next level to read. */
type Reading = WalkResult | number;

/** Leaves and faults as numbers; locations behind the map's end stand for (access, leaf). */
const LEAVES_MAX = 24;

/** By the list, which only grows: of one host there are many scenarios. */
const numbered = new WeakMap<readonly Descriptor[], ReadonlyMap<Descriptor, number>>();

/** The numbers of values: where they stand in the list. */
export function numbersOf(values: readonly Descriptor[]): ReadonlyMap<Descriptor, number> {
  const known = numbered.get(values);
  if (known?.size === values.length) return known;
  const numbers = new Map(values.map((d, number) => [d, number]));
  numbered.set(values, numbers);
  return numbers;
}

export class RegionTranslation implements TranslationSystem {
  readonly offsets: number;
  readonly leaves: Leaf[] = [];
  readonly faults: Fault[] = [];
  readonly #map: MemoryMap;
  /** First location behind those of all regions. */
  readonly #behind: number;
  readonly #pes: readonly PeModel[];
  readonly #accesses: readonly TranslatedAccess[];
  readonly #values: readonly Descriptor[];
  readonly #numbers: ReadonlyMap<Descriptor, number>;
  readonly #tlbis: readonly TlbiOp[];
  readonly #readings = new Map<number, { readonly level: Level; readonly reading: Reading }>();

  #meetsNt = false;
  #meetsTwo = false;

  /** What `#removes` has said. */
  readonly #removed: (boolean | undefined)[] = [];

  /** `values` and `tlbis` by the numbers the model has for them. An access's number is its address. */
  constructor(
    map: MemoryMap,
    pes: readonly PeModel[],
    accesses: readonly TranslatedAccess[],
    values: readonly Descriptor[],
    tlbis: readonly TlbiOp[],
  ) {
    this.#map = map;
    this.#behind = map.regions.at(-1)?.end ?? map.end;
    this.#pes = pes;
    this.#accesses = accesses;
    this.#values = values;
    this.#numbers = numbersOf(values);
    this.#tlbis = tlbis;
    this.offsets = accesses.length;
  }

  /** Initial values of the locations behind the map's end: each holds its leaf's number. */
  leafLocations(): number[] {
    return this.#accesses.flatMap(() => Array.from({ length: LEAVES_MAX }, (_, leaf) => leaf));
  }

  offsetOf(address: number): number {
    return address;
  }

  leafAt(location: number): number {
    return (location - this.#behind) % LEAVES_MAX;
  }

  #locationOf(address: number, leaf: number): number {
    return this.#behind + address * LEAVES_MAX + leaf;
  }

  #access(address: number): TranslatedAccess {
    const access = this.#accesses[address];
    assert(access !== undefined, `no access ${address}`);
    return access;
  }

  /** Of the region that the access is in. */
  #mapOf(address: number): MemoryMap {
    return this.#map.holding(this.#access(address).page);
  }

  /** Some walk met a block with nT. */
  get meetsNt(): boolean {
    return this.#meetsNt;
  }

  /** In an order that is complete some access met two entries that match, neither of them an nT block. */
  get meetsTwo(): boolean {
    return this.#meetsTwo;
  }

  #pe(address: number): PeModel {
    const pe = this.#pes[this.#access(address).vcpu];
    assert(pe !== undefined, 'every vCPU has a PE');
    return pe;
  }

  #leaf(
    address: number,
    leaf: Leaf,
    {
      cacheable = true,
      update = null,
    }: { cacheable?: boolean; update?: HardwareUpdate | null } = {},
  ): WalkResult {
    const found = this.leaves.findIndex((other) => sameLeaf(other, leaf));
    const number = found >= 0 ? found : this.leaves.push(leaf) - 1;
    assert(number < LEAVES_MAX, 'a small machine has few leaves');
    const location = this.#locationOf(address, number);
    const { moment } = this.#mapOf(address);
    const late = moment === null ? null : this.#lateOf(address, leaf);
    return {
      kind: 'mapped',
      location,
      cacheable,
      ...(update === null ? {} : { update }),
      ...(late === null || moment === null ? {} : { late: { location: late, from: moment } }),
    };
  }

  /** Where a store through the old mapping goes once the memory behind it is taken; null: nowhere else. */
  #lateOf(address: number, leaf: Leaf): number | null {
    const isStore = this.#access(address).kind === 'store';
    if (!isStore || leaf.kind !== 'leaf') return null;
    if (softwareBits(leaf.d) !== OLD_VERSION) return null;
    const late: Leaf = { ...leaf, late: true };
    const found = this.leaves.findIndex((other) => sameLeaf(other, late));
    const number = found >= 0 ? found : this.leaves.push(late) - 1;
    return this.#locationOf(address, number);
  }

  #fault(kind: FaultKind, level: Level): WalkResult {
    const same = (f: Fault): boolean => f.kind === kind && f.level === level;
    const found = this.faults.findIndex(same);
    const fault = found >= 0 ? found : this.faults.push({ kind, level }) - 1;
    // Entries that cause the others are never cached (I_WZCBG).
    return { kind: 'fault', fault, cacheable: kind === 'permission' || kind === 'conflict' };
  }

  paths(
    address: number,
    _write: boolean,
    spansOf: (entry: number) => readonly EntrySpan[],
  ): WalkPath[] {
    const found: WalkPath[] = [];
    const walk = (location: number, level: Level, before: WalkPath['entries']): void => {
      for (const span of spansOf(location)) {
        const entries = [...before, { entry: location, span }];
        const reading = this.#reading(address, location, level, span.value);
        if (typeof reading === 'number') walk(reading, childLevel(level), entries);
        else found.push({ result: reading, entries });
      }
    };
    // Of the second VM's table only the leaf entry ever changes.
    const { byNeighbour, onHostPe = false } = this.#access(address);
    if (byNeighbour) walk(this.#map.neighbour, 3, []);
    else walk(this.#mapOf(address).target, this.#map.level, []);
    const { switchedWalk } = this.#mapOf(address);
    if (!onHostPe || switchedWalk === null) return found;
    for (const span of spansOf(switchedWalk)) {
      if (this.#values[span.value] !== SWITCHED_WALK) continue;
      const result = this.#leaf(address, { kind: 'switched' });
      found.push({ result, entries: [{ entry: switchedWalk, span }] });
    }
    return found;
  }

  /** What a walk that finds `value` comes to; kept, because the search asks all the time. */
  #reading(address: number, location: number, level: Level, value: number): Reading {
    const key = (address * this.#behind + location) * this.#values.length + value;
    const known = this.#readings.get(key);
    // A page that is linked at two levels reads in two ways.
    if (known?.level === level) return known.reading;
    const reading = this.#read(address, location, level, value);
    this.#readings.set(key, { level, reading });
    return reading;
  }

  #read(address: number, location: number, level: Level, value: number): Reading {
    const d = this.#values[value];
    assert(d !== undefined, `no value ${value}`);
    const map = this.#mapOf(address);
    const foreign = location === map.target ? null : foreignKind(d);
    if (foreign !== null) {
      const update = this.#update(address, location, d);
      const leaf = { kind: foreign, updated: update !== null } as const;
      return this.#leaf(address, leaf, { update });
    }
    if (typeOf(d, level) !== 'table') return this.#end(address, location, d, level);
    if (!map.isTableAddress(d)) return this.#leaf(address, { kind: 'stray' });
    const ipa = map.pageIpa(this.#access(address).page);
    const index = tableIndex(map.geometry, childLevel(level), ipa);
    return map.entryOf(map.follow(d), index);
  }

  /** What the walker has to make of the leaf at `location` for this access; null: nothing. */
  #update(address: number, location: number, d: Descriptor): HardwareUpdate | null {
    if (!this.#map.hafdbs) return null;
    const after = afterAccess(d, this.#access(address).kind === 'store');
    const value = this.#numbers.get(after);
    assert(value !== undefined, 'what a walker may store has a number');
    return after === d ? null : { entry: location, value };
  }

  /** Fault priority: Translation, then Access flag, then Permission. */
  #end(address: number, location: number, d: Descriptor, level: Level): WalkResult {
    const type = typeOf(d, level);
    if (type === 'invalid' || type === 'reserved') return this.#fault('translation', level);
    const hasBit = hasNt(d, level);
    if (hasBit) this.#meetsNt = true;
    const { nt } = this.#pe(address);
    const isNt = hasBit && nt !== 'ignored';
    if (isNt && nt === 'fault') return this.#fault('nt', level);
    const update = this.#update(address, location, d);
    const after = update === null ? d : (this.#values[update.value] ?? d);
    const { af, read, write } = attributesOf(after, level);
    if (!af) return this.#fault('access-flag', level);
    const allowed = this.#access(address).kind === 'store' ? write : read;
    if (!allowed) return this.#fault('permission', level);
    return this.#leaf(address, { kind: 'leaf', d: after, level }, { cacheable: !isNt, update });
  }

  isInterrupt(op: number): boolean {
    return op === INTERRUPT;
  }

  isLocal(op: number): boolean {
    return op !== INTERRUPT && !isBroadcast(this.#tlbi(op).kind);
  }

  matches(op: number, address: number, depth: number, isLeaf: boolean): boolean {
    return this.#removes(op, address, isLeaf ? 'stage2' : 'walk', depth);
  }

  /** Operations that reach combined entries take all of a VMID or of every VMID. */
  matchesWhole(op: number, address: number): boolean {
    return this.#removes(op, address, 'combined', DEPTHS - 1);
  }

  #removes(op: number, address: number, structure: TlbStructure, depth: number): boolean {
    if (op === INTERRUPT) return false;
    const place = STRUCTURES.indexOf(structure) * DEPTHS + depth;
    const key = (op * this.#accesses.length + address) * STRUCTURES.length * DEPTHS + place;
    const known = this.#removed[key];
    if (known !== undefined) return known;
    const entry = this.#entry(address, structure, depth);
    const removes = mustInvalidate(this.#map.geometry, this.#tlbi(op), entry, this.#map.vmid);
    this.#removed[key] = removes;
    return removes;
  }

  /** What a TLB keeps of a walk for `address`, `depth` steps below the target. */
  #entry(address: number, structure: TlbStructure, depth: number): TlbEntryView {
    const { page, byNeighbour = false } = this.#access(address);
    const isWhole = byNeighbour || structure === 'combined';
    const level = isWhole ? 3 : ((this.#map.level + depth) as Level);
    const bytes = entrySize(this.#map.geometry, level);
    const ipa = Math.floor(this.#map.pageIpa(page) / bytes) * bytes;
    return { structure, vmid: byNeighbour ? NEIGHBOUR_VMID : this.#map.vmid, ipa, level };
  }

  #tlbi(op: number): TlbiOp {
    const tlbi = this.#tlbis[op];
    assert(tlbi !== undefined, `no TLBI ${op}`);
    return tlbi;
  }

  /** Two matching translations: R_FVQCK, and R_MRRPW where one of them is an nT block. */
  collide(address: number, a: WalkResult, b: WalkResult, isOpen = false): WalkResult | null {
    const one = this.#leafOf(a);
    const other = this.#leafOf(b);
    if (one?.kind !== 'leaf' || other?.kind !== 'leaf' || !this.#overlap(one, other)) return null;
    const pe = this.#pe(address);
    const { bbm, nt } = pe;
    const level = Math.min(one.level, other.level) as Level;
    const isNt = hasNt(one.d, one.level) || hasNt(other.d, other.level);
    if (isNt) this.#meetsNt = true;
    if (isNt && nt !== 'ignored') {
      return nt === 'conflict' && bbm !== 3 ? this.#fault('conflict', level) : null;
    }
    if (!isOpen) this.#meetsTwo = true;
    const match = twoMatch(pe);
    if (match === 'abort') return this.#fault('conflict', level);
    return match === 'amalgam' ? this.#leaf(address, { kind: 'amalgam' }) : null;
  }

  #leafOf(result: WalkResult): Leaf | null {
    if (result.kind === 'fault') return null;
    return this.leaves[this.leafAt(result.location)] ?? null;
  }

  /** Entries of two sizes, or of one size that do not map the same. */
  #overlap(a: Extract<Leaf, { kind: 'leaf' }>, b: Extract<Leaf, { kind: 'leaf' }>): boolean {
    if (a.level !== b.level) return true;
    const { geometry } = this.#map;
    return outputAddress(geometry, a.d, a.level) !== outputAddress(geometry, b.d, b.level);
  }

  /** Every result an access can have, whenever `entry` holds any of `valuesOf(entry)`. */
  answersOf(address: number, valuesOf: (entry: number) => Iterable<number>): AccessAnswers {
    const spansOf = (entry: number): EntrySpan[] =>
      [...valuesOf(entry)].map((value) => ({ value, from: 0, until: 1 }));
    const single = this.paths(address, false, spansOf).map(({ result }) => result);
    const { meetsTwo } = this;
    const pairs = single.flatMap((a, i) =>
      single.slice(i + 1).flatMap((b) => this.collide(address, a, b) ?? []),
    );
    // What there might be is no access that met it.
    this.#meetsTwo = meetsTwo;
    const leaves = new Map<number, number>();
    const faults = new Set<number>();
    const updates = new Map<string, HardwareUpdate>();
    for (const result of [...single, ...pairs]) {
      if (result.kind === 'fault') faults.add(result.fault);
      else leaves.set(this.leafAt(result.location), result.location);
      const late = result.kind === 'mapped' ? result.late?.location : undefined;
      if (late !== undefined) leaves.set(this.leafAt(late), late);
      const update = result.kind === 'mapped' ? result.update : undefined;
      if (update !== undefined) updates.set(`${update.entry}=${update.value}`, update);
    }
    return { leaves, faults: [...faults], updates: [...updates.values()] };
  }
}

function sameLeaf(a: Leaf, b: Leaf): boolean {
  if (a.kind === 'leaf') {
    return b.kind === 'leaf' && a.d === b.d && a.level === b.level && a.late === b.late;
  }
  if (a.kind === 'amalgam' || a.kind === 'stray' || a.kind === 'switched') return a.kind === b.kind;
  return a.kind === b.kind && a.updated === b.updated;
}

/** Whose a value in a table page is that is none of the region's; null: it is. */
function foreignKind(d: Descriptor): 'freed' | 'unfilled' | null {
  if (isForeign(d, REUSED)) return 'freed';
  return isForeign(d, UNFILLED) ? 'unfilled' : null;
}
