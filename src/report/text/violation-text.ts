/**
 * A violation for people: what, where, why, the last events of the threads concerned, and what to
 * run next.
 */
import type { StressRun, Violation, ViolationEvent } from '../../result/stress.ts';
import { grouped } from '../numbers.ts';
import type { Paint } from '../paint.ts';
import { RULE_TEXTS } from '../rule-texts.ts';
import { configurationOf } from '../../result/compare/configuration.ts';
import { alignColumns } from '../table.ts';

/** More than this many different ones tell a reader nothing the first do not. */
const SHOWN_MAX = 10;

/** What breaks one rule for one reason, in every configuration of a protocol. */
interface Finding {
  readonly who: string;
  /** The first sighting is told. */
  readonly sightings: readonly { readonly run: StressRun; readonly v: Violation }[];
}

/**
 * Violations of the runs that are judged; an exhibit's are named below its table. Of each protocol the
 * first one is told in full: the checker puts causes before what comes of them. The others are a
 * line each; their events are in the JSON. What several configurations show is one violation, with the
 * counts of each.
 */
export function violationLines(runs: readonly StressRun[], paint: Paint): string[] {
  const all = findings(runs);
  const shown = all.slice(0, SHOWN_MAX);
  const lines = [...Map.groupBy(shown, ({ who }) => who).values()].flatMap(([first, ...others]) =>
    first === undefined ? [] : [...inFull(first, paint), ...inShort(others, paint)],
  );
  const hidden = all.length - shown.length;
  if (hidden > 0) lines.push('', `and ${grouped(hidden)} more violations (--json has them)`);
  return lines;
}

function findings(runs: readonly StressRun[]): readonly Finding[] {
  const sightings = runs
    .filter(({ exhibit }) => exhibit === null)
    .flatMap((run) => run.violations.map((v) => ({ run, v })));
  const whoOf = (run: StressRun): string =>
    run.mutant === null ? run.protocol : `mutant ${run.mutant}`;
  // Where it happened to be seen is no other reason.
  const reasonOf = ({ rule, why }: Violation): string =>
    `${rule} ${why.replaceAll(/0x[\da-f]+|\d+/g, '#')}`;
  const alike = Map.groupBy(sightings, ({ run, v }) => `${whoOf(run)} ${reasonOf(v)}`);
  const found = [...alike.values()].flatMap((same): Finding[] => {
    const [first] = same;
    const ofRuns = [...Map.groupBy(same, ({ run }) => run).values()].flatMap(added);
    return first === undefined ? [] : [{ who: whoOf(first.run), sightings: ofRuns }];
  });
  // Of one protocol after the other, as the tables have them.
  return [...Map.groupBy(found, ({ who }) => who).values()].flat();
}

/** Sightings of one configuration are counted together. */
function added(same: Finding['sightings']): Finding['sightings'] {
  const [first] = same;
  if (first === undefined) return [];
  const count = same.reduce((sum, { v }) => sum + v.count, 0);
  return [{ run: first.run, v: { ...first.v, count } }];
}

function inFull({ who, sightings }: Finding, paint: Paint): string[] {
  const [first, ...others] = sightings;
  if (first === undefined) return [];
  const { run, v } = first;
  const rows: string[][] = [
    ['  rule', RULE_TEXTS[v.rule]],
    ['  why', v.why],
    ['  where', placeOf(v)],
    ['  with', configurationOf(run)],
    ...others.map((other) => ['  also', `${configurationOf(other.run)}: ${timesText(other.v)}`]),
  ];
  if (v.exploreCommand !== '') rows.push(['  next', v.exploreCommand]);
  return [
    '',
    paint('red', `VIOLATION ${v.rule}: ${who}, ${timesText(v)}`),
    ...alignColumns(rows),
    ...eventLines(v),
  ];
}

/** What else was found of the same protocol. */
function inShort(found: readonly Finding[], paint: Paint): string[] {
  if (found.length === 0) return [];
  const rows = found.map(({ sightings }) => [
    `    ${sightings[0]?.v.rule ?? ''}`,
    sightings.map(({ v }) => timesText(v)).join(' + '),
    sightings[0]?.v.why ?? '',
  ]);
  return [paint('red', '  and of the same protocol (events: --json)'), ...alignColumns(rows)];
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
