/**
 * One protocol, or two at once, and one guest program as a system of the model: the hypervisor's tree,
 * one tree per vCPU, that of a second hypervisor, and the translation between them.
 */
import { assert } from '../../../arch/assert.ts';
import type { CpuModel } from '../../../arch/cpu-model.ts';
import type { Descriptor } from '../../../arch/descriptor.ts';
import type { System } from '../../model/index.ts';
import {
  accessesOf,
  type GuestProgram,
  type GuestTree,
  guestTree,
  NEIGHBOUR_PROGRAM,
} from '../machine/guest.ts';
import { type Host, vcpuNumber } from './host.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import { runsOnGuestPe } from '../machine/reach.ts';
import {
  numbersOf,
  type PeModel,
  RegionTranslation,
  type TranslatedAccess,
} from '../machine/translation.ts';
import type { Path } from './unroll.ts';

export interface Scenario {
  readonly system: System;
  readonly translation: RegionTranslation;
  readonly program: GuestProgram;
  /** By vCPU; the second VM's is the last one. */
  readonly guests: readonly GuestTree[];
  /** Of all vCPUs, by address. */
  readonly accesses: readonly TranslatedAccess[];
  /**
   * By thread of the hypervisor's (host.ts): of its ways through its protocol those that such vCPUs let
   * it take.
   */
  readonly ways: readonly (readonly Path[])[];
  /** Locations that vCPUs may read, or both hypervisors use. What one does to others is no step. */
  readonly isRead: (location: number) => boolean;
  /** Those that are seen free before what is late: of the regions that it is in. */
  readonly locks: readonly number[];
  /** Of its CPU. */
  readonly tlbi: CpuModel['tlbi'];
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
  // After the transition the first of them may run on the hypervisor's PE.
  const isApart = runsOnGuestPe(map) || map.switchedWalk !== null;
  return areAlike && !isApart ? pes.map((_, vcpu) => vcpuNumber(vcpu)) : [];
}

/** Throws BoundReached if a guest's tree has more than `nodesMax` nodes. */
export function scenarioOf(
  host: Host,
  cpu: CpuModel,
  program: GuestProgram,
  nodesMax: number,
): Scenario {
  const { map, initial, held, values, tlbis, vcpus, receivers, isShared } = host;
  const numbers = numbersOf(values);
  const valueOf = (d: Descriptor): number => numbers.get(d) ?? -1;
  const own = accessesOf(program);
  const indices = Array.from({ length: receivers }, (_, vcpu) => vcpu);
  const accesses: TranslatedAccess[] = indices.slice(0, vcpus).flatMap((vcpu) =>
    own.map((access, i) => ({
      ...access,
      vcpu,
      onHostPe: vcpu === 0 && i >= program.early.length && map.switchedWalk !== null,
    })),
  );
  if (map.hasNeighbour) {
    const theirs = accessesOf(NEIGHBOUR_PROGRAM);
    accesses.push(
      ...theirs.map((access) => ({ ...access, vcpu: vcpus, byNeighbour: true }) as const),
    );
  }
  const pes = indices.map((vcpu) => peOf(cpu, vcpu));
  const translation = new RegionTranslation(map, pes, accesses, values, tlbis);
  const late = new Set(program.late.map(({ page }) => map.holding(page)));
  const locks = late.size === 0 ? map.locks : [...late].flatMap((region) => region.locks);
  const moments = map.regions.flatMap(({ moment }) => moment ?? []);
  const read = new Set([...locks, ...moments]);
  if (map.hasNeighbour) for (const lock of map.locks) read.add(lock);
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
      locks: vcpu < vcpus ? locks : map.locks,
      valueOf,
      nodesMax,
    });
  });
  const trees = host.threads.map(({ tree }) => tree((location) => read.has(location)));
  const [first, ...second] = trees.map(({ root, reads }, i) => ({
    vcpu: host.threads[i]?.thread ?? 0,
    root,
    reads,
  }));
  assert(first !== undefined, 'somebody changes the entry');
  const isRead = (location: number): boolean => read.has(location) || isShared(location);
  const system: System = {
    threads: [first, ...guests.map((guest) => guest.program), ...second],
    initial: [...initial.map(valueOf), ...translation.leafLocations()],
    translation,
    ...(moments.length > 0 && { moments }),
    alike: likeThreads(map, pes.slice(0, vcpus)),
  };
  const { tlbi } = cpu;
  const ways = trees.map(({ paths }) => paths);
  return { system, translation, program, guests, accesses, ways, isRead, locks, tlbi };
}
