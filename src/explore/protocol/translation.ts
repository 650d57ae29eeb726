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
import { assert } from '../../arch/assert.ts';
import type { MultihitBehaviour, NtBehaviour } from '../../arch/cpu-model.ts';
import {
  attributesOf,
  type Descriptor,
  hasNt,
  outputAddress,
  typeOf,
} from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../../arch/geometry.ts';
import { mustInvalidate, reaches, type TlbiOp } from '../../arch/tlbi.ts';
import type { EntrySpan, TranslationSystem, WalkPath, WalkResult } from '../model/index.ts';
import type { AccessAnswers, AccessKind } from './guest.ts';
import { GEOMETRY, type MemoryMap, REUSED, TARGET, VMID } from './memory-map.ts';

export type FaultKind = 'translation' | 'nt' | 'access-flag' | 'permission' | 'conflict';

/** A leaf as accesses may use it. */
export type Leaf =
  | { readonly kind: 'leaf'; readonly d: Descriptor; readonly level: Level }
  /** Read out of a table page after its reuse. */
  | { readonly kind: 'freed' }
  /** Mixed from two TLB entries. */
  | { readonly kind: 'amalgam' };

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

export interface TranslatedAccess {
  readonly vcpu: number;
  readonly page: number;
  readonly kind: AccessKind;
}

/** Leaves and faults as numbers; locations behind the map's end stand for (access, leaf). */
const LEAVES_MAX = 16;

export class RegionTranslation implements TranslationSystem {
  readonly offsets: number;
  readonly leaves: Leaf[] = [];
  readonly faults: Fault[] = [];
  readonly #map: MemoryMap;
  readonly #pes: readonly PeModel[];
  readonly #accesses: readonly TranslatedAccess[];
  readonly #values: readonly Descriptor[];
  readonly #tlbis: readonly TlbiOp[];

  /** `values` and `tlbis` by the numbers the model has for them. An access's number is its address. */
  constructor(
    map: MemoryMap,
    pes: readonly PeModel[],
    accesses: readonly TranslatedAccess[],
    values: readonly Descriptor[],
    tlbis: readonly TlbiOp[],
  ) {
    this.#map = map;
    this.#pes = pes;
    this.#accesses = accesses;
    this.#values = values;
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
    return (location - this.#map.end) % LEAVES_MAX;
  }

  #locationOf(address: number, leaf: number): number {
    return this.#map.end + address * LEAVES_MAX + leaf;
  }

  #access(address: number): TranslatedAccess {
    const access = this.#accesses[address];
    assert(access !== undefined, `no access ${address}`);
    return access;
  }

  #pe(address: number): PeModel {
    const pe = this.#pes[this.#access(address).vcpu];
    assert(pe !== undefined, 'every vCPU has a PE');
    return pe;
  }

  #leaf(address: number, leaf: Leaf, cacheable = true): WalkResult {
    const same = (other: Leaf): boolean =>
      other.kind === 'leaf' && leaf.kind === 'leaf'
        ? other.d === leaf.d && other.level === leaf.level
        : other.kind === leaf.kind;
    const found = this.leaves.findIndex(same);
    const number = found >= 0 ? found : this.leaves.push(leaf) - 1;
    assert(number < LEAVES_MAX, 'a small machine has few leaves');
    return { kind: 'mapped', location: this.#locationOf(address, number), cacheable };
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
    const ipa = this.#map.pageIpa(this.#access(address).page);
    const walk = (location: number, level: Level, before: WalkPath['entries']): WalkPath[] =>
      spansOf(location).flatMap((span) => {
        const entries = [...before, { entry: location, span }];
        const d = this.#values[span.value];
        assert(d !== undefined, `no value ${span.value}`);
        if (d === REUSED && location !== TARGET) {
          return [{ result: this.#leaf(address, { kind: 'freed' }), entries }];
        }
        if (typeOf(d, level) !== 'table')
          return [{ result: this.#end(address, d, level), entries }];
        const below = childLevel(level);
        const index = tableIndex(GEOMETRY, below, ipa);
        return walk(this.#map.entryOf(this.#map.follow(d), index), below, entries);
      });
    return walk(TARGET, this.#map.level, []);
  }

  /** Fault priority: Translation, then Access flag, then Permission. */
  #end(address: number, d: Descriptor, level: Level): WalkResult {
    const type = typeOf(d, level);
    if (type === 'invalid' || type === 'reserved') return this.#fault('translation', level);
    const { nt } = this.#pe(address);
    const isNt = hasNt(d, level) && nt !== 'ignored';
    if (isNt && nt === 'fault') return this.#fault('nt', level);
    const { af, read, write } = attributesOf(d, level);
    if (!af) return this.#fault('access-flag', level);
    const allowed = this.#access(address).kind === 'store' ? write : read;
    if (!allowed) return this.#fault('permission', level);
    return this.#leaf(address, { kind: 'leaf', d, level }, !isNt);
  }

  matches(op: number, address: number, depth: number, isLeaf: boolean): boolean {
    const level = (this.#map.level + depth) as Level;
    const bytes = entrySize(GEOMETRY, level);
    const ipa = Math.floor(this.#map.pageIpa(this.#access(address).page) / bytes) * bytes;
    const structure = isLeaf ? 'stage2' : 'walk';
    const tlbi = this.#tlbi(op);
    return mustInvalidate(GEOMETRY, tlbi, { structure, vmid: VMID, ipa, level }, VMID);
  }

  /** Operations that reach combined entries take all of a VMID or of every VMID. */
  matchesWhole(op: number, address: number): boolean {
    const tlbi = this.#tlbi(op);
    if (!reaches(tlbi.kind, 'combined')) return false;
    const ipa = this.#map.pageIpa(this.#access(address).page);
    const entry = { structure: 'combined', vmid: VMID, ipa, level: 3 } as const;
    return mustInvalidate(GEOMETRY, tlbi, entry, VMID);
  }

  #tlbi(op: number): TlbiOp {
    const tlbi = this.#tlbis[op];
    assert(tlbi !== undefined, `no TLBI ${op}`);
    return tlbi;
  }

  /** Two matching translations: R_FVQCK, and R_MRRPW where one of them is an nT block. */
  collide(address: number, a: WalkResult, b: WalkResult): WalkResult | null {
    const one = this.#leafOf(a);
    const other = this.#leafOf(b);
    if (one?.kind !== 'leaf' || other?.kind !== 'leaf' || !this.#overlap(one, other)) return null;
    const { bbm, nt, multihit } = this.#pe(address);
    const level = Math.min(one.level, other.level) as Level;
    const isNt = hasNt(one.d, one.level) || hasNt(other.d, other.level);
    if (isNt && nt !== 'ignored') {
      return nt === 'conflict' && bbm !== 3 ? this.#fault('conflict', level) : null;
    }
    // A PE of level 3 never aborts (BBM = 0b0011).
    if (multihit === 'abort' && bbm !== 3) return this.#fault('conflict', level);
    return multihit === 'amalgamate' ? this.#leaf(address, { kind: 'amalgam' }) : null;
  }

  #leafOf(result: WalkResult): Leaf | null {
    if (result.kind === 'fault') return null;
    return this.leaves[this.leafAt(result.location)] ?? null;
  }

  /** Entries of two sizes, or of one size that do not map the same. */
  #overlap(a: Extract<Leaf, { kind: 'leaf' }>, b: Extract<Leaf, { kind: 'leaf' }>): boolean {
    if (a.level !== b.level) return true;
    return outputAddress(GEOMETRY, a.d, a.level) !== outputAddress(GEOMETRY, b.d, b.level);
  }

  /** Every result an access can have, whenever `entry` holds any of `valuesOf(entry)`. */
  answersOf(address: number, valuesOf: (entry: number) => Iterable<number>): AccessAnswers {
    const spansOf = (entry: number): EntrySpan[] =>
      [...valuesOf(entry)].map((value) => ({ value, from: 0, until: 1 }));
    const single = this.paths(address, false, spansOf).map(({ result }) => result);
    const pairs = single.flatMap((a, i) =>
      single.slice(i + 1).flatMap((b) => this.collide(address, a, b) ?? []),
    );
    const leaves = new Map<number, number>();
    const faults = new Set<number>();
    for (const result of [...single, ...pairs]) {
      if (result.kind === 'fault') faults.add(result.fault);
      else leaves.set(this.leafAt(result.location), result.location);
    }
    return { leaves, faults: [...faults] };
  }
}
