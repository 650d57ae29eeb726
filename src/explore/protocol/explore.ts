/**
 * Runs a protocol, the same file that `stress` runs, against the model: one hypervisor thread, or two
 * that run a protocol each, one to four vCPUs, every guest program of the bounded set, every execution
 * of each.
 *
 * Two judges: each access of each execution (judge-access.ts), and the protocol's own operations
 * (the checker's automaton, which `stress` uses too). Of what an access breaks the shortest schedule
 * is kept; of what only the operations break, they are the schedule.
 *
 * Left out: updates by walks for no access of the program, changes of a second VM's tables, who gets
 * which VMID, software walkers of other threads.
 */
import { assert } from '../../arch/assert.ts';
import { announcedBbm, type CpuModel, cpuResultOf, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { BlockLevel } from '../../arch/geometry.ts';
import { claimsOfBoth } from '../../port/both.ts';
import { type ChangeName, changesOf, plainChange, type Protocol } from '../../port/index.ts';
import { thrownBy } from '../../port/thrown.ts';
import type {
  ExploreBoundValues,
  ExploreRun,
  ExploreVerdict,
  ExploreViolation,
} from '../../result/explore.ts';
import { RULES } from '../../result/rule.ts';
import { Search } from '../model/index.ts';
import {
  BoundReached,
  EXPLORE_BOUNDS,
  type ExploreBounds,
  type ExploredScenario,
} from './machine/bounds.ts';
import { Chance } from './run/chance.ts';
import { machineOf, modelOf, notesOn, unsupportedReason } from './cpu.ts';
import { type AccessKind, accessesOf, type GuestProgram, guestPrograms } from './machine/guest.ts';
import { type Host, MakerFailed, unrollBoth, unrollHost } from './run/host.ts';
import {
  CAUSES,
  type JudgedOperations,
  judgeOperations,
  NOTHING_JUDGED,
  type Reason,
} from './judge/judge-operations.ts';
import { MemoryMap, TARGET } from './machine/memory-map.ts';
import { handlersOf, pairMap, pairProblem } from './run/pair.ts';
import { Outcomes } from './outcomes.ts';
import { scenarioOf } from './run/scenario.ts';
import {
  cpuKey,
  decodeToken,
  encodeToken,
  fingerprintOfHost,
  type ProtocolSource,
  type ScheduleToken,
} from './token.ts';
import { TimeLimit, underOneLimit, withTimeLimit } from './run/time-limit.ts';
import { NotDeterministic, type Path } from './run/unroll.ts';
import { ProtocolFailure } from '../../port/protocol-failure.ts';

export interface ExploreOptions {
  readonly protocol: Protocol;
  /** Name of the mutant the protocol is, if it is one. */
  readonly mutant?: string | null;
  /** Over the default CPU and the one the protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
  readonly level?: BlockLevel;
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
  /** Run by a second hypervisor on the same entry at the same time (pair.ts). Default: nothing. */
  readonly against?: Against | null;
}

/** The protocol beside the first. */
export interface Against {
  readonly protocol: Protocol;
  /** Null: no token can name it. */
  readonly source: ProtocolSource | null;
}

/** How far an exploration is. */
export interface ExploreProgress {
  readonly programsDone: number;
  readonly programs: number;
  readonly states: number;
  /** Events in the order the search stands at. */
  readonly depth: number;
}

/** What `stoppedBy` says where nobody waited for the end. */
export const INTERRUPTED = 'interrupt';

/** Steps of the search between two looks at whatever else there is: a few milliseconds. */
const SLICE_STEPS = 256;

/**
 * Of two hypervisors that are convicted the search ends after so many states: who does not look whether
 * it has lost has orders without end, and what more of them would show is the same again.
 */
const CONVICTED_STATES = 60_000;

/** The model does not have what is asked for. */
export class ExploreUnsupported extends Error {
  override readonly name = 'ExploreUnsupported';
}

/**
 * Time for all runs of a protocol together; they take milliseconds. Ctrl-C waits for it, so it is
 * less than a user does.
 */
const RETURN_WITHIN_MS = 4000;

interface Figures {
  states: number;
  orders: number;
  stoppedBy: string | null;
  /** What is behind it, where that is known. */
  stoppedWhy: string | null;
}

/** Throws ExploreUnsupported, ProtocolFailure. A bound that was met is part of the result. */
export function exploreProtocol(options: ExploreOptions): ExploreRun {
  const steps = exploreInSteps(options);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/**
 * The same a few milliseconds at a time. `isStopped` is asked after each of them: a search that is
 * stopped returns what it has found so far.
 */
export function* exploreInSteps(
  options: ExploreOptions,
  isStopped: () => boolean = () => false,
): Generator<ExploreProgress, ExploreRun, void> {
  const startedMs = performance.now();
  const { protocol, level = 2, vcpus = 1, kinds = ['load', 'store'] } = options;
  const { scenario = 'adjust-populated', against = null } = options;
  const others = against?.protocol.cpu;
  const cpu: CpuModel = { ...DEFAULT_CPU, ...others, ...protocol.cpu, ...options.cpu };
  assert(against === null || scenario === 'adjust-populated', 'two protocols change one VM alone');
  const reason =
    unsupportedReason(cpu, scenario) ??
    (against === null ? null : pairProblem(protocol, against.protocol));
  if (reason !== null) throw new ExploreUnsupported(reason);
  const bounds: ExploreBounds = { ...EXPLORE_BOUNDS, ...options.bounds };
  const machine = machineOf(cpu, scenario, protocol);
  const changes = changesOf(protocol);
  const mapOf = (change: ChangeName, failing: number | null): MemoryMap =>
    new MemoryMap(change, level, bounds.tables, { ...machine, failing });
  const { pages } = mapOf(plainChange(protocol), null);
  const programs = options.programs ?? guestPrograms(kinds, pages, options.accesses);
  assert(programs.length > 0, 'an exploration has guest programs');
  const bbm = announcedBbm(cpu);
  const figures: Figures = { states: 0, orders: 0, stoppedBy: null, stoppedWhy: null };
  const handlers = against === null ? 0 : handlersOf(protocol, against.protocol);
  const claims = against === null ? protocol.claims : claimsOfBoth(protocol, against.protocol);
  const outcomes = new Outcomes(claims);
  const startAt = (change: ChangeName, failing: number | null): readonly Host[] =>
    hostOf(protocol, mapOf(change, failing), bbm, vcpus, bounds, figures);
  function startAll(change: ChangeName): readonly Host[] {
    const plain = startAt(change, null);
    const tries = Math.max(0, ...plain.map(triesOf));
    const failing = Array.from({ length: tries }, (_, i) => startAt(change, i + 1));
    return [...plain, ...failing.flat()];
  }
  function startBoth(beside: Against): readonly Host[] {
    const both = [protocol, beside.protocol] as const;
    const map = pairMap(both, level, bounds.tables, machine);
    const host = boundedBy(figures, () => runProtocols(both, map, bbm, vcpus, bounds));
    if (figures.stoppedWhy !== null) figures.stoppedWhy = WAITS_FOR_OTHER;
    return host === null ? [] : [host];
  }
  const hosts =
    against === null ? underOneLimit(() => changes.flatMap(startAll)) : startBoth(against);

  try {
    const searched = { hosts, cpu, programs, bounds, startedMs, figures, outcomes };
    for (const progress of explorePrograms(searched)) {
      yield progress;
      if (!isStopped()) continue;
      figures.stoppedBy = INTERRUPTED;
      break;
    }
    // What a rule says of it comes first.
    if (outcomes.failure !== null && !outcomes.isViolated) throw outcomes.failure;
  } catch (cause) {
    if (cause instanceof MakerFailed) throw nameProtocol(cause.protocol, cause.cause);
    throw isUneven(cause) ? nameProtocol(protocol, cause) : cause;
  }
  const judged =
    against === null
      ? hosts.map((host) => judgeOperations(host, bbm, protocol, options.realGranules))
      : hosts.map(() => NOTHING_JUDGED);
  const signed = signViolations(hosts, options, cpu, outcomes, judged);
  const protocolNotes = [...new Set(judged.flatMap(({ notes }) => notes))];
  const isWhole = figures.stoppedBy === null;
  const violations = signed
    .filter((v, i, all) => all.findIndex((other) => other.rule === v.rule) === i)
    .toSorted(causesFirst)
    .map((v, _, all) => (isWhole ? withoutExecution(v, all) : v));
  const verdict: ExploreVerdict =
    violations.length > 0 ? 'violated' : figures.stoppedBy === null ? 'safe' : 'bounded';
  return {
    ...(scenario === 'adjust-populated' ? {} : { scenario }),
    protocol: protocol.name,
    mutant: options.mutant ?? null,
    against: against?.protocol.name ?? null,
    ...(handlers === 0 ? {} : { handlers }),
    cpu: cpuResultOf(cpu),
    granule: 'tiny',
    level,
    vcpus,
    verdict,
    states: figures.states,
    executions: outcomes.executions,
    orders: figures.orders,
    elapsedMs: performance.now() - startedMs,
    bounds: boundValues(bounds, programs),
    stoppedBy: figures.stoppedBy,
    outcomes: outcomes.table(),
    violation: violations.find((v) => v.by === 'schedule') ?? violations[0] ?? null,
    violations,
    ...(figures.stoppedWhy === null ? {} : { stoppedWhy: figures.stoppedWhy }),
    notes: [...protocolNotes, ...notesOn(cpu)],
    ...(protocolNotes.length === 0 ? {} : { protocolNotes }),
  };
}

const WAITS_FOR_OTHER =
  'one of the two looks at the entry again and again until the other is done, which may take any time; ' +
  'one that gives up and comes back later can be explored to the end';

/** Null if a bound stopped it; which one is noted. */
function boundedBy<T>(figures: Figures, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
    figures.stoppedBy = error.bound;
    if (error.waitsFor !== null) {
      const place = error.waitsFor === TARGET ? 'the entry' : 'an entry of a table';
      figures.stoppedWhy = `it reads ${place} again and again and waits for a change that nobody here makes`;
    }
    return null;
  }
}

function hostOf(
  protocol: Protocol,
  map: MemoryMap,
  bbm: BbmLevel,
  vcpus: number,
  bounds: ExploreBounds,
  figures: Figures,
): readonly Host[] {
  const host = boundedBy(figures, () => runProtocol(protocol, map, bbm, vcpus, bounds));
  return host === null ? [] : [host];
}

/** Allocations that may fail, on the way through the protocol that has most: each is another start. */
function triesOf({ paths }: Host): number {
  const triesIn = ({ trace }: Path): number =>
    trace.filter((event) => event.op === 'allocate' && event.tried === true).length;
  return Math.max(0, ...paths.map(triesIn));
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

interface Searched {
  readonly hosts: readonly Host[];
  readonly cpu: CpuModel;
  readonly programs: readonly GuestProgram[];
  readonly bounds: ExploreBounds;
  readonly startedMs: number;
  readonly figures: Figures;
  readonly outcomes: Outcomes;
}

function* explorePrograms(all: Searched): Generator<ExploreProgress, void, void> {
  const { hosts, cpu, programs, bounds, figures, outcomes } = all;
  const options = modelOf(cpu);
  const searches = hosts.flatMap((host) => programs.map((program) => ({ host, program })));
  for (const [programsDone, { host, program }] of searches.entries()) {
    const scenario = boundedBy(figures, () => scenarioOf(host, cpu, program, bounds.nodes));
    if (scenario === null) return;
    const { states, orders } = figures;
    const left = {
      events: bounds.events,
      states: bounds.states - states,
      nodes: bounds.nodes,
      visits: 1,
      timeMs: bounds.timeMs - (performance.now() - all.startedMs),
      memoryBytes: bounds.memoryBytes,
    };
    const collect = outcomes.collector(host, scenario, options);
    const { map } = host;
    const search = new Search(scenario.system, options, left, collect);
    for (let isOver = false; !isOver;) {
      isOver = search.advance(SLICE_STEPS);
      figures.states = states + search.states;
      figures.orders = orders + search.orders;
      if (isEnough(map, outcomes) && figures.states >= CONVICTED_STATES) {
        figures.stoppedBy ??= 'states';
        figures.stoppedWhy = 'what it has found breaks rules, and more of the same is left out';
        return;
      }
      yield {
        programsDone,
        programs: searches.length,
        states: figures.states,
        depth: search.depth,
      };
    }
    figures.stoppedBy ??= search.stoppedBy;
    if (search.stoppedBy === null) continue;
    const done = `${programsDone} of ${searches.length} guest programs`;
    figures.stoppedWhy ??= `${done} were gone through to the end`;
    return;
  }
}

/** Of two: something is wrong with them, and more of the same would be no news. */
function isEnough({ makers }: MemoryMap, { isViolated, failure }: Outcomes): boolean {
  return makers > 1 && (isViolated || failure !== null);
}

/** Every violation with its token. `judged`: of each host. */
function signViolations(
  hosts: readonly Host[],
  { protocol, mutant = null, source, against = null }: ExploreOptions,
  cpu: CpuModel,
  outcomes: Outcomes,
  judged: readonly JudgedOperations[],
): (ExploreViolation & { readonly against?: string | null })[] {
  const builtIn = mutant === null ? 'built-in' : 'mutant';
  const from = source ?? { kind: builtIn, name: mutant ?? protocol.name, text: '' };
  const beside = against?.source ?? null;
  const headOf = ({ map, vcpus, threads }: Host) =>
    ({
      kind: from.kind,
      name: from.name,
      fingerprint: fingerprintOfHost(threads, [from.text, beside?.text ?? '']),
      against: beside === null ? null : { kind: beside.kind, name: beside.name },
      cpu: cpuKey(cpu, vcpus),
      level: map.level,
      vcpus,
      scenario: map.hasNeighbour ? 'two-vms' : 'adjust-populated',
      form: Math.max(0, changesOf(protocol).indexOf(map.changeName)),
      failing: map.failing,
    }) as const;
  const whysOf = (host: Host): readonly Reason[] => judged[hosts.indexOf(host)]?.whys ?? [];
  const isNamed = against === null || beside !== null;
  const shown = outcomes.violations(whysOf).map(({ violation, place, host }) => ({
    ...violation,
    ...signed(!isNamed ? null : { ...headOf(host), shows: { by: 'schedule', ...place } }),
  }));
  const done = hosts.flatMap((host, i) =>
    (judged[i]?.violations ?? []).map((violation) => ({
      ...violation,
      ...signed({ ...headOf(host), shows: { by: 'operations', rule: violation.rule } }),
    })),
  );
  return [...shown, ...done];
}

/** Its token, and what replay has to be told beside it. */
function signed(says: ScheduleToken | null): Pick<ExploreViolation, 'token' | 'replayFile'> {
  const token = says === null ? null : encodeToken(says);
  if (says?.kind !== 'file' || token === null) return { token };
  return decodeToken(token)?.name === says.name ? { token } : { token, replayFile: says.name };
}

/**
 * What the operations alone convict, and no execution shows: said as what it is, because the checker
 * holds protocols to rules that are stricter than what one small machine can make go wrong.
 */
function withoutExecution(
  { against = null, ...violation }: ExploreViolation & { readonly against?: string | null },
  all: readonly ExploreViolation[],
): ExploreViolation {
  if (against === null || all.some(({ by }) => by === 'schedule')) return violation;
  const why = `${violation.why}; against ${against}; no execution of this model shows harm`;
  return { ...violation, why, noExecution: true };
}

/** The steps that are wrong first, as they come; then what comes of them, in the rules' order. */
function causesFirst(a: ExploreViolation, b: ExploreViolation): number {
  const isCause = ({ rule, by }: ExploreViolation): boolean =>
    by === 'operations' && CAUSES.has(rule);
  if (isCause(a) || isCause(b)) return Number(isCause(b)) - Number(isCause(a));
  const shown = Number(a.by === 'operations') - Number(b.by === 'operations');
  return shown || RULES.indexOf(a.rule) - RULES.indexOf(b.rule);
}

function boundValues(bounds: ExploreBounds, programs: readonly GuestProgram[]): ExploreBoundValues {
  const accesses = Math.max(...programs.map((program) => accessesOf(program).length));
  const { states, memoryBytes, ...others } = bounds;
  return {
    ...others,
    ...(Number.isFinite(states) && { states }),
    ...(Number.isFinite(memoryBytes) && { memoryBytes }),
    ...{ programs: programs.length, accesses },
  };
}
