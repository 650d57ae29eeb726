/**
 * How an exploration starts: what may be asked for, the machine for it, and every run of its protocol in
 * that machine. The same every time, on every thread.
 */
import { assert } from '../../arch/assert.ts';
import { announcedBbm, type CpuModel, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { BlockLevel, SmallGranule } from '../../arch/geometry.ts';
import { claimsOfBoth } from '../../port/both.ts';
import { type ChangeName, changesOf, plainChange, type Protocol } from '../../port/index.ts';
import { ProtocolFailure } from '../../port/protocol-failure.ts';
import { thrownBy } from '../../port/thrown.ts';
import type { ExplorePart } from '../../result/explore.ts';
import {
  BoundReached,
  boundsFor,
  EXPLORE_BOUNDS,
  type ExploreBounds,
  type ExploredScenario,
} from './machine/bounds.ts';
import { machineOf, unsupportedReason } from './cpu.ts';
import { type AccessKind, type GuestProgram, guestPrograms } from './machine/guest.ts';
import { MemoryMap, type Regions } from './machine/memory-map.ts';
import { Outcomes } from './outcomes.ts';
import { Chance } from './run/chance.ts';
import { type Host, MakerFailed, unrollBoth, unrollHost } from './run/host.ts';
import { pairMap, pairProblem } from './run/pair.ts';
import { TimeLimit, underOneLimit, withTimeLimit } from './run/time-limit.ts';
import { NotDeterministic, type Path, partOf } from './run/unroll.ts';
import { forgetSurveys } from './judge/survey.ts';
import { forgetHosts, hostsFor } from './same-hosts.ts';
import { boundedBy, type Searched, type Stop } from './share.ts';
import { fingerprintOfHost, type ProtocolSource } from './token.ts';

export interface ExploreOptions {
  readonly protocol: Protocol;
  /** Name of the mutant the protocol is, if it is one. */
  readonly mutant?: string | null;
  /** Over the default CPU and the one the protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
  readonly level?: BlockLevel;
  /** Of the tables: two entries each, or four. Default: `tiny`, two. */
  readonly granule?: SmallGranule;
  /** Entries beside each other that the protocol changes, one after the other. Default: 1. */
  readonly regions?: Regions;
  /** 1 to `VCPUS_EXPLORED_MAX`. */
  readonly vcpus?: number;
  /** Default: `adjust-populated`. */
  readonly scenario?: ExploredScenario;
  /** Accesses of each vCPU at most, 1 to `ACCESSES_EXPLORED_MAX`. */
  readonly accesses?: number;
  /** Kinds of access the guest programs are made of. Default: loads and stores. */
  readonly kinds?: readonly AccessKind[];
  /** Guest programs in place of every combination. */
  readonly programs?: readonly GuestProgram[];
  readonly bounds?: Partial<ExploreBounds>;
  /** Runs by itself in the real granules, too (survey.ts). Default: true. */
  readonly realGranules?: boolean;
  /** Where the protocol comes from, for the tokens of its violations. Default: a built-in one. */
  readonly source?: ProtocolSource;
  /** Of its guest programs these alone. Default: all. */
  readonly part?: ExplorePart;
  /** Run by a second hypervisor on the same entry at the same time (pair.ts). Default: nothing. */
  readonly against?: Against | null;
}

/** The protocol beside the first. */
export interface Against {
  readonly protocol: Protocol;
  /** Null: no token can name it. */
  readonly source: ProtocolSource | null;
}

/** The model does not have what is asked for. */
export class ExploreUnsupported extends Error {
  override readonly name = 'ExploreUnsupported';
}

/**
 * Time for all runs of a protocol together; they take milliseconds, and those of one with many ways get
 * more. Ctrl-C waits for it, and so does the word on a loop, which a user sees within three seconds.
 */
const RETURN_WITHIN_MS = 1000;

/** A protocol, or two, unrolled: every start and every guest program. Deterministic. */
export interface Started extends Searched {
  readonly options: ExploreOptions;
  readonly level: BlockLevel;
  readonly granule: SmallGranule;
  readonly regions: Regions;
  readonly vcpus: number;
  readonly scenario: ExploredScenario;
  readonly bbm: BbmLevel;
  /** What stopped it before there was anything to search. */
  readonly stop: Readonly<Stop>;
}

/** What the guest may do: every start of the protocol is searched with each. `cpu`: as it is run. */
export function programsFor(
  options: ExploreOptions & { readonly cpu: CpuModel },
): readonly GuestProgram[] {
  const { protocol, cpu, level = 2, kinds = ['load', 'store'], programs, accesses } = options;
  if (programs !== undefined) return programs;
  const { scenario = 'adjust-populated', granule, regions = 1, bounds } = options;
  const tables = bounds?.tables ?? EXPLORE_BOUNDS.tables;
  const machine = machineOf(cpu, scenario, protocol, granule);
  const { pages } = new MemoryMap(plainChange(protocol), level, tables, machine);
  return guestPrograms(kinds, pages * regions, accesses);
}

/**
 * What a protocol does is found out once for all searches of an exploration. The next one is about the
 * protocol as it is then: an object in a program may look at what has changed meanwhile.
 */
export function forgetRuns(): void {
  forgetHosts();
  forgetSurveys();
}

/** Throws ExploreUnsupported, ProtocolFailure. A bound that was met is part of the result. */
export function startExploration(options: ExploreOptions): Started {
  const { protocol, level = 2, granule = 'tiny', regions = 1, vcpus = 1 } = options;
  const { scenario = 'adjust-populated', against = null, part = null } = options;
  const others = against?.protocol.cpu;
  const cpu: CpuModel = { ...DEFAULT_CPU, ...others, ...protocol.cpu, ...options.cpu };
  assert(against === null || scenario === 'adjust-populated', 'two protocols change one VM alone');
  assert(against === null || regions === 1, 'two protocols meet in one region');
  const reason =
    unsupportedReason(cpu, scenario) ??
    (against === null ? null : pairProblem(protocol, against.protocol));
  if (reason !== null) throw new ExploreUnsupported(reason);
  const bounds: ExploreBounds = { ...boundsFor(granule, regions), ...options.bounds };
  const machine = { ...machineOf(cpu, scenario, protocol, granule), regions };
  const mapOf = (change: ChangeName, failing: number | null): MemoryMap =>
    new MemoryMap(change, level, bounds.tables, { ...machine, failing });
  const programs = programsFor({ ...options, cpu });
  assert(programs.length > 0, 'an exploration has guest programs');
  const bbm = announcedBbm(cpu);
  const stop: Stop = { stoppedBy: null, stoppedWhy: null };
  const claims = against === null ? protocol.claims : claimsOfBoth(protocol, against.protocol);
  function startAt(change: ChangeName, failing: number | null): readonly Host[] {
    const map = mapOf(change, failing);
    const host = boundedBy(stop, () => runProtocol(protocol, map, bbm, vcpus, bounds));
    return host === null ? [] : [host];
  }
  function startAll(change: ChangeName): readonly Host[] {
    const plain = startAt(change, null);
    const tries = Math.max(0, ...plain.map(triesOf));
    const failing = Array.from({ length: tries }, (_, i) => startAt(change, i + 1));
    return [...plain, ...failing.flat()];
  }
  function startBoth(beside: Against): readonly Host[] {
    const both = [protocol, beside.protocol] as const;
    const map = pairMap(both, level, bounds.tables, machine);
    const host = boundedBy(stop, () => runProtocols(both, map, bbm, vcpus, bounds));
    if (stop.stoppedWhy !== null) stop.stoppedWhy = WAITS_FOR_OTHER;
    return host === null ? [] : [host];
  }
  const { nodes, operations, tables } = bounds;
  const { kind, lock } = protocol;
  const changes = changesOf(protocol);
  const madeIn = { kind, changes, lock, machine, level, vcpus, nodes, operations, tables };
  const hosts =
    against === null
      ? hostsFor(protocol, madeIn, bbm, () => ({
          hosts: underOneLimit(() => changesOf(protocol).flatMap(startAll)),
          isWhole: stop.stoppedBy === null,
        }))
      : startBoth(against);
  const outcomes = new Outcomes(claims);
  return {
    ...{ options, hosts, cpu, programs, bounds, outcomes, level, granule, regions },
    ...{ vcpus, scenario, bbm, stop, part },
  };
}

const WAITS_FOR_OTHER =
  'one of the two looks at the entry again and again until the other is done, which may take any time; ' +
  'one that gives up and comes back later can be explored to the end';

/** Whether two threads have started the same: a protocol may find out on which it is. */
export function fingerprintOfStart({ hosts }: Pick<Started, 'hosts'>): string {
  return hosts.map(({ threads }) => fingerprintOfHost(threads, [])).join(' ');
}

/**
 * Allocations that may fail, on the way through the protocol that has most, of the region with most: each is
 * another start.
 */
function triesOf({ map, paths }: Host): number {
  const triesIn = ({ trace }: Path): number =>
    trace.filter((event) => event.op === 'allocate' && event.tried === true).length;
  const ofRegions = map.regions.flatMap(({ region }) => paths.map((path) => partOf(path, region)));
  return Math.max(0, ...ofRegions.map(triesIn));
}

/** Throws BoundReached, and ProtocolFailure if it throws or does not return. */
export function runProtocol(
  protocol: Protocol,
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
): Host {
  return inTime(protocol, () => unrollHost(protocol, map, bbm, vcpus, bounds));
}

/** The same of two at once, in a machine for two. */
export function runProtocols(
  protocols: readonly [Protocol, Protocol],
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
): Host {
  return inTime(protocols[0], () => unrollBoth(protocols, map, bbm, vcpus, bounds));
}

function inTime(protocol: Protocol, unrolled: () => Host): Host {
  try {
    return withTimeLimit(RETURN_WITHIN_MS, unrolled);
  } catch (cause) {
    if (cause instanceof BoundReached) throw cause;
    if (cause instanceof MakerFailed) throw nameProtocol(cause.protocol, cause.cause);
    throw nameProtocol(protocol, cause);
  }
}

/** `cause` as what its author has to hear; what is no fault of a protocol as it is. */
export function nameFailure({ options: { protocol } }: Started, cause: unknown): unknown {
  if (cause instanceof MakerFailed) return nameProtocol(cause.protocol, cause.cause);
  return isUneven(cause) ? nameProtocol(protocol, cause) : cause;
}

/** It does not do the same every time, or asked for what is not the same every time. */
function isUneven(cause: unknown): cause is NotDeterministic | Chance {
  return cause instanceof NotDeterministic || cause instanceof Chance;
}

/** What its author has to hear, as one line. */
function nameProtocol(protocol: Protocol, cause: unknown): ProtocolFailure {
  const { name } = protocol;
  if (cause instanceof TimeLimit) {
    const loop = 'a loop without an operation of the port?';
    return new ProtocolFailure(`protocol ${name} ${cause.message}: ${loop}`, { cause });
  }
  const text = isUneven(cause)
    ? `protocol ${name} cannot be explored: ${cause.message}`
    : thrownBy(protocol, cause);
  return new ProtocolFailure(text, { cause });
}
