/**
 * Searches of the same configuration come to the same; of several the one that tells most stays. Parts of
 * one search, which shards have split, are put together.
 */
import {
  causesFirst,
  type ExploreOutcome,
  type ExplorePart,
  type ExploreRun,
  type ExploreViolation,
  worstFirst,
} from '../explore.ts';

export function exploreRowKey(run: ExploreRun): string {
  const { scenario = null, protocol, mutant, cpu, granule, level, vcpus, bounds } = run;
  const { against = null, regions = 1 } = run;
  const knobs = Object.entries(cpu).sort(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify([
    ...[scenario, protocol, mutant, against, knobs, granule, regions],
    ...[level, vcpus, bounds.accesses],
  ]);
}

const TELLS = { violated: 2, safe: 1, bounded: 0 } as const;

function mostTelling(rows: readonly [ExploreRun, ...ExploreRun[]]): ExploreRun {
  return rows.reduce((best, run) => (TELLS[run.verdict] > TELLS[best.verdict] ? run : best));
}

type Rows = readonly [ExploreRun, ...ExploreRun[]];

/** What rows of one configuration come to: the whole search, if it is there, or its parts. */
export function joinedRow(rows: Rows): ExploreRun {
  const whole = rows.filter(({ part }) => part === undefined);
  if (whole.length > 0) return mostTelling(whole as unknown as Rows);
  const parts = [...Map.groupBy(rows, ({ part }) => JSON.stringify(part)).values()]
    .map((same) => mostTelling(same as unknown as Rows))
    .toSorted((a, b) => (a.part?.from ?? 0) - (b.part?.from ?? 0));
  return joined(parts as unknown as Rows);
}

/** Each of a stretch of its own, in their order. */
function joined(parts: Rows): ExploreRun {
  const [first] = parts;
  const stretch = stretchOf(parts);
  const { part: _, stoppedWhy: __, protocolNotes: ___, ...all } = first;
  const sum = (figure: (run: ExploreRun) => number): number =>
    parts.reduce((total, run) => total + figure(run), 0);
  const violations = shortestOfEach(parts.flatMap((run) => run.violations));
  const stopped = parts.find(({ stoppedBy }) => stoppedBy !== null);
  const missing = stretch === null ? null : 'parts of the search are missing';
  const why = stopped?.stoppedWhy ?? missing;
  const notes = [...new Set(parts.flatMap((run) => run.protocolNotes ?? []))];
  const isViolated = parts.some(({ verdict }) => verdict === 'violated');
  const isSafe = stopped === undefined && missing === null;
  return {
    ...all,
    ...(stretch === null ? {} : { part: stretch }),
    verdict: isViolated ? 'violated' : isSafe ? 'safe' : 'bounded',
    states: sum((run) => run.states),
    executions: sum((run) => run.executions),
    orders: sum((run) => run.orders),
    elapsedMs: sum((run) => run.elapsedMs),
    stoppedBy: stopped?.stoppedBy ?? (missing === null ? null : 'shard'),
    ...(why === null ? {} : { stoppedWhy: why }),
    outcomes: joinedOutcomes(parts.flatMap((run) => run.outcomes)),
    violation: violations.find(({ by }) => by === 'schedule') ?? violations[0] ?? null,
    violations,
    notes: [...new Set(parts.flatMap((run) => run.notes))],
    ...(notes.length === 0 ? {} : { protocolNotes: notes }),
  };
}

/** Null: nothing is missing. */
function stretchOf(parts: Rows): ExplorePart | null {
  const stretches = parts.flatMap(({ part }) => part ?? []);
  const of = stretches[0]?.of ?? 1;
  let to = 0;
  for (const part of stretches) if (part.of === of && part.from <= to) to = Math.max(to, part.to);
  if (to === of) return null;
  return { from: stretches[0]?.from ?? 0, to: stretches.at(-1)?.to ?? 0, of };
}

/** What an execution shows before what operations alone do, and the shortest; of two the first. */
function shortestOfEach(violations: readonly ExploreViolation[]): ExploreViolation[] {
  const best = new Map<string, ExploreViolation>();
  const length = ({ by, steps }: ExploreViolation): number =>
    steps.length + (by === 'operations' ? Number.MAX_SAFE_INTEGER / 2 : 0);
  for (const violation of violations) {
    const known = best.get(violation.rule);
    if (known === undefined || length(violation) < length(known))
      best.set(violation.rule, violation);
  }
  return [...best.values()].toSorted(causesFirst);
}

function joinedOutcomes(outcomes: readonly ExploreOutcome[]): ExploreOutcome[] {
  const known = new Map<string, ExploreOutcome>();
  for (const outcome of outcomes) {
    const before = known.get(outcome.id);
    const count =
      before === undefined
        ? outcome.count
        : before.count === null || outcome.count === null
          ? null
          : before.count + outcome.count;
    known.set(outcome.id, { ...(before ?? outcome), count });
  }
  return [...known.values()].toSorted(worstFirst);
}
