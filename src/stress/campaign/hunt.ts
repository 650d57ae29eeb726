/**
 * A hunt: one group that runs a mutant, or correct protocols, under fixed settings until a thread
 * sees a sign of what is looked for. The positive controls of a campaign and `selftest` are made of
 * hunts.
 */
import type { BlockLevel } from '../../arch/geometry.ts';
import type { Delay } from '../../machine/hypervisor/delays.ts';
import type { Mutant } from '../../mutants/mutant.ts';
import type { Protocol } from '../../port/index.ts';
import type { Rule } from '../../result/rule.ts';
import type { StressRun } from '../../result/stress.ts';
import type { GroupOutcome } from '../group/group-run.ts';
import type { GroupRequest } from '../plan/group-request.ts';
import { BASELINE_EVERY, type PlanItem } from '../plan/group.ts';
import type { Pins } from '../process/pinning.ts';
import { recordsFor } from '../plan/plan.ts';
import { PLAIN_GROUP, spinsFor } from '../plan/plain-group.ts';
import { parallelVcpus } from '../plan/portfolio.ts';
import { ROW, totalOf } from '../results/results-area.ts';
import { rowOf } from '../figures/rows.ts';
import { signsOf } from '../results/signs.ts';

export interface HuntSetting {
  readonly scenario: string;
  readonly level: BlockLevel;
  readonly vcpus: number;
  readonly reorder: boolean;
  readonly delays: readonly Delay[];
  /** Many entries from a busy host, and TLBIs polled for only once per entry (machine/vcpu/accesses.ts). */
  readonly racesEntry: boolean;
  /** Name of the built-in protocol that a second hypervisor's thread runs; null: there is none. */
  readonly against: string | null;
}

export const HUNT_SETTING: HuntSetting = Object.freeze({
  scenario: 'adjust-populated',
  level: 2,
  vcpus: 1,
  reorder: false,
  delays: Object.freeze([]),
  racesEntry: false,
  against: null,
});

export interface Hunt {
  readonly items: readonly PlanItem[];
  readonly setting: HuntSetting;
  /** What is looked for. */
  readonly rules: readonly Rule[];
  readonly stopsAtSign: boolean;
  readonly seed: number;
  readonly pins: Pins;
  /** Null: until the rounds are done. */
  readonly budgetMs: number | null;
  readonly roundsMax?: number;
  /** Per round; by the level where nothing is said. */
  readonly transitions?: number;
}

/** Rounds of transitions per item before a hunt may end without a sign. */
const ROUNDS_MIN = 4;
const TRANSITIONS: Readonly<Record<BlockLevel, number>> = { 1: 2, 2: 64 };

/** Entries to the guest and TLBIs as close together as they can be. */
const RACES_ENTRY = {
  racesEntry: true,
  pattern: 'hot',
  exitEvery: 128,
  pollsEachAccess: false,
  gapNs: 1000,
} as const;

export function huntRequest(hunt: Hunt): GroupRequest {
  const { setting } = hunt;
  const { level, vcpus, racesEntry, against } = setting;
  const makers = against === null ? 1 : 2;
  const transitions = hunt.transitions ?? TRANSITIONS[level];
  const tokens = Math.min(vcpus, parallelVcpus(makers));
  return {
    ...PLAIN_GROUP,
    ...(against === null ? {} : { against: { from: 'built-in', name: against } as const }),
    config: { granule: '4k', level, blocks: 1, vcpus, transitionsMax: recordsFor(transitions, 1) },
    scenario: setting.scenario,
    items: hunt.items,
    seed: hunt.seed,
    pin: racesEntry ? hunt.pins.racing : hunt.pins.usual,
    ...(racesEntry && RACES_ENTRY),
    transitions,
    reorder: setting.reorder,
    delays: setting.delays,
    roundsMax: hunt.roundsMax ?? PLAIN_GROUP.roundsMax,
    tokens,
    spins: spinsFor(tokens, vcpus, makers),
    signs: signsOf(hunt.rules),
    stopsAtSign: hunt.stopsAtSign,
    budgetMs: hunt.budgetMs,
    roundsMin: roundsFor(hunt.items.length * ROUNDS_MIN),
  };
}

/** Rounds in which there are so many with transitions: the others are the baseline's. */
function roundsFor(rounds: number): number {
  return 1 + rounds + Math.ceil(rounds / (BASELINE_EVERY - 1));
}

/** One item of a finished hunt, graded like a row of a campaign. */
export function huntRow(
  request: GroupRequest,
  outcome: GroupOutcome,
  item: number,
  protocol: Protocol,
  mutant: Mutant | null,
  second: Protocol | null = null,
): StressRun {
  return rowOf({
    request,
    outcome,
    item,
    protocol,
    mutant: mutant?.name ?? null,
    second,
    exhibit: mutant === null ? (protocol.exhibit ?? null) : null,
    reorder: request.reorder,
    delays: request.delays.map((d) => `${d.site}=${d.ns}`).join(','),
  });
}

/**
 * Rules that what the threads *saw* violates, the worst first. The order of a protocol's operations
 * alone convicts many a mutant, which proves nothing of the rest of the machinery.
 */
export function rulesSeen(
  request: GroupRequest,
  outcome: GroupOutcome,
  item: number,
  protocol: Protocol,
  mutant: Mutant | null,
  second: Protocol | null = null,
): readonly Rule[] {
  const untraced = {
    ...outcome,
    traces: request.items.map(() => []),
    secondTraces: request.items.map(() => []),
  };
  const { violations } = huntRow(request, untraced, item, protocol, mutant, second);
  return [...new Set(violations.map((v) => v.rule))];
}

/** Most rounds of this item were disturbed: a race between two threads needs both to run at once. */
export function busyNote({ results }: GroupOutcome, item: number): string | null {
  const rounds = totalOf(results, item, ROW.round);
  const dropped = totalOf(results, item, ROW.dropped);
  return busyText(rounds, dropped);
}

const BUSY_SHARE = 0.2;

export function busyText(rounds: number, dropped: number): string | null {
  if (rounds > 0 && dropped / rounds < BUSY_SHARE) return null;
  const how = `a thread was preempted in ${dropped} of ${rounds} rounds`;
  return `the machine was busy (${how})`;
}
