/**
 * Runs a protocol, the same file that `stress` runs, against the model: one hypervisor thread, one
 * or two vCPUs, every guest program of the bounded set, every execution of each.
 *
 * Two judges: each access of each execution (judge-access.ts), and the protocol's own operations
 * (the checker's automaton, which `stress` uses too). Of what an access breaks the shortest schedule
 * is kept; of what only the operations break, they are the schedule.
 *
 * Left out: hardware updates of access flag and dirty state, a second VM, software walkers of other
 * threads, replay.
 */
import { assert } from '../../arch/assert.ts';
import { type CpuModel, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import { type BbmLevel, idAa64Mmfr2, sanitisedBbmLevel } from '../../arch/feat-bbm.ts';
import { isValid } from '../../arch/descriptor.ts';
import type { BlockLevel } from '../../arch/geometry.ts';
import { judgeTrace } from '../../checker/index.ts';
import type { Claims, Protocol } from '../../port/index.ts';
import type {
  ExploreBoundValues,
  ExploreRun,
  ExploreVerdict,
  ExploreViolation,
} from '../../result/explore.ts';
import { RULES } from '../../result/rule.ts';
import { armModel, search } from '../model/index.ts';
import { BoundReached, EXPLORE_BOUNDS, type ExploreBounds } from './bounds.ts';
import { cpuResultOf, notesOn, unsupportedReason } from './cpu.ts';
import { type AccessKind, accessesOf, type GuestProgram, guestPrograms } from './guest.ts';
import { traceOf } from './hypervisor.ts';
import { MemoryMap } from './memory-map.ts';
import { operationSteps } from './operation-steps.ts';
import { Outcomes } from './outcomes.ts';
import { type Host, scenarioOf, unrollHost } from './scenario.ts';

export interface ExploreOptions {
  readonly protocol: Protocol;
  /** Name of the mutant the protocol is, if it is one. */
  readonly mutant?: string | null;
  /** Over the default CPU and the one the protocol was written for. */
  readonly cpu?: Partial<CpuModel>;
  readonly level?: BlockLevel;
  readonly vcpus?: 1 | 2;
  /** Kinds of access the guest programs are made of. Default: loads and stores. */
  readonly kinds?: readonly AccessKind[];
  /** Guest programs in place of every combination. */
  readonly programs?: readonly GuestProgram[];
  readonly bounds?: Partial<ExploreBounds>;
}

/** The CPU asked for is one the model does not have. */
export class ExploreUnsupported extends Error {
  override readonly name = 'ExploreUnsupported';
}

/** The protocol threw: what it threw is `cause`. */
export class ProtocolThrew extends Error {
  override readonly name = 'ProtocolThrew';
}

interface Figures {
  states: number;
  orders: number;
  stoppedBy: string | null;
}

/** Throws ExploreUnsupported, ProtocolThrew. A bound that was met is part of the result. */
export function exploreProtocol(options: ExploreOptions): ExploreRun {
  const startedMs = performance.now();
  const { protocol, level = 2, vcpus = 1, kinds = ['load', 'store'] } = options;
  const cpu: CpuModel = { ...DEFAULT_CPU, ...protocol.cpu, ...options.cpu };
  const reason = unsupportedReason(cpu);
  if (reason !== null) throw new ExploreUnsupported(reason);
  const bounds: ExploreBounds = { ...EXPLORE_BOUNDS, ...options.bounds };
  const map = new MemoryMap(protocol.kind, level, bounds.tables);
  const programs = options.programs ?? guestPrograms(kinds, map.pages);
  assert(programs.length > 0, 'an exploration has guest programs');
  const bbm = sanitisedBbmLevel(cpu.bbm.map((field) => idAa64Mmfr2(field)));
  const figures: Figures = { states: 0, orders: 0, stoppedBy: null };
  const outcomes = new Outcomes(protocol.claims);
  const host = hostOf(options.protocol, map, bbm, vcpus, bounds, figures);
  if (host !== null) explorePrograms(host, cpu, programs, bounds, startedMs, figures, outcomes);
  const judged = host === null ? NOTHING_JUDGED : judgeOperations(host, bbm, protocol.claims);
  const violations = [...outcomes.violations(judged.whys), ...judged.violations]
    .filter((v, i, all) => all.findIndex((other) => other.rule === v.rule) === i)
    .toSorted(bySeverity);
  const verdict: ExploreVerdict =
    violations.length > 0 ? 'violated' : figures.stoppedBy === null ? 'safe' : 'bounded';
  return {
    protocol: protocol.name,
    mutant: options.mutant ?? null,
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
    violation: violations[0] ?? null,
    violations,
    notes: [...judged.notes, ...notesOn(cpu)],
  };
}

/** Null if a bound stopped it; which one is noted. */
function boundedBy<T>(figures: Figures, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
    figures.stoppedBy = error.bound;
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
): Host | null {
  try {
    return boundedBy(figures, () => unrollHost(protocol, map, bbm, vcpus, bounds));
  } catch (cause) {
    const text = cause instanceof Error ? cause.message : String(cause);
    throw new ProtocolThrew(`${protocol.name} failed: ${text}`, { cause });
  }
}

function explorePrograms(
  host: Host,
  cpu: CpuModel,
  programs: readonly GuestProgram[],
  bounds: ExploreBounds,
  startedMs: number,
  figures: Figures,
  outcomes: Outcomes,
): void {
  const options = armModel(cpu.ets === 'ets2' ? 'ets2' : 'base', { tlb: cpu.tlb > 0 });
  for (const program of programs) {
    const scenario = boundedBy(figures, () => scenarioOf(host, cpu, program, bounds.nodes));
    if (scenario === null) return;
    const left = {
      events: bounds.events,
      states: bounds.states - figures.states,
      nodes: bounds.nodes,
      visits: 1,
      timeMs: bounds.timeMs - (performance.now() - startedMs),
    };
    const collect = outcomes.collector(host, scenario, options);
    const stats = search(scenario.system, options, left, collect);
    figures.states += stats.states;
    figures.orders += stats.orders;
    figures.stoppedBy ??= stats.stoppedBy;
    if (stats.stoppedBy !== null) return;
  }
}

interface JudgedOperations {
  readonly violations: readonly ExploreViolation[];
  /** Sentences that explain a schedule, too. */
  readonly whys: readonly string[];
  readonly notes: readonly string[];
}

const NOTHING_JUDGED: JudgedOperations = { violations: [], whys: [], notes: [] };

function judgeOperations(host: Host, bbm: BbmLevel, claims: Claims): JudgedOperations {
  const violations: ExploreViolation[] = [];
  const notes = new Set<string>();
  for (const path of host.paths) {
    const trace = traceOf(host.map, path);
    const verdict = judgeTrace(trace, bbm);
    for (const note of verdict.notes) notes.add(note);
    if (verdict.windowed && claims.neverInvalid === true) {
      const stored = trace.events.findIndex(
        (e) => e.op === 'write' && e.entry === 'target' && !isValid(e.value),
      );
      const why = 'the protocol claims neverInvalid and stores an invalid descriptor (R_KFLJB)';
      const steps = operationSteps(host.map, trace, stored);
      violations.push({ rule: 'claim', why, by: 'operations', steps, token: null });
    }
    for (const { rule, why, event } of verdict.violations) {
      const steps = operationSteps(host.map, trace, event);
      violations.push({ rule, why, by: 'operations', steps, token: null });
    }
  }
  return {
    violations,
    whys: violations.filter(({ rule }) => rule !== 'claim').map(({ why }) => why),
    notes: [...notes],
  };
}

/** What a schedule shows is worse than what the operations might do; then the rules' own order. */
function bySeverity(a: ExploreViolation, b: ExploreViolation): number {
  const shown = Number(a.by === 'operations') - Number(b.by === 'operations');
  return shown || RULES.indexOf(a.rule) - RULES.indexOf(b.rule);
}

function boundValues(bounds: ExploreBounds, programs: readonly GuestProgram[]): ExploreBoundValues {
  const accesses = Math.max(...programs.map((program) => accessesOf(program).length));
  return { ...bounds, programs: programs.length, accesses };
}
