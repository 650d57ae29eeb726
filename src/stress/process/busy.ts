/**
 * What else the machine did while a campaign ran, and the one sentence about it. Threads that lose
 * their CPU make figures that no quiet machine would show; verdicts do not depend on it.
 */
import { cpus, loadavg } from 'node:os';
import type { StressRun } from '../../result/stress.ts';

export interface OthersLoad {
  /** Share of the CPUs' time that other programs had, 0 to 1. */
  readonly share: number;
  /** Load average over the last minute. */
  readonly load1: number;
  readonly cpus: number;
}

interface Times {
  readonly busyMs: number;
  readonly allMs: number;
  readonly ownMs: number;
}

/** From now on until it is asked. */
export function watchOthers(): () => OthersLoad {
  const before = times();
  return () => {
    const now = times();
    const allMs = now.allMs - before.allMs;
    const othersMs = now.busyMs - before.busyMs - (now.ownMs - before.ownMs);
    const share = allMs <= 0 ? 0 : Math.min(1, Math.max(0, othersMs / allMs));
    return { share, load1: loadavg()[0] ?? 0, cpus: cpus().length };
  };
}

function times(): Times {
  let busyMs = 0;
  let allMs = 0;
  for (const { times: t } of cpus()) {
    busyMs += t.user + t.nice + t.sys + t.irq;
    allMs += t.user + t.nice + t.sys + t.irq + t.idle;
  }
  const { user, system } = process.cpuUsage();
  return { busyMs, allMs, ownMs: (user + system) / 1000 };
}

/** Of the CPUs' time; less is a shell, an editor, a monitor. */
export const OTHERS_SHARE_BUSY = 0.15;
/** Of rounds in which every vCPU had a CPU to itself; on two cores the main thread alone makes a third. */
const PREEMPTED_SHARE_BUSY = 0.6;

/** Of rounds; so few disturbed ones change little. */
const DROPPED_SHARE_MAX = 0.05;

/**
 * Why shares, rates and times of a row would not be those of a quiet machine; null if they would.
 *
 * A vCPU that has lost its CPU takes no faults, so a round with a preemption shows fewer of them than the
 * protocol causes; and so, by one in a hundred, do the rounds between, because caches are cold in them
 * (docs/speed.md). A preemption by a thread of this process alone is no reason: on two cores there is one in
 * every third round, and where vCPUs take turns in each. In threads that have run another group V8 has
 * compiled an access for more than one, and it takes longer (group/pool.ts).
 */
export function whyDisturbed(row: {
  readonly rounds: number;
  /** Rounds in which a thread was preempted. */
  readonly dropped: number;
  readonly othersShare: number;
  /** They have run another group before, as others had the CPUs. */
  readonly threadsKept: boolean;
}): string | null {
  const { rounds, dropped, othersShare, threadsKept } = row;
  if (othersShare > OTHERS_SHARE_BUSY && dropped > DROPPED_SHARE_MAX * rounds) {
    return (
      `other programs had ${percent(othersShare)} of the CPUs, ` +
      `and a thread lost its CPU in ${dropped} of ${rounds} rounds`
    );
  }
  if (!threadsKept) return null;
  return 'other programs had the CPUs when it began, so it ran in the threads of another group';
}

type Row = Pick<StressRun, 'rounds' | 'roundsDropped' | 'scheduling'>;

/**
 * Null if the machine was quiet, and all starts were made. `starts`: of each group. A slow machine on which
 * nobody else is at work is not busy.
 */
export function busySentence(
  { share, load1, cpus: count }: OthersLoad,
  runs: readonly Row[],
  starts: { readonly made: number; readonly wanted: number },
): string | null {
  const alone = runs.filter(({ scheduling }) => scheduling !== 'scheduled');
  const rounds = alone.reduce((sum, run) => sum + run.rounds, 0);
  const dropped = alone.reduce((sum, run) => sum + run.roundsDropped, 0);
  const preempted = rounds === 0 ? 0 : dropped / rounds;
  const isBusy = share > OTHERS_SHARE_BUSY || preempted > PREEMPTED_SHARE_BUSY;
  const fewer =
    starts.made === starts.wanted
      ? []
      : [
          `each configuration was started ${timesText(starts.made)} instead of ${timesText(starts.wanted)}`,
        ];
  if (!isBusy) return fewer.length === 0 ? null : `threads start slowly here: ${fewer.join('')}`;
  return [
    `the machine was busy: load ${load1.toFixed(1)} on ${count} CPUs`,
    `other programs had ${percent(share)} of their time`,
    ...(rounds === 0 ? [] : [`a thread lost its CPU in ${percent(preempted)} of rounds`]),
    ...fewer,
  ].join(', ');
}

const timesText = (n: number): string => (n === 1 ? 'once' : `${n} times`);

const percent = (n: number): string => `${Math.round(100 * n)} %`;
