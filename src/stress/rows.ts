/**
 * From a finished group to result rows: sums over rounds, intervals, percentiles, and the checker's
 * verdict per item.
 */
import { platform } from 'node:os';
import { describeCpu } from '../arch/cpu-model.ts';
import { idAa64Mmfr2, sanitisedBbmLevel } from '../arch/feat-bbm.ts';
import { gradeRun } from '../checker/index.ts';
import type { Evidence } from '../result/evidence.ts';
import type { Protocol } from '../port/index.ts';
import type { StressRun, Violation } from '../result/stress.ts';
import { commandText } from '../sequence/index.ts';
import { trustOf } from '../result/trust.ts';
import type { GroupOutcome, GroupRequest } from './group-run.ts';
import { type ProtocolSource, ROUND_KIND } from './group.ts';
import { answerOf } from './answer-figures.ts';
import { migrationOf } from './migration-figures.ts';
import { neighbourOf } from './neighbour-figures.ts';
import { stagesOf } from './stage-figures.ts';
import { HISTOGRAM, HISTOGRAM_BATCHES, histogramBase, ROW, totalOf } from './results-area.ts';
import { recordedSigns, signsOf } from './signs.ts';
import { isUndisturbed, RoundTable, throughputOf } from './round-table.ts';
import { rateOverRounds, shareOverRounds, timesOf } from './statistics/index.ts';

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

/** Fewer rounds than this in which no thread was preempted say less than all rounds together. */
const KEPT_MIN = 10;

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
  const table = new RoundTable(outcome.results, isOfItem);
  const isBaseline = (row: Float64Array): boolean =>
    kind(row) === ROUND_KIND.baseline && isUndisturbed(row);
  const sum = (field: number): number => totalOf(outcome.results, item, field);
  const transitions = sum(ROW.transitions);
  // A vCPU that lost its CPU takes no faults: where there are rounds without that, shares are theirs.
  const kept = new RoundTable(outcome.results, (row) => isOfItem(row) && isUndisturbed(row));
  const judged = kept.rounds.length >= KEPT_MIN ? kept : table;
  const perRound = judged.column(ROW.transitions);
  const total = (values: Float64Array): number => values.reduce((sum, n) => sum + n, 0);
  const perJudged = (field: number): number =>
    perTransition(total(judged.column(field)), total(perRound));
  const histogram = (k: number) =>
    timesOf(
      outcome.results.histograms,
      Array.from({ length: HISTOGRAM_BATCHES }, (_, batch) => histogramBase(item, k, batch)),
      seed,
    );
  const traces = outcome.traces[item] ?? [];
  const windowNs = histogram(HISTOGRAM.window);
  const episodeNs = histogram(HISTOGRAM.episode);

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
    traces,
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

  // Where vCPUs take turns a baseline round is mostly turn-taking: nothing to compare with.
  const scheduled = request.tokens < config.vcpus;
  const idle = scheduled ? null : throughputOf(new RoundTable(outcome.results, isBaseline), seed);
  const during = throughputOf(kept, seed);
  const onTables = scheduled
    ? null
    : new RoundTable(outcome.results, (row) => isBaseline(row) && row[ROW.onBlocks] === 0);
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
    scheduling: scheduled ? 'scheduled' : 'parallel',
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
    longestRefaultLoop: table.column(ROW.longestLoop).reduce((a, b) => Math.max(a, b), 0),
    spuriousPerTransition: rateOverRounds(judged.column(ROW.spurious), perRound, seed),
    faultsPerTransition: {
      spurious: perJudged(ROW.spurious),
      genuine: perJudged(ROW.genuine),
      retry: perJudged(ROW.retry),
      nt: perJudged(ROW.nt),
      conflict: perJudged(ROW.conflict),
    },
    sharesOf: judged === kept ? 'undisturbed rounds' : 'all rounds',
    accesses: { issued, completed, lost: issued - completed - inFlight },
    windowNs,
    ntWindowNs: histogram(HISTOGRAM.ntWindow),
    episodeNs,
    flushNs: histogram(HISTOGRAM.flush),
    lockNs: histogram(HISTOGRAM.lock),
    throughput: { during: during?.value ?? null, baseline: idle?.value ?? null },
    means: {
      during,
      baseline: idle,
      refills: rateOverRounds(judged.column(ROW.walks), perRound, seed),
    },
    roundsWarmUp: sum(ROW.warmUp),
    trust: trustOf({
      rounds: sum(ROW.round),
      roundsKept: kept.rounds.length,
      roundsDropped: sum(ROW.dropped),
      preemptionKnown: platform() === 'linux',
      scheduled,
      unsettled: sum(ROW.unsettled) > 0,
      collections: outcome.collections.hypervisor.count + outcome.collections.vcpus.count,
      windows: windowNs.count,
      episodes: episodeNs.count,
    }),
    answer: answerOf(protocol, traces, judged === kept ? kept : null, onTables, config.vcpus, seed),
    descriptorWrites: perTransition(sum(ROW.writes), transitions),
    tlbis: perTransition(sum(ROW.tlbis), transitions),
    refills: perTransition(sum(ROW.walks), transitions),
    ...stagesOf(sum, judged, seed),
    ...neighbourOf(sum),
    ...migrationOf(sum, judged, idle?.value ?? null, seed),
    verdict: onlyExpected ? 'pass' : grade.verdict,
    exhibit: onlyExpected ? r.exhibit : null,
    violations: grade.violations.map((v) => withSightings(v, outcome, item)),
    notes: grade.notes,
  };
}

/** What vCPUs saw is kept a few times of each kind, and counted. */
function withSightings(violation: Violation, { arena }: GroupOutcome, item: number): Violation {
  if (violation.vcpu === null) return violation;
  const seen = recordedSigns(arena, item, signsOf([violation.rule]));
  return seen > violation.count ? { ...violation, seen } : violation;
}

/**
 * The same configuration, as small as the explorer needs it. It has no machine with a seeded bug:
 * there the protocol is what it can clear.
 */
function exploreCommand({ request, item, protocol, mutant }: RowRequest): string {
  const plan = request.items[item];
  if (plan === undefined) return '';
  const isProtocol = mutant === null || plan.bug !== null;
  const what = isProtocol ? protocolFlag(plan.protocol, protocol.name) : `--mutant ${mutant}`;
  const cpu = describeCpu(plan.cpu);
  const level = request.config.level === 1 ? ' --level 1' : '';
  return `npm run explore -- ${what} --cpu ${cpu} --granule tiny${level} --vcpus 1`;
}

function protocolFlag(source: ProtocolSource, name: string): string {
  if (source.from === 'sequence') return `--sequence "${commandText(source.text)}"`;
  return `--protocol ${source.from === 'file' ? source.path : name}`;
}
