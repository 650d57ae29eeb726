/**
 * A violation for people: what, where, why, the last events of the threads concerned, and what to
 * run next.
 */
import type { StressRun, Violation, ViolationEvent } from '../../result/stress.ts';
import { grouped } from '../numbers.ts';
import type { Paint } from '../paint.ts';
import { RULE_TEXTS } from '../rule-texts.ts';
import { configurationOf } from '../run-tables.ts';
import { alignColumns } from '../table.ts';

/** More than this many different ones tell a reader nothing the first do not. */
const SHOWN_MAX = 10;

/**
 * Violations of the runs that are judged; an exhibit's are named below its table. Of each run the
 * first one is told in full: the checker puts causes before what comes of them. The others are a
 * line each; their events are in the JSON.
 */
export function violationLines(runs: readonly StressRun[], paint: Paint): string[] {
  const lines: string[] = [];
  let left = SHOWN_MAX;
  let hidden = 0;
  for (const run of runs.filter(({ exhibit }) => exhibit === null)) {
    const [first, ...others] = run.violations.slice(0, left);
    hidden += run.violations.length - Math.min(left, run.violations.length);
    if (first === undefined) continue;
    left -= 1 + others.length;
    lines.push(...inFull(run, first, paint), ...inShort(others, paint));
  }
  if (hidden > 0) lines.push('', `and ${grouped(hidden)} more violations (--json has them)`);
  return lines;
}

function inFull(run: StressRun, v: Violation, paint: Paint): string[] {
  const who = run.mutant === null ? run.protocol : `mutant ${run.mutant}`;
  const rows: string[][] = [
    ['  rule', RULE_TEXTS[v.rule]],
    ['  why', v.why],
    ['  where', placeOf(v)],
    ['  with', configurationOf(run)],
  ];
  if (v.exploreCommand !== '') rows.push(['  next', v.exploreCommand]);
  return [
    '',
    paint('red', `VIOLATION ${v.rule}: ${who}, ${timesText(v)}`),
    ...alignColumns(rows),
    ...eventLines(v),
  ];
}

/** What else was found in the same run. */
function inShort(violations: readonly Violation[], paint: Paint): string[] {
  if (violations.length === 0) return [];
  const rows = violations.map((v) => [`    ${v.rule}`, timesText(v), v.why]);
  return [paint('red', '  and in the same run (events: --json)'), ...alignColumns(rows)];
}

export function placeOf(v: Violation): string {
  const parts = [
    v.vcpu === null ? '' : `vCPU ${v.vcpu}`,
    v.ipa === null ? '' : `IPA ${v.ipa}`,
    v.round === null ? '' : `round ${grouped(v.round)}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'the whole run' : parts.join(', ');
}

export function timesText({ count, seen = 0 }: Violation): string {
  const times = count === 1 ? 'once' : `${grouped(count)} times`;
  return seen > count ? `${times}, the first kept of ${grouped(seen)} sightings` : times;
}

/**
 * Threads have no common clock: the TLBI generation each had seen orders them, then each one's own
 * sequence.
 */
export function orderedEvents({ events }: Violation): ViolationEvent[] {
  return [...events].sort((a, b) => a.generation - b.generation || a.sequence - b.sequence);
}

function eventLines(v: Violation): string[] {
  if (v.events.length === 0) return [];
  const rows = orderedEvents(v).map((event) => [
    `    ${event.generation}`,
    String(event.sequence),
    event.thread,
    event.text,
  ]);
  return [
    '  last events, by TLBI generation seen',
    ...alignColumns([['    gen', 'seq', 'thread', 'event'], ...rows]),
  ];
}
