/**
 * From a finished group to result rows: sums over rounds, intervals, percentiles, and the checker's
 * verdict per item.
 */
import { commandLine } from '../../package/command-line.ts';
import { shortPath } from '../../package/paths.ts';
import { announcedBbm, cpuFor, cpuResultOf, describeCpu } from '../../arch/cpu-model.ts';
import { type CountedTrace, gradeRun } from '../../checker/index.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { claimsOfBoth } from '../../port/both.ts';
import type { Evidence } from '../../result/evidence.ts';
import type { Protocol } from '../../port/index.ts';
import type { StressRun, Violation } from '../../result/stress.ts';
import { commandText } from '../../sequence/index.ts';
import { whyDisturbed } from '../process/busy.ts';
import type { GroupOutcome } from '../group/group-run.ts';
import type { GroupRequest } from '../plan/group-request.ts';
import { type PlanItem, type ProtocolSource, ROUND_KIND } from '../plan/group.ts';
import { readFigures } from './read.ts';
import { ROW, totalOf } from '../results/results-area.ts';
import { recordedSigns, signsOf } from '../results/signs.ts';
import { isUndisturbed, RoundTable } from '../results/round-table.ts';

export interface RowRequest {
  readonly request: GroupRequest;
  readonly outcome: GroupOutcome;
  readonly item: number;
  readonly protocol: Protocol;
  readonly mutant: string | null;
  /** What the second hypervisor ran; null: there was none. */
  readonly second: Protocol | null;
  /** The default campaign shows the protocol's broken claim on purpose: why. */
  readonly exhibit: string | null;
  readonly reorder: boolean;
  readonly delays: StressRun['delays'];
}

/** Fewer rounds than this in which no thread was preempted say less than all rounds together. */
const KEPT_MIN = 10;

export function rowOf(r: RowRequest): StressRun {
  const { request, outcome, item, protocol } = r;
  const plan = request.items[item];
  if (plan === undefined) throw new Error(`the group has no item ${item}`);
  const { config, seed } = request;
  const kind = (row: Float64Array): number => row[ROW.kind] as number;
  const isOfItem = (row: Float64Array): boolean =>
    kind(row) === ROUND_KIND.transitions && row[ROW.item] === item;
  const table = new RoundTable(outcome.results, isOfItem);
  const isBaseline = (row: Float64Array): boolean => kind(row) === ROUND_KIND.baseline;
  // A vCPU that lost its CPU takes no faults: where there are rounds without that, shares are theirs.
  const kept = new RoundTable(outcome.results, (row) => isOfItem(row) && isUndisturbed(row));
  // Where vCPUs take turns a baseline round is mostly turn-taking: nothing to compare with.
  const scheduled = request.tokens < config.vcpus;
  const baseline = (keep: (row: Float64Array) => boolean): RoundTable | null =>
    scheduled
      ? null
      : new RoundTable(
          outcome.results,
          (row) => isBaseline(row) && isUndisturbed(row) && keep(row),
        );
  const { hole } = protocol;
  const traces = (outcome.traces[item] ?? []).map((seen) =>
    hole === undefined ? seen : { ...seen, trace: { ...seen.trace, hole } },
  );
  const beside = outcome.secondTraces[item] ?? [];
  const figures = readFigures(
    {
      results: outcome.results,
      item,
      seed,
      all: table,
      kept,
      judged: kept.rounds.length >= KEPT_MIN ? kept : table,
      disturbed: whyDisturbed({
        rounds: table.rounds.length,
        dropped: table.column(ROW.dropped).filter((d) => d > 0).length,
        othersShare: outcome.othersShare,
        threadsKept: outcome.threadsKept,
      }),
      idle: baseline(() => true),
      idleOnTables: baseline((row) => row[ROW.onBlocks] === 0),
    },
    {
      protocol,
      traces,
      vcpus: config.vcpus,
      scheduled,
      collections: outcome.collections.hypervisor.count + outcome.collections.vcpus.count,
    },
  );

  const { issued, completed } = figures.accesses;
  const recorded = outcome.recorded.filter((e) => e.item === item);
  const evidence: Evidence[] = [
    ...recorded.map((e) => e.evidence),
    ...(outcome.itemEvidence[item] ?? []),
  ];
  const grade = gradeRun({
    evidence,
    evidenceDropped: outcome.unkept.has(item) ? 1 : 0,
    traces: r.second === null ? traces : [...by(1, traces), ...by(2, beside)],
    accounting: { issued, completed, inFlight: totalOf(outcome.results, item, ROW.inFlight) },
    claims: r.second === null ? protocol.claims : claimsOfBoth(protocol, r.second),
    cpu: plan.cpu,
    bbm: announcedBbm(plan.cpu),
    transitions: figures.transitions,
    spuriousFaults: figures.faults.spurious,
    exploreCommand: exploreCommand(r),
    eventsOf: (finding) =>
      recorded.find(
        ({ evidence: e }) =>
          e.vcpu === finding.vcpu && e.round === finding.round && e.ipa === finding.ipa,
      )?.events ?? [],
  });
  const onlyExpected =
    r.exhibit !== null &&
    grade.violations.length > 0 &&
    grade.violations.every((v) => v.rule === 'claim');

  return {
    scenario: request.scenario,
    protocol: protocol.name,
    mutant: r.mutant,
    ...(r.second === null ? {} : { against: r.second.name }),
    cpu: cpuResultOf(plan.cpu),
    granule: config.granule,
    level: config.level,
    vcpus: config.vcpus,
    scheduling: scheduled ? 'scheduled' : 'parallel',
    reorder: r.reorder,
    delays: r.delays,
    access: request.access,
    ...figures,
    verdict: onlyExpected ? 'pass' : grade.verdict,
    exhibit: onlyExpected ? r.exhibit : null,
    violations: grade.violations.map((v) => withSightings(v, outcome, item)),
    notes: [...grade.notes, ...servedNotes(plan, outcome.served[item] ?? 0)],
  };
}

/** Where a protocol serves the faults: how often it was called. */
function servedNotes({ faults }: PlanItem, times: number): readonly string[] {
  if (faults === undefined) return [];
  const { name } = faults;
  if (times > 0) return [`${name} served ${times} of the faults of vCPUs`];
  return [`${name} served no fault: none came while the entry was broken`];
}

/** As `explore` calls them. */
function by(hypervisor: 1 | 2, traces: readonly SeenTrace[]): readonly CountedTrace[] {
  return traces.map((seen) => ({ ...seen, by: `hypervisor ${hypervisor}` }));
}

/** What vCPUs saw is kept a few times of each kind, and counted. */
function withSightings(violation: Violation, { arena }: GroupOutcome, item: number): Violation {
  if (violation.vcpu === null) return violation;
  const seen = recordedSigns(arena, item, signsOf([violation.rule]));
  return seen > violation.count ? { ...violation, seen } : violation;
}

/**
 * The same configuration, as small as the explorer needs it, with the knobs alone that it would not take
 * by itself. It has no machine with a seeded bug: there the protocol is what it can clear.
 */
function exploreCommand({ request, item, protocol, mutant }: RowRequest): string {
  const plan = request.items[item];
  if (plan === undefined) return '';
  const isProtocol = mutant === null || plan.bug !== null;
  const what = isProtocol ? protocolFlag(plan.protocol, protocol.name) : `--mutant ${mutant}`;
  // Of a seeded bug it takes the CPU that shows it, of a sequence every one unless one is named.
  const known = new Set(isProtocol ? describeCpu(cpuFor(protocol, {})).split(',') : []);
  const named = plan.protocol.from === 'sequence' ? `bbm=${plan.cpu.bbm.join('/')}` : '';
  const knobs = describeCpu(plan.cpu)
    .split(',')
    .filter((knob) => !known.has(knob) || knob === named)
    // It knows no dirty log, and so no rings.
    .filter((knob) => !knob.startsWith('hdbss='));
  const cpu = knobs.length === 0 ? '' : ` --cpu ${knobs.join(',')}`;
  const level = request.config.level === 1 ? ' --level 1' : '';
  const { against } = request;
  const name = against?.from === 'file' ? shortPath(against.path) : against?.name;
  const beside = name === undefined ? '' : ` --against ${name}`;
  return commandLine(`explore -- ${what}${beside}${besideFlag(plan, protocol)}${cpu}${level}`);
}

/** Of two it follows no host at EL1. */
function besideFlag({ faults }: PlanItem, { context }: Protocol): string {
  if (faults === undefined || faults.from === 'mutant' || context === 'nvhe-host') return '';
  return ` --faults ${faults.from === 'file' ? shortPath(faults.path) : faults.name}`;
}

function protocolFlag(source: ProtocolSource, name: string): string {
  if (source.from === 'sequence') return `--sequence "${commandText(source.text)}"`;
  return `--protocol ${source.from === 'file' ? shortPath(source.path) : name}`;
}
