/**
 * Positive controls: proof, in every run, that the checker of this very process on this very
 * machine can fail.
 *
 *   no-tlbi          a protocol without its TLBI; deterministic, found within the first transitions
 *   entry-unfenced   a vCPU that enters the guest without a fence: a real memory-ordering race
 *                    that the hardware must produce, found by stress alone
 *
 * Each also runs its correct twin under the same settings for as many rounds, which must not be
 * accused. A control that is missed makes the verdict of the whole run inconclusive: a pass would
 * prove nothing.
 */
import { availableParallelism } from 'node:os';
import { DEFAULT_CPU } from '../arch/cpu-model.ts';
import { gradeRun } from '../checker/index.ts';
import type { Pattern } from '../machine/guest-pattern.ts';
import { EVIDENCE } from '../machine/recorder.ts';
import { MUTANTS, type Mutant } from '../mutants/index.ts';
import type { ControlResult } from '../result/stress.ts';
import type { Rule } from '../result/rule.ts';
import type { GroupHooks, GroupOutcome, GroupRequest } from './group-run.ts';
import { runGroup } from './group-run.ts';
import type { PlanItem } from './group.ts';
import type { ThreadPool } from './pool.ts';
import { ROW, totalOf } from './results-area.ts';

interface Control {
  readonly mutant: string;
  /** Guest accesses between exits: the entry race needs many entries. */
  readonly exitEvery: number;
  readonly gapNs: number;
  /** Many entries from a busy host, and TLBIs polled for only once per entry: see machine/vcpu.ts. */
  readonly racesEntry: boolean;
  /** Rules of which one must fire on what the threads saw. */
  readonly rules: readonly Rule[];
  readonly pattern: Pattern;
  readonly budgetMs: number;
}

const CONTROLS: readonly Control[] = [
  {
    mutant: 'no-tlbi',
    exitEvery: 1024,
    gapNs: 2000,
    racesEntry: false,
    // Which one comes first depends on whether a vCPU next uses its TLB, its walk cache, or a reused
    // table: all three are the missing flush.
    rules: ['stale-translation', 'freed-table', 'wrong-output-address'],
    pattern: 'uniform',
    budgetMs: 2_000,
  },
  {
    mutant: 'entry-unfenced',
    exitEvery: 16,
    gapNs: 1000,
    racesEntry: true,
    rules: ['stale-translation'],
    pattern: 'hot',
    budgetMs: 12_000,
  },
];
const TWIN_BUDGET_MS = 700;
const SHARE_MAX = 0.5;
/** Where no time limit was given a loaded machine gets this long to show a race. It ends when seen. */
const UNHURRIED_MS = 30_000;
const TRANSITIONS = 64;

export async function runControls(
  pool: ThreadPool,
  seed: number,
  pin: readonly number[] | null,
  budgetMs: number | null,
  hooks: GroupHooks,
): Promise<readonly ControlResult[]> {
  const results: ControlResult[] = [];
  // In a short campaign the controls get at most this share of it.
  const most =
    budgetMs === null ? Number.POSITIVE_INFINITY : (budgetMs * SHARE_MAX) / CONTROLS.length;
  for (const chosen of CONTROLS) {
    const control = {
      ...chosen,
      budgetMs: budgetMs === null ? UNHURRIED_MS : Math.min(chosen.budgetMs, most),
    };
    if (hooks.signal.aborted) break;
    const mutant = MUTANTS.find((m) => m.name === control.mutant);
    if (mutant === undefined) throw new Error(`no mutant is called ${control.mutant}`);
    const result = await runControl(pool, control, mutant, { seed, pin }, hooks);
    // An interrupted control has shown nothing, in either direction.
    if (!hooks.signal.aborted) results.push(result);
  }
  return results;
}

async function runControl(
  pool: ThreadPool,
  control: Control,
  mutant: Mutant,
  where: Pick<GroupRequest, 'seed' | 'pin'>,
  hooks: GroupHooks,
): Promise<ControlResult> {
  const broken = await runGroup(
    pool,
    requestFor(control, mutantItem(mutant), where, control.budgetMs),
    hooks,
  );
  const twinItem: PlanItem = {
    protocol: { from: 'built-in', name: mutant.twin },
    cpu: DEFAULT_CPU,
    bug: null,
  };
  const twin = await runGroup(pool, requestFor(control, twinItem, where, TWIN_BUDGET_MS), hooks);
  const failed = [broken, twin].map((o) => o.end).find((end) => end.kind === 'failed');
  if (failed !== undefined && failed.kind === 'failed') throw new Error(failed.why);
  const found = rulesOf(broken);
  const accused = rulesOf(twin);
  const rule = control.rules.find((r) => found.includes(r)) ?? (mutant.rule as Rule);
  const caught = found.includes(rule);
  const others = found.filter((r) => r !== rule);
  return {
    name: mutant.name,
    rule,
    caught,
    twinClean: accused.length === 0,
    seconds: broken.elapsedMs / 1000,
    detail: [
      mutant.what,
      caught
        ? `caught after ${transitionsOf(broken)} transitions`
        : `not caught in ${transitionsOf(broken)} transitions${busy(broken)}`,
      ...(others.length > 0 ? [`also fired: ${others.join(', ')}`] : []),
      accused.length === 0
        ? `${mutant.twin} clean over ${transitionsOf(twin)}`
        : `${mutant.twin} ACCUSED of ${accused.join(', ')}`,
    ].join('; '),
  };
}

function mutantItem(mutant: Mutant): PlanItem {
  const bug = mutant.seed.kind === 'machine' ? mutant.seed.bug : null;
  return { protocol: { from: 'mutant', name: mutant.name }, cpu: DEFAULT_CPU, bug };
}

function requestFor(
  control: Control,
  item: PlanItem,
  where: Pick<GroupRequest, 'seed' | 'pin'>,
  budgetMs: number,
): GroupRequest {
  return {
    config: { granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 2 * TRANSITIONS + 2 },
    scenario: 'adjust-populated',
    items: [item],
    ...where,
    access: 'wasm',
    pattern: control.pattern,
    storesPercent: 50,
    exitEvery: control.exitEvery,
    pollsEachAccess: !control.racesEntry,
    coldExits: control.racesEntry,
    transitions: TRANSITIONS,
    gapNs: control.gapNs,
    reorder: false,
    delays: [],
    roundsMax: Number.MAX_SAFE_INTEGER,
    tokens: 1,
    spins: availableParallelism() > 1 ? 2000 : 0,
    stopOnEvidence: EVIDENCE.version,
    budgetMs,
  };
}

/**
 * Rules that what the threads *saw* violates: the trace alone would convict `no-tlbi`, and prove
 * nothing of the rest.
 */
function rulesOf(outcome: GroupOutcome): Rule[] {
  const grade = gradeRun({
    evidence: [...outcome.recorded.map((r) => r.evidence), ...outcome.itemEvidence.flat()],
    evidenceDropped: 0,
    traces: [],
    accounting: sumsOf(outcome),
    claims: {},
    cpu: DEFAULT_CPU,
    bbm: 1,
    transitions: transitionsOf(outcome),
    spuriousFaults: 0,
    exploreCommand: '',
  });
  return [...new Set(grade.violations.map((v) => v.rule))];
}

/** A race between two threads needs both to run at once. */
function busy({ results }: GroupOutcome): string {
  const rounds = totalOf(results, 0, ROW.round);
  const dropped = totalOf(results, 0, ROW.dropped);
  if (rounds > 0 && dropped / rounds < 0.2) return '';
  const how = `a thread was preempted in ${dropped} of ${rounds} rounds`;
  return `: the machine was busy (${how}), give more --time or quieten it`;
}

const transitionsOf = (outcome: GroupOutcome): number =>
  totalOf(outcome.results, 0, ROW.transitions);

function sumsOf(outcome: GroupOutcome): { issued: number; completed: number; inFlight: number } {
  const sum = (field: number): number =>
    totalOf(outcome.results, 0, field) + totalOf(outcome.results, outcome.results.items, field);
  return { issued: sum(ROW.issued), completed: sum(ROW.completed), inFlight: sum(ROW.inFlight) };
}
