/**
 * One group from start to end: makes the arena, starts the threads, watches them, and brings back
 * what they recorded.
 *
 * Whatever happens to a thread, this returns: a worker that throws or exits settles its task, one
 * that hangs is noticed by the watchdog; then the stop word frees all waits, and threads that do
 * not end within the grace time are terminated.
 */
import { Barrier, raiseStop } from '#sync';
import type { Evidence } from '../../result/evidence.ts';
import { logsStores, machineNeeds, scenarioNamed } from '../../scenarios/index.ts';
import { type Arena, createArena } from '../../machine/arena.ts';
import { CONTROL, LINE_WORDS, threadsOf, VCPU } from '../../machine/layout.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { decodeEvidence, type RecordedEvidence } from '../results/decode.ts';
import { type Collections, NO_COLLECTIONS, together } from '../process/collections.ts';
import type { GroupPlan } from '../plan/group.ts';
import { type GroupLimits, type GroupRequest, isOver } from '../plan/group-request.ts';
import { watchOthers } from '../process/busy.ts';
import { createPatience } from '../process/patience.ts';
import type { ThreadPool } from './pool.ts';
import type { TaskResult } from '../thread/task-result.ts';
import { createResultsArea, type ResultsArea } from '../results/results-area.ts';

export type GroupEnd =
  | { readonly kind: 'done' }
  | { readonly kind: 'interrupted' }
  /** A thread died, hung or threw: which, and what is known. */
  | { readonly kind: 'failed'; readonly why: string };

export interface GroupOutcome {
  readonly arena: Arena;
  readonly results: ResultsArea;
  readonly end: GroupEnd;
  /** Per item, from the hypervisor; empty where it died. */
  readonly traces: readonly (readonly SeenTrace[])[];
  /** Per item, of all vCPUs: faults that a protocol of their own served. */
  readonly served: readonly number[];
  /** The same of the second hypervisor; empty where there is none. */
  readonly secondTraces: readonly (readonly SeenTrace[])[];
  readonly itemEvidence: readonly (readonly Evidence[])[];
  /** What the threads themselves recorded. */
  readonly recorded: readonly RecordedEvidence[];
  /** Plan items of which evidence was counted and not kept: they cannot pass. */
  readonly unkept: ReadonlySet<number>;
  readonly notes: readonly string[];
  /** Garbage collections while the rounds ran; none are known of a thread that died. */
  readonly collections: { readonly hypervisor: Collections; readonly vcpus: Collections };
  /** Share of the CPUs' time that other programs had meanwhile (busy.ts). */
  readonly othersShare: number;
  /** Its threads have run another group before: accesses take longer in them (pool.ts). */
  readonly threadsKept: boolean;
  /** From `run` on. */
  readonly elapsedMs: number;
  /** Until all threads were ready for the first round: what a start costs here; null if they never were. */
  readonly readyMs: number | null;
}

/** How long nothing may happen before a group is taken to hang. */
export interface HangBounds {
  /**
   * No thread made progress for so long, waits for a CPU not counted (patience.ts): something hangs.
   * Longer than any wait a healthy group has.
   */
  readonly hangMs: number;
  /**
   * Until all threads are ready they start, load protocols and build tables, each of which counts as
   * progress, but takes longer than anything later.
   */
  readonly startMs: number;
}

const HANG_BOUNDS: HangBounds = { hangMs: 4_000, startMs: 10_000 };

export interface GroupHooks {
  readonly signal: AbortSignal;
  /** Others than a campaign has, for tests of what hangs. */
  readonly bounds?: HangBounds;
  onTick(state: { rounds: number; faults: number; evidence: number; elapsedMs: number }): void;
}

const TICK_MS = 100;
/** Where a group ends as soon as something is seen. */
const LOOK_MS = 20;
/** From the stop word to termination. */
const STOP_GRACE_MS = 500;

/** A group whose threads start, load their protocols and then wait for `run`. */
export interface StartedGroup {
  /** At most once. `limits` instead of those of the request. */
  run(hooks: GroupHooks, limits?: GroupLimits): Promise<GroupOutcome>;
  /** Instead of `run`: nobody wants it any more. Returns when its threads are gone. */
  cancel(): Promise<void>;
}

export async function runGroup(
  pool: ThreadPool,
  request: GroupRequest,
  hooks: GroupHooks,
  limits: GroupLimits = request,
): Promise<GroupOutcome> {
  return startGroup(pool, request).run(hooks, limits);
}

/** What starts while another group runs disturbs it: for groups in which no times are taken. */
export function startGroup(pool: ThreadPool, request: GroupRequest): StartedGroup {
  const { config, isDone: _isDone, budgetMs: _budgetMs, ...others } = request;
  const { roundsMin: _roundsMin, lastMs: _lastMs, atLeast: _atLeast, ...rest } = others;
  const scenario = scenarioNamed(request.scenario);
  const needs = machineNeeds(scenario);
  // Of all items of a group or of none (portfolio.ts, machineKey).
  const hafdbs = request.items.some(({ cpu }) => cpu.hafdbs);
  const hdbss = request.items.some(({ cpu }) => cpu.hdbss) && logsStores(scenario);
  const hasSecondMaker = request.against !== undefined;
  const arena = createArena({ ...config, ...needs, hafdbs, hdbss, hasSecondMaker });
  const results = createResultsArea(request.items.length);
  const { i32 } = arena;
  Barrier.setup(Barrier.attach(i32, CONTROL.barrier), threadsOf(arena.layout.config));
  const plan: GroupPlan = { ...rest, arena: arena.handle, results: results.buffer };

  const terminate = new AbortController();
  const tasks = pool.start(plan, terminate.signal);
  let end: GroupEnd | null = null;
  const stop = (why: GroupEnd): void => {
    end ??= why;
    raiseStop(i32, CONTROL.stop);
    Atomics.notify(i32, CONTROL.go);
    setTimeout(() => terminate.abort(), STOP_GRACE_MS).unref();
  };
  // A thread that ended badly frees the others at once.
  const { second } = tasks;
  for (const task of [tasks.hypervisor, ...tasks.vcpus, ...(second === null ? [] : [second])]) {
    void watch(task, (why) => stop({ kind: 'failed', why }));
  }

  async function run(hooks: GroupHooks, limits: GroupLimits = request): Promise<GroupOutcome> {
    const startedMs = performance.now();
    const others = watchOthers();
    Atomics.store(i32, CONTROL.go, 1);
    Atomics.notify(i32, CONTROL.go);
    const onAbort = (): void => stop({ kind: 'interrupted' });
    if (hooks.signal.aborted) onAbort();
    else hooks.signal.addEventListener('abort', onAbort, { once: true });

    const { hangMs, startMs } = hooks.bounds ?? HANG_BOUNDS;
    const patience = createPatience();
    let readyMs: number | null = null;
    const timer = setInterval(
      () => {
        const elapsedMs = performance.now() - startedMs;
        const rounds = Atomics.load(i32, CONTROL.roundsDone);
        if (!isStarting(arena)) readyMs ??= elapsedMs;
        const isDone = rounds > 0 && limits.isDone?.(arena, results) === true;
        if (isDone || isOver(limits, elapsedMs, rounds)) {
          Atomics.store(i32, CONTROL.finish, 1);
          // Threads that are still starting would go on with that, for nothing.
          if (rounds === 0 && isStarting(arena)) stop({ kind: 'done' });
        }
        const isLate = patience.isOver(progressOf(arena), isStarting(arena) ? startMs : hangMs);
        if (isLate) {
          const waitedMs = Math.round(patience.sinceProgressMs());
          const threads = `${describeThreads(arena)}, ${describeWork(arena, plan)}`;
          stop({ kind: 'failed', why: `${whoHangs(arena)} for ${waitedMs} ms (${threads})` });
        }
        hooks.onTick({
          rounds,
          faults: Atomics.load(i32, CONTROL.faultsSeen),
          evidence: Atomics.load(i32, CONTROL.evidenceSeen),
          elapsedMs,
        });
      },
      limits.isDone === undefined ? TICK_MS : LOOK_MS,
    );

    try {
      const [hypervisor, ...vcpus] = await Promise.all([tasks.hypervisor, ...tasks.vcpus]);
      const secondEnd = await tasks.second;
      await tasks.ended;
      const elapsedMs = performance.now() - startedMs;
      const threads = decodeEvidence(arena);
      const value = hypervisor.ok ? hypervisor.value : null;
      const other = secondEnd?.ok === true ? secondEnd.value : null;
      return {
        arena,
        results,
        end: end ?? { kind: 'done' },
        traces: request.items.map((_, item) => [
          ...(value?.traces[item] ?? []),
          ...vcpus.flatMap((vcpu) => (vcpu.ok ? (vcpu.value.traces[item] ?? []) : [])),
        ]),
        served: request.items.map((_, item) =>
          vcpus.reduce((sum, vcpu) => sum + (vcpu.ok ? (vcpu.value.served[item] ?? 0) : 0), 0),
        ),
        secondTraces: request.items.map((_, item) => other?.traces[item] ?? []),
        itemEvidence: request.items.map((_, item) => [
          ...(value?.evidence[item] ?? []),
          ...(other?.evidence[item] ?? []),
        ]),
        recorded: threads.recorded,
        unkept: threads.unkept,
        notes: value?.notes ?? [],
        collections: {
          hypervisor: together([value, other].map((each) => each?.collections ?? NO_COLLECTIONS)),
          vcpus: together(vcpus.map((vcpu) => (vcpu.ok ? vcpu.value.collections : NO_COLLECTIONS))),
        },
        othersShare: others().share,
        threadsKept: tasks.areKept,
        elapsedMs,
        readyMs: readyMs ?? (isStarting(arena) ? null : elapsedMs),
      };
    } finally {
      clearInterval(timer);
      hooks.signal.removeEventListener('abort', onAbort);
    }
  }

  return {
    run,
    async cancel() {
      stop({ kind: 'interrupted' });
      await tasks.ended;
    },
  };
}

/** Tells as soon as a task has ended badly; tasks never reject. */
async function watch(
  task: Promise<TaskResult<unknown>>,
  onFailed: (why: string) => void,
): Promise<void> {
  const result = await task;
  if (!result.ok) onFailed(result.stack);
}

/**
 * Moves as long as the hypervisor thread does. That is enough: a vCPU that hangs makes it wait in a
 * DSB or at the barrier, while other vCPUs may well go on.
 */
function progressOf(arena: Arena): string {
  const { i32, layout } = arena;
  const words = [CONTROL.started, CONTROL.roundsDone, layout.eventW];
  return words.map((word) => Atomics.load(i32, word)).join(' ');
}

/** Not all threads are ready for the first round. */
const isStarting = ({ i32, layout }: Arena): boolean =>
  Atomics.load(i32, CONTROL.started) < 2 * threadsOf(layout.config);

/** A thread that is not ready says nothing of itself; the hypervisor waits for it. */
function whoHangs(arena: Arena): string {
  return isStarting(arena)
    ? `not all of ${threadsOf(arena.layout.config)} threads have loaded the protocols: no progress`
    : 'the hypervisor thread made no progress';
}

/** Within a transition it is the protocol that does not come back. */
function describeWork(arena: Arena, plan: GroupPlan): string {
  const { i32, layout } = arena;
  const isChanging = Array.from({ length: layout.config.blocks }, (_, b) => b).some(
    (b) => ((i32[layout.ghostW + b * LINE_WORDS] as number) & 3) !== 0,
  );
  const name = plan.items[i32[CONTROL.planItem] as number]?.protocol.name ?? 'unknown';
  const beside = plan.against === undefined ? '' : ` beside ${plan.against.name}`;
  return isChanging ? `in a transition of ${name}${beside}` : 'between transitions';
}

/** Names the vCPUs in the guest: one of them, or the hypervisor itself, is what everybody waits for. */
function describeThreads(arena: Arena): string {
  const { i32, layout } = arena;
  const online = Array.from({ length: layout.config.vcpus }, (_, v) => v).filter(
    (v) => i32[layout.vcpuW + v * VCPU.words + VCPU.mode] === 1,
  );
  const who = online.length === 0 ? 'no vCPU' : `vCPU ${online.join(', ')}`;
  return `round ${i32[CONTROL.round]}, ${who} in the guest`;
}
