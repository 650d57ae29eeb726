/**
 * From a finished group to result rows: sums over rounds, intervals, percentiles, and the checker's
 * verdict per item.
 */
import { describeCpu } from '../arch/cpu-model.ts';
import { idAa64Mmfr2, sanitisedBbmLevel } from '../arch/feat-bbm.ts';
import { gradeRun } from '../checker/index.ts';
import type { Evidence } from '../result/evidence.ts';
import type { Protocol } from '../port/index.ts';
import type { StressRun } from '../result/stress.ts';
import type { GroupOutcome, GroupRequest } from './group-run.ts';
import { ROUND_KIND } from './group.ts';
import { HISTOGRAM, histogramBase, ROUNDS_KEPT, ROW, totalOf } from './results-area.ts';
import { percentilesOf, rateOverRounds, shareOverRounds } from './statistics/index.ts';

export interface RowRequest {
  readonly request: GroupRequest;
  readonly outcome: GroupOutcome;
  readonly item: number;
  readonly protocol: Protocol;
  readonly mutant: string | null;
  /** The default campaign shows the protocol's broken claim on purpose: why. */
  readonly exhibit: string | null;
  readonly reorder: boolean;
  readonly delays: StressRun['delays'];
}

/**
 * The kept rounds of one item (or of the baseline), field by field: what intervals are made from.
 */
class RoundTable {
  readonly rounds: Float64Array[];

  constructor(outcome: GroupOutcome, keep: (row: Float64Array) => boolean) {
    const { control, rows } = outcome.results;
    const written = Math.min(control[0] as number, ROUNDS_KEPT);
    const all = Array.from({ length: written }, (_, i) =>
      rows.subarray(i * ROW.fields, (i + 1) * ROW.fields),
    );
    this.rounds = all
      .filter(keep)
      .sort((a, b) => (a[ROW.round] as number) - (b[ROW.round] as number));
  }

  column(field: number): Float64Array {
    return Float64Array.from(this.rounds, (row) => row[field] as number);
  }
}

/** Fewer rounds than this in which no thread was preempted say less than all rounds together. */
const KEPT_MIN = 10;

/** Accesses per second over rounds in which no thread was preempted; null if there is none. */
function throughputOf(table: RoundTable): number | null {
  let accesses = 0;
  let ns = 0;
  for (const row of table.rounds) {
    if (row[ROW.dropped] === 1) continue;
    accesses += row[ROW.completed] as number;
    ns += row[ROW.durationNs] as number;
  }
  return ns === 0 || accesses === 0 ? null : (accesses / ns) * 1e9;
}

const perTransition = (total: number, transitions: number): number =>
  transitions === 0 ? 0 : total / transitions;

export function rowOf(r: RowRequest): StressRun {
  const { request, outcome, item, protocol } = r;
  const plan = request.items[item];
  if (plan === undefined) throw new Error(`the group has no item ${item}`);
  const { config, seed } = request;
  const kind = (row: Float64Array): number => row[ROW.kind] as number;
  const isOfItem = (row: Float64Array): boolean =>
    kind(row) === ROUND_KIND.transitions && row[ROW.item] === item;
  const table = new RoundTable(outcome, isOfItem);
  const baseline = new RoundTable(outcome, (row) => kind(row) === ROUND_KIND.baseline);
  const sum = (field: number): number => totalOf(outcome.results, item, field);
  const transitions = sum(ROW.transitions);
  // A vCPU that lost its CPU takes no faults: where there are rounds without that, shares are theirs.
  const kept = new RoundTable(outcome, (row) => isOfItem(row) && row[ROW.dropped] === 0);
  const judged = kept.rounds.length >= KEPT_MIN ? kept : table;
  const perRound = judged.column(ROW.transitions);
  const histogram = (k: number) =>
    percentilesOf(outcome.results.histograms, histogramBase(item, k));

  const issued = sum(ROW.issued);
  const completed = sum(ROW.completed);
  const inFlight = sum(ROW.inFlight);
  const recorded = outcome.recorded.filter((e) => e.item === item);
  const evidence: Evidence[] = [
    ...recorded.map((e) => e.evidence),
    ...(outcome.itemEvidence[item] ?? []),
  ];
  const grade = gradeRun({
    evidence,
    evidenceDropped: outcome.unkept.has(item) ? 1 : 0,
    traces: outcome.traces[item] ?? [],
    accounting: { issued, completed, inFlight },
    claims: protocol.claims,
    cpu: plan.cpu,
    bbm: sanitisedBbmLevel(plan.cpu.bbm.map((level) => idAa64Mmfr2(level))),
    transitions,
    spuriousFaults: sum(ROW.spurious),
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

  const { cpu } = plan;
  const onOff = (on: boolean): string => (on ? 'on' : 'off');
  return {
    scenario: request.scenario,
    protocol: protocol.name,
    mutant: r.mutant,
    cpu: {
      bbm: cpu.bbm.join('/'),
      nt: cpu.nt,
      multihit: cpu.multihit,
      spec: onOff(cpu.spec),
      hafdbs: onOff(cpu.hafdbs),
      ets: cpu.ets,
      tlb: cpu.tlb,
      walkcache: onOff(cpu.walkcache),
    },
    granule: config.granule,
    level: config.level,
    vcpus: config.vcpus,
    scheduling: request.tokens < config.vcpus ? 'scheduled' : 'parallel',
    reorder: r.reorder,
    delays: r.delays,
    access: request.access,
    rounds: sum(ROW.round),
    roundsDropped: sum(ROW.dropped),
    transitions,
    transitionsHit: sum(ROW.hit),
    hitShare: shareOverRounds(judged.column(ROW.hit), perRound, seed),
    faults: {
      spurious: sum(ROW.spurious),
      genuine: sum(ROW.genuine),
      retry: sum(ROW.retry),
      nt: sum(ROW.nt),
      conflict: sum(ROW.conflict),
    },
    faultsUnattributed: sum(ROW.ambiguous),
    spuriousPerTransition: rateOverRounds(judged.column(ROW.spurious), perRound, seed),
    accesses: { issued, completed, lost: issued - completed - inFlight },
    windowNs: histogram(HISTOGRAM.window),
    ntWindowNs: histogram(HISTOGRAM.ntWindow),
    episodeNs: histogram(HISTOGRAM.episode),
    flushNs: histogram(HISTOGRAM.flush),
    lockNs: histogram(HISTOGRAM.lock),
    // Where vCPUs take turns a baseline round is mostly turn-taking: nothing to compare with.
    throughput: {
      during: throughputOf(table),
      baseline: request.tokens < config.vcpus ? null : throughputOf(baseline),
    },
    descriptorWrites: perTransition(sum(ROW.writes), transitions),
    tlbis: perTransition(sum(ROW.tlbis), transitions),
    refills: perTransition(sum(ROW.walks), transitions),
    verdict: onlyExpected ? 'pass' : grade.verdict,
    exhibit: onlyExpected ? r.exhibit : null,
    violations: grade.violations,
    notes: grade.notes,
  };
}

/** The same configuration, as small as the explorer needs it. */
function exploreCommand({ request, item, protocol, mutant }: RowRequest): string {
  const plan = request.items[item];
  if (plan === undefined) return '';
  const named = plan.protocol.from === 'file' ? plan.protocol.path : protocol.name;
  const what = mutant === null ? `--protocol ${named}` : `--mutant ${mutant}`;
  return `npm run explore -- ${what} --cpu ${describeCpu(plan.cpu)} --granule tiny --vcpus 1`;
}
