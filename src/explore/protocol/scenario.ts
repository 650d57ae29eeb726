/**
 * One protocol and one guest program as a system of the model: the hypervisor's tree, one tree per
 * vCPU, and the translation between them.
 */
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { Descriptor } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { TlbiOp } from '../../arch/tlbi.ts';
import type { Protocol } from '../../port/index.ts';
import type { System } from '../model/index.ts';
import type { ExploreBounds } from './bounds.ts';
import { accessesOf, type GuestProgram, type GuestTree, guestTree } from './guest.ts';
import { heldAfter } from './hardware-update.ts';
import { hypervisorScript } from './hypervisor.ts';
import type { MemoryMap } from './memory-map.ts';
import { NEIGHBOUR_PROGRAM } from './neighbour.ts';
import { reachOf, runsOnGuestPe } from './reach.ts';
import { isSameOperation, type Operation } from './recording.ts';
import { type PeModel, RegionTranslation, type TranslatedAccess } from './translation.ts';
import { NOT_THE_SAME, NotDeterministic, type Path, unroll, type Unrolled } from './unroll.ts';

/** The hypervisor's side, the same for every guest program. */
export interface Host {
  readonly map: MemoryMap;
  /** Every way through the protocol. */
  readonly paths: readonly Path[];
  readonly initial: readonly Descriptor[];
  /** By location: every value it ever holds, on any path. */
  readonly held: readonly ReadonlySet<Descriptor>[];
  /** By number. */
  readonly values: readonly Descriptor[];
  readonly tlbis: readonly TlbiOp[];
  readonly vcpus: number;
  /** vCPUs that a broadcast reaches: these, and that of the second VM if there is one. */
  readonly receivers: number;
  /** Its tree, if others may read these locations only. */
  readonly tree: (isRead: (location: number) => boolean) => Unrolled;
}

export interface Scenario {
  readonly system: System;
  readonly translation: RegionTranslation;
  readonly program: GuestProgram;
  /** By vCPU; the second VM's is the last one. */
  readonly guests: readonly GuestTree[];
  /** Of all vCPUs, by address. */
  readonly accesses: readonly TranslatedAccess[];
  /** Of the hypervisor's ways through the protocol those that such vCPUs let it take. */
  readonly paths: readonly Path[];
  /** Locations that vCPUs may read. What the hypervisor does to others is no step. */
  readonly isRead: (location: number) => boolean;
  /** Of its CPU. */
  readonly tlbi: CpuModel['tlbi'];
}

class Numbering<T> {
  readonly all: T[] = [];
  readonly #known = new Map<string, number>();

  of(item: T, key: string): number {
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    this.#known.set(key, this.all.length);
    return this.all.push(item) - 1;
  }
}

/**
 * Runs of a protocol in which it must do the same again: what depends on chance, or on how often it
 * ran before, shows here.
 */
const REPEATS = 128;

function isSamePath(a: Path, b: Path): boolean {
  return (
    a.operations.length === b.operations.length &&
    a.answers.length === b.answers.length &&
    a.answers.every((answer, i) => answer === b.answers[i]) &&
    a.operations.every((operation, i) => isSameOperation(operation, b.operations[i] as Operation))
  );
}

/** Throws BoundReached, NotDeterministic, and whatever the protocol throws. */
export function unrollHost(
  protocol: Protocol,
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
): Host {
  const values = new Numbering<Descriptor>();
  const tlbis = new Numbering<TlbiOp>();
  const initial = map.initial();
  const valueOf = (d: Descriptor): number => values.of(d, d.toString(16));
  for (const d of initial) valueOf(d);
  const receivers = vcpus + (map.hasNeighbour ? 1 : 0);
  const everyVcpu = Array.from({ length: receivers }, (_, vcpu) => vcpuNumber(vcpu));
  const tree = (isRead: (location: number) => boolean): Unrolled =>
    unroll({
      script: hypervisorScript(protocol, map, bbm),
      initial,
      // Nobody but the hypervisor stores to tables, and walkers.
      othersMayStore: (location, held) => heldAfter(map, location, held),
      isRead,
      valueOf,
      tlbiOf: (op) => tlbis.of(op, JSON.stringify(op)),
      receiversOf: (op) => everyVcpu.slice(0, reachOf(map, op, receivers)),
      localDsbCounts: runsOnGuestPe(map),
      interrupted: map.counts === 'interrupts' ? everyVcpu : [],
      bounds,
    });
  const first = tree(() => true);
  // Where less is read there may be fewer ways, but no other ones.
  const same = (again: Unrolled): Unrolled => {
    // Most often in the same place.
    const isKnown = (path: Path, i: number): boolean =>
      (first.paths[i] !== undefined && isSamePath(first.paths[i], path)) ||
      first.paths.some((known) => isSamePath(known, path));
    if (!again.paths.every(isKnown)) {
      throw new NotDeterministic(NOT_THE_SAME);
    }
    return again;
  };
  for (let i = 0; i < REPEATS; i++) same(tree(() => true));
  const stored = new Set(values.all);
  const held = valuesHeld(initial, first.paths, stored).map(
    (mine, location) => new Set([...mine].flatMap((d) => heldAfter(map, location, d))),
  );
  for (const mine of held) for (const d of mine) valueOf(d);
  return {
    map,
    held,
    paths: first.paths,
    initial,
    values: values.all,
    tlbis: tlbis.all,
    vcpus,
    receivers,
    tree: (isRead) => same(tree(isRead)),
  };
}

/** The hypervisor is the model's vCPU 0. */
export function vcpuNumber(vcpu: number): number {
  return vcpu + 1;
}

export function peOf(cpu: CpuModel, vcpu: number): PeModel {
  const bbm = cpu.bbm[vcpu % cpu.bbm.length] ?? 0;
  // A PE without FEAT_BBM knows no nT bit (RES0 in its block descriptors).
  return { bbm, nt: bbm === 0 ? 'ignored' : cpu.nt, multihit: cpu.multihit };
}

/** The vCPUs' threads, if each is on a PE like the others', and none of them on the hypervisor's. */
function likeThreads(map: MemoryMap, pes: readonly PeModel[]): number[] {
  const [first] = pes;
  const areAlike = pes.every(
    ({ bbm, nt, multihit }) => bbm === first?.bbm && nt === first.nt && multihit === first.multihit,
  );
  return areAlike && !runsOnGuestPe(map) ? pes.map((_, vcpu) => vcpuNumber(vcpu)) : [];
}

/** Throws BoundReached if a guest's tree has more than `nodesMax` nodes. */
export function scenarioOf(
  host: Host,
  cpu: CpuModel,
  program: GuestProgram,
  nodesMax: number,
): Scenario {
  const { map, initial, held, values, tlbis, vcpus, receivers } = host;
  const numbers = new Map(values.map((d, i) => [d, i]));
  const valueOf = (d: Descriptor): number => numbers.get(d) ?? -1;
  const own = accessesOf(program);
  const indices = Array.from({ length: receivers }, (_, vcpu) => vcpu);
  const accesses: TranslatedAccess[] = indices
    .slice(0, vcpus)
    .flatMap((vcpu) => own.map((access) => ({ ...access, vcpu })));
  if (map.hasNeighbour) {
    const theirs = accessesOf(NEIGHBOUR_PROGRAM);
    accesses.push(
      ...theirs.map((access) => ({ ...access, vcpu: vcpus, byNeighbour: true }) as const),
    );
  }
  const pes = indices.map((vcpu) => peOf(cpu, vcpu));
  const translation = new RegionTranslation(map, pes, accesses, values, tlbis);
  const read = new Set([map.lock]);
  if (map.moment !== null) read.add(map.moment);
  const valuesOf = (entry: number): number[] => {
    read.add(entry);
    return [...(held[entry] ?? [])].map(valueOf);
  };
  const guests = indices.map((vcpu) => {
    const firstAddress = vcpu * own.length;
    const mine = vcpu < vcpus ? program : NEIGHBOUR_PROGRAM;
    const answers = accessesOf(mine).map((_, i) =>
      translation.answersOf(firstAddress + i, valuesOf),
    );
    return guestTree({
      program: mine,
      vcpu: vcpuNumber(vcpu),
      firstAddress,
      answers,
      lock: map.lock,
      valueOf,
      nodesMax,
    });
  });
  const isRead = (location: number): boolean => read.has(location);
  const tree = host.tree(isRead);
  const system: System = {
    threads: [
      { vcpu: 0, root: tree.root, reads: tree.reads },
      ...guests.map((guest) => guest.program),
    ],
    initial: [...initial.map(valueOf), ...translation.leafLocations()],
    translation,
    ...(map.moment === null ? {} : { moment: map.moment }),
    alike: likeThreads(map, pes.slice(0, vcpus)),
  };
  const { tlbi } = cpu;
  return { system, translation, program, guests, accesses, paths: tree.paths, isRead, tlbi };
}

/**
 * Every value the hypervisor stores to a location on any path, and the initial one. What a
 * compare-exchange that never succeeds would have stored is none that is known.
 */
function valuesHeld(
  initial: readonly Descriptor[],
  paths: readonly Path[],
  known: ReadonlySet<Descriptor>,
): Set<Descriptor>[] {
  const held = initial.map((d) => new Set([d]));
  for (const { operations } of paths) {
    for (const operation of operations) {
      if (operation.kind === 'write') held[operation.location]?.add(operation.value);
      if (operation.kind !== 'cas' || !known.has(operation.desired)) continue;
      held[operation.location]?.add(operation.desired);
    }
  }
  return held;
}
