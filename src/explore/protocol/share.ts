/**
 * The searches of one exploration: every start of its protocol with every guest program. Each is by
 * itself, so they may be shared among threads: whoever is free takes the next one. What a share found is
 * plain data, and the shares together come to what one alone does (conclude.ts).
 */
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { ExplorePart } from '../../result/explore.ts';
import { Search } from '../model/index.ts';
import { modelOf } from './cpu.ts';
import { BoundReached, type ExploreBounds } from './machine/bounds.ts';
import type { GuestProgram } from './machine/guest.ts';
import { type MemoryMap, TARGET } from './machine/memory-map.ts';
import type { FoundOutcome } from './judge/joint.ts';
import type { Outcomes, ShownPart } from './outcomes.ts';
import type { Host } from './run/host.ts';
import { scenarioOf } from './run/scenario.ts';

/** How far an exploration is. */
export interface ExploreProgress {
  readonly programsDone: number;
  readonly programs: number;
  readonly states: number;
  /** Events in the order the search stands at. */
  readonly depth: number;
}

/** Who takes which search. */
export interface Share {
  /** Number of the next search that nobody has taken; null: none is left, or none is wanted. */
  take(): number | null;
  /** Adds states of its own; answers with those of all. */
  count(states: number): number;
  /** Nobody takes another one. */
  end(): void;
  /** Milliseconds since the first of all began. */
  elapsedMs(): number;
}

/** What one share found: plain data. */
export interface Found {
  readonly states: number;
  readonly orders: number;
  readonly executions: number;
  /** Searches that it has gone through to the end. */
  readonly done: number;
  readonly stoppedBy: string | null;
  /** What is behind it, where that is known. */
  readonly stoppedWhy: string | null;
  readonly outcomes: readonly FoundOutcome[];
  readonly shown: readonly ShownPart[];
}

/** What is searched. */
export interface Searched {
  readonly hosts: readonly Host[];
  readonly cpu: CpuModel;
  readonly programs: readonly GuestProgram[];
  readonly bounds: ExploreBounds;
  readonly outcomes: Outcomes;
  /** Null: all of it. */
  readonly part: ExplorePart | null;
}

/** What has stopped it, if something has. */
export interface Stop {
  stoppedBy: string | null;
  stoppedWhy: string | null;
}

/** What `stoppedBy` says where nobody waited for the end. */
export const INTERRUPTED = 'interrupt';

/** Steps of the search between two looks at whatever else there is: a few milliseconds. */
const SLICE_STEPS = 256;

/** So long after the time is up, or nobody waits any longer, is spelled out what was found. */
const PATIENCE_MS = 250;

/**
 * Of two hypervisors that are convicted the search ends after so many states: who does not look whether
 * it has lost has orders without end, and what more of them would show is the same again.
 */
const CONVICTED_STATES = 60_000;

/** How many searches it has, or a part of it. */
export function searchesOf(searched: Pick<Searched, 'hosts' | 'programs' | 'part'>): number {
  const [from, to] = stretchOf(searched);
  return to - from;
}

/** The first of its searches, and the one behind the last. */
function stretchOf({
  hosts,
  programs,
  part,
}: Pick<Searched, 'hosts' | 'programs' | 'part'>): [number, number] {
  const all = hosts.length * programs.length;
  if (part === null) return [0, all];
  const cut = (at: number): number => Math.floor((at * all) / part.of);
  return [cut(part.from), cut(part.to)];
}

/** All of them, one after the other. */
export function wholeShare(searches: number): Share {
  const startMs = performance.now();
  let next = 0;
  let total = 0;
  return {
    take: () => (next < searches ? next++ : null),
    count: (states) => (total += states),
    end: () => void (next = searches),
    elapsedMs: () => performance.now() - startMs,
  };
}

/** `isStopped` is asked every few milliseconds. Throws what one of the protocols throws. */
export function* searchShare(
  searched: Searched,
  share: Share,
  isStopped: () => boolean,
): Generator<ExploreProgress, Found, void> {
  const { outcomes } = searched;
  const figures: Figures = { states: 0, orders: 0, done: 0, stoppedBy: null, stoppedWhy: null };
  for (const progress of takeSearches(searched, share, figures)) {
    yield progress;
    if (!isStopped()) continue;
    figures.stoppedBy = INTERRUPTED;
    break;
  }
  if (figures.stoppedBy !== null) share.end();
  // What a rule says of it comes first.
  if (outcomes.failure !== null && !outcomes.isViolated) throw outcomes.failure;
  const { executions } = outcomes;
  yield* spellOut(searched, share, figures, isStopped);
  return {
    ...figures,
    executions,
    outcomes: outcomes.settled,
    shown: outcomes.shown(searched.hosts),
  };
}

/** The table of outcomes, as far as there is time for it. */
function* spellOut(
  searched: Searched,
  share: Share,
  figures: Figures,
  isStopped: () => boolean,
): Generator<ExploreProgress, void, void> {
  const { outcomes, bounds } = searched;
  const programs = searchesOf(searched);
  let endMs = Number.POSITIVE_INFINITY;
  for (const _ of outcomes.settle()) {
    yield { programsDone: programs, programs, states: share.count(0), depth: 0 };
    const isLate = share.elapsedMs() > bounds.timeMs;
    if (endMs === Number.POSITIVE_INFINITY && (isLate || isStopped())) {
      endMs = performance.now() + PATIENCE_MS;
    }
    if (performance.now() <= endMs) continue;
    if (isStopped()) figures.stoppedBy = INTERRUPTED;
    figures.stoppedBy ??= 'timeMs';
    figures.stoppedWhy ??=
      'in the search for shortest schedules, so not all that was found is told';
    return;
  }
}

interface Figures extends Stop {
  states: number;
  orders: number;
  done: number;
}

function* takeSearches(
  searched: Searched,
  share: Share,
  figures: Figures,
): Generator<ExploreProgress, void, void> {
  const { hosts, cpu, programs, bounds, outcomes } = searched;
  const options = modelOf(cpu);
  const [from, to] = stretchOf(searched);
  const searches = hosts
    .flatMap((host) => programs.map((program) => ({ host, program })))
    .slice(from, to);
  for (let at = share.take(); at !== null; at = share.take()) {
    const { host, program } = searches[at] as (typeof searches)[number];
    const scenario = boundedBy(figures, () => scenarioOf(host, cpu, program, bounds.nodes));
    if (scenario === null) return;
    const { states, orders } = figures;
    const left = {
      events: bounds.events,
      states: bounds.states - share.count(0),
      nodes: bounds.nodes,
      visits: 1,
      timeMs: bounds.timeMs - share.elapsedMs(),
      memoryBytes: bounds.memoryBytes,
    };
    const collect = outcomes.collector(host, scenario, options, at);
    const { map } = host;
    const search = new Search(scenario.system, options, left, collect);
    for (let isOver = false; !isOver;) {
      isOver = search.advance(SLICE_STEPS);
      const ofAll = share.count(states + search.states - figures.states);
      figures.states = states + search.states;
      figures.orders = orders + search.orders;
      if (isEnough(map, outcomes) && figures.states >= CONVICTED_STATES) {
        figures.stoppedBy ??= 'states';
        figures.stoppedWhy = 'what it has found breaks rules, and more of the same is left out';
        return;
      }
      yield { programsDone: at, programs: searches.length, states: ofAll, depth: search.depth };
    }
    if (search.stoppedBy !== null) {
      figures.stoppedBy = search.stoppedBy;
      return;
    }
    figures.done++;
  }
}

/** Of two: something is wrong with them, and more of the same would be no news. */
function isEnough({ makers }: MemoryMap, { isViolated, failure }: Outcomes): boolean {
  return makers > 1 && (isViolated || failure !== null);
}

/** Null if a bound stopped it; which one is noted. */
export function boundedBy<T>(stop: Stop, make: () => T): T | null {
  try {
    return make();
  } catch (error) {
    if (!(error instanceof BoundReached)) throw error;
    stop.stoppedBy = error.bound;
    if (error.waitsFor !== null) {
      const place = error.waitsFor === TARGET ? 'the entry' : 'an entry of a table';
      stop.stoppedWhy = `it reads ${place} again and again and waits for a change that nobody here makes`;
    }
    return null;
  }
}
