/**
 * A violation for people: what, where, why, the last events of the threads concerned, and what to
 * run next.
 */
import type { StressRun, Violation } from '../result/stress.ts';
import { grouped } from './numbers.ts';
import type { Paint } from './paint.ts';
import { RULE_TEXTS } from './rule-texts.ts';
import { configurationOf } from './run-tables.ts';
import { alignColumns } from './table.ts';

/** More than this many different ones tell a reader nothing the first do not. */
const SHOWN_MAX = 10;

/** Violations of the runs that are judged; an exhibit's are named below its table. */
export function violationLines(runs: readonly StressRun[], paint: Paint): string[] {
  const found = runs
    .filter((run) => run.exhibit === null)
    .flatMap((run) => run.violations.map((violation) => ({ run, violation })));
  const lines = found
    .slice(0, SHOWN_MAX)
    .flatMap(({ run, violation }) => oneViolation(run, violation, paint));
  const more = found.length - SHOWN_MAX;
  if (more > 0) lines.push('', `and ${grouped(more)} more violations (--json has them)`);
  return lines;
}

function oneViolation(run: StressRun, v: Violation, paint: Paint): string[] {
  const who = run.mutant === null ? run.protocol : `mutant ${run.mutant}`;
  const times = v.count === 1 ? 'once' : `${grouped(v.count)} times`;
  const rows: string[][] = [
    ['  rule', RULE_TEXTS[v.rule]],
    ['  why', v.why],
    ['  where', placeOf(v)],
    ['  with', configurationOf(run)],
  ];
  if (v.exploreCommand !== '') rows.push(['  next', v.exploreCommand]);
  return [
    '',
    paint('red', `VIOLATION ${v.rule}: ${who}, ${times}`),
    ...alignColumns(rows),
    ...eventLines(v),
  ];
}

function placeOf(v: Violation): string {
  const parts = [
    v.vcpu === null ? '' : `vCPU ${v.vcpu}`,
    v.ipa === null ? '' : `IPA ${v.ipa}`,
    v.round === null ? '' : `round ${grouped(v.round)}`,
  ].filter((part) => part !== '');
  return parts.length === 0 ? 'the whole run' : parts.join(', ');
}

/**
 * Threads have no common clock: the TLBI generation each had seen orders them, then each one's own
 * sequence.
 */
function eventLines(v: Violation): string[] {
  if (v.events.length === 0) return [];
  const ordered = [...v.events].sort(
    (a, b) => a.generation - b.generation || a.sequence - b.sequence,
  );
  const rows = ordered.map((event) => [
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
