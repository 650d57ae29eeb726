/**
 * One search as a task: on any thread, with all that belongs to it, or a share of it where several threads
 * are at it. What comes of it is plain data.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runsOn } from '../ablation/index.ts';
import { announcedBbm } from '../arch/cpu-model.ts';
import {
  conclude,
  type ExploreOptions,
  type ExploreProgress,
  exploreShare,
  fingerprintOfStart,
  type Found,
  foundBefore,
  keepFound,
  searchesOf,
  type Share,
  startExploration,
  type Started,
  TimeLimit,
  wholeShare,
} from '../explore/protocol/index.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';
import { internalErrorText } from '../report/internal-error.ts';
import type { ExplorePlan, Search, SearchLimits, Subject } from '../request/explore.ts';
import type { ExploreRun } from '../result/explore.ts';
import { searchOf, variantsOn } from './ablate.ts';
import { isCut } from './judge.ts';
import type { LateOperations } from './late-operations.ts';
import type { ThreadWords } from './thread-words.ts';

/** Between two looks at signals; the search itself hands over every few milliseconds. */
const TURN_MS = 50;

export interface SearchAt {
  readonly protocol: string;
  /** From 1. */
  readonly position: number;
  readonly of: number;
  readonly elapsedMs: number;
  /** Which of its changed forms, from 1; absent: as it is. */
  readonly change?: { readonly number: number; readonly of: number };
  /** Others that are under way on other threads. Absent: none. */
  readonly beside?: number;
}

export interface TaskHooks {
  /** Asked after every few milliseconds. */
  readonly signal: Pick<AbortSignal, 'aborted'>;
  /** How far one search is, of how many. */
  readonly onProgress: (progress: ExploreProgress, search: SearchAt) => void;
}

export type TaskAt = Pick<SearchAt, 'position' | 'of'>;

/** What is asked of every search. */
export interface SearchSettings {
  readonly ablate: boolean;
  readonly limits: SearchLimits;
}

/** Who else may be at a task. */
export interface TaskCrew {
  readonly words: ThreadWords;
  /** Number of the task. */
  readonly task: number;
}

/** What one of several threads has found of a search. */
export interface ShareDone {
  readonly is: 'share';
  readonly found: Found;
  readonly elapsedMs: number;
  /** Of what was searched: the same for all shares. */
  readonly fingerprint: string;
  /** How many shares there are; null: who has taken the task says it. */
  readonly parties: number | null;
}

export type SearchDone =
  | {
      readonly is: 'run';
      readonly run: ExploreRun;
      /** Of its variants, in their order; fewer after an interruption, none where nothing is ablated. */
      readonly variants: readonly ExploreRun[];
    }
  | SearchFailure;

export interface SearchFailure {
  readonly is: 'failure';
  readonly why: string;
  /** It did not return: somebody may find out where it is. */
  readonly isEndless: boolean;
}

/**
 * Never throws: what a search does never takes the results of the others with it. Others may join while it
 * runs; if one has, it comes to a share of it.
 */
export async function runSearchTask(
  search: Search,
  { ablate, limits }: SearchSettings,
  at: TaskAt,
  hooks: TaskHooks,
  late: LateOperations,
  crew: TaskCrew,
): Promise<SearchDone | ShareDone> {
  const done = await caught(async () => {
    if (isShareable(search, ablate)) return openSearch(search, limits, at, hooks, late, crew);
    crew.words.close(crew.task);
    // A change is shown by its number: its own name is one of the letters that a token is made of.
    const protocol = search.subject.protocol.name;
    const runIt = async (one: Search, change?: SearchAt['change']): Promise<ExploreRun> => {
      const own = change === undefined ? {} : { change };
      const ran = await runSearch(one, limits, { protocol, ...at, ...own }, hooks);
      await endTurn(late);
      return ran;
    };
    const run = await runIt(search);
    const variants = ablate ? await runVariants(search, run, runIt, hooks.signal) : [];
    return { is: 'run', run, variants } as const;
  });
  // Whatever became of it: nobody joins what is over.
  crew.words.close(crew.task);
  return done;
}

/** Of a task that another thread has opened. Never throws. */
export function joinSearchTask(
  search: Search,
  { limits }: SearchSettings,
  at: TaskAt,
  hooks: TaskHooks,
  late: LateOperations,
  crew: TaskCrew,
): Promise<SearchDone | ShareDone> {
  return caught(async () => {
    const started = startExploration(optionsOf(search, limits));
    const share = shareOf(crew);
    const found = await runShare(started, share, at, hooks, late);
    const fingerprint = fingerprintOfStart(started);
    return { is: 'share', found, elapsedMs: share.elapsedMs(), fingerprint, parties: null };
  });
}

/** What the shares of a search come to. Never throws. */
export function concludeSearch(
  search: Search,
  limits: SearchLimits,
  shares: readonly ShareDone[],
): SearchDone {
  try {
    const started = startExploration(optionsOf(search, limits));
    const print = fingerprintOfStart(started);
    if (shares.some(({ fingerprint }) => fingerprint !== print)) {
      const { name } = search.subject.protocol;
      const why = `protocol ${name} cannot be explored: it does not do the same on every thread`;
      return { is: 'failure', why, isEndless: false };
    }
    const elapsedMs = Math.max(...shares.map((share) => share.elapsedMs));
    const founds = shares.map(({ found }) => found);
    const run = conclude(started, founds, elapsedMs);
    return { is: 'run', run: asSubject(run, search.subject), variants: [] };
  } catch (error) {
    return failureOf(error);
  }
}

/**
 * What two hypervisors do together ends early where it is convicted, after as much as one thread has seen;
 * and of a search with its ablations there are many beside each other anyway.
 */
function isShareable({ subject }: Search, ablate: boolean): boolean {
  return subject.against === undefined && !ablate;
}

/** What is asked of each search where `jobs` threads share one memory. */
export function settingsFor(
  { searches, ablate, limits: { memoryBytes, ...limits } }: ExplorePlan,
  jobs: number,
): SearchSettings {
  if (memoryBytes === undefined) return { ablate, limits };
  const isShared = searches.length > 1 || searches.some((each) => isShareable(each, ablate));
  return { ablate, limits: { ...limits, memoryBytes: memoryBytes / (isShared ? jobs : 1) } };
}

async function openSearch(
  search: Search,
  limits: SearchLimits,
  at: TaskAt,
  hooks: TaskHooks,
  late: LateOperations,
  crew: TaskCrew,
): Promise<SearchDone | ShareDone> {
  const startMs = performance.now();
  const started = startExploration(optionsOf(search, limits));
  const before = foundBefore(started);
  if (before === null) crew.words.open(crew.task, searchesOf(started));
  const found = before ?? (await runShare(started, shareOf(crew), at, hooks, late));
  if (before !== null) await endTurn(late);
  const elapsedMs = performance.now() - startMs;
  const parties = crew.words.close(crew.task);
  if (parties > 1) {
    const fingerprint = fingerprintOfStart(started);
    return { is: 'share', found, elapsedMs, fingerprint, parties };
  }
  if (before === null) keepFound(started, found);
  const run = asSubject(conclude(started, [found], elapsedMs), search.subject);
  return { is: 'run', run, variants: [] };
}

async function runShare(
  started: Started,
  share: Share,
  at: TaskAt,
  hooks: TaskHooks,
  late: LateOperations,
): Promise<Found> {
  const { name: protocol } = started.options.protocol;
  const found = await runSteps(started, share, { protocol, ...at }, hooks);
  await endTurn(late);
  return found;
}

/** What a protocol left in a promise comes now. */
async function endTurn(late: LateOperations): Promise<void> {
  await nextTurn();
  late.check();
}

/** The searches of a task, beside whoever else is at it. */
function shareOf({ words, task }: TaskCrew): Share {
  return {
    take: () => words.takeSearch(task),
    count: (states) => words.countStates(task, states),
    end: () => words.endSearches(task),
    elapsedMs: () => words.elapsedMs(task),
  };
}

async function caught<T>(work: () => Promise<T>): Promise<T | SearchFailure> {
  try {
    return await work();
  } catch (error) {
    return failureOf(error);
  }
}

function failureOf(error: unknown): SearchFailure {
  if (!(error instanceof ProtocolFailure)) {
    return { is: 'failure', why: internalErrorText(error), isEndless: false };
  }
  return { is: 'failure', why: error.message, isEndless: error.cause instanceof TimeLimit };
}

/** Every variant of a protocol on one CPU; fewer after an interruption. */
async function runVariants(
  search: Search,
  base: ExploreRun,
  runIt: (search: Search, change: SearchAt['change']) => Promise<ExploreRun>,
  signal: TaskHooks['signal'],
): Promise<readonly ExploreRun[]> {
  const bbm = announcedBbm(search.cpu);
  const variants: ExploreRun[] = [];
  const all = variantsOn(search.subject.protocol, search.level, search.granule);
  for (const [i, variant] of all.entries()) {
    if (signal.aborted) break;
    const change = { number: i + 1, of: all.length };
    const run = runsOn(variant, bbm) ? await runIt(searchOf(search, variant), change) : base;
    if (!isCut(run)) variants.push(run);
  }
  return variants;
}

/** All of one search, on this thread. */
export async function runSearch(
  search: Search,
  limits: SearchLimits,
  at: Omit<SearchAt, 'elapsedMs'>,
  hooks: TaskHooks,
): Promise<ExploreRun> {
  const startMs = performance.now();
  const started = startExploration(optionsOf(search, limits));
  const found = await runSteps(started, wholeShare(searchesOf(started)), at, hooks);
  const run = conclude(started, [found], performance.now() - startMs);
  return asSubject(run, search.subject);
}

function optionsOf(
  { subject, cpu, level, granule, regions, vcpus, scenario, accesses, part }: Search,
  { timeMs, memoryBytes }: SearchLimits,
): ExploreOptions {
  const { protocol, mutant, source, against } = subject;
  // Who says how much memory there is means that to be the bound.
  const room = memoryBytes === undefined ? {} : { memoryBytes, states: Number.POSITIVE_INFINITY };
  const asked = {
    ...{ cpu, level, granule, regions, vcpus, scenario, accesses },
    bounds: { timeMs, ...room },
    ...(part !== undefined && { part }),
  };
  const beside = against === undefined ? {} : { against };
  return { protocol, mutant, ...beside, ...(source === null ? {} : { source }), ...asked };
}

async function runSteps(
  started: Started,
  share: Share,
  at: Omit<SearchAt, 'elapsedMs'>,
  { signal, onProgress }: TaskHooks,
): Promise<Found> {
  const startMs = performance.now();
  let turnMs = startMs;
  const steps = exploreShare(started, share, () => signal.aborted);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return step.value;
    if (performance.now() - turnMs < TURN_MS) continue;
    onProgress(step.value, { ...at, elapsedMs: performance.now() - startMs });
    // Signals arrive between two turns only.
    await nextTurn();
    turnMs = performance.now();
  }
}

/** Shown on purpose: nothing but the claim that is known to be broken was. */
function asSubject(all: ExploreRun, { exhibit, repaired }: Subject): ExploreRun {
  const run = repaired === undefined ? all : { ...all, repaired };
  const onlyClaim = run.violations.every((violation) => violation.rule === 'claim');
  if (exhibit === null || run.verdict !== 'violated' || !onlyClaim) return run;
  return { ...run, exhibit };
}
