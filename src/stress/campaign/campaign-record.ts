/**
 * What a campaign has measured so far, its earlier parts included, and the result this makes, at any
 * time between two groups.
 */
import { createHash } from 'node:crypto';
import { loaderOf } from '../../loaders/index.ts';
import {
  type CampaignState,
  type GroupState,
  isEnded,
  type ProtocolFile,
} from '../../result/campaign-state.ts';
import type { ControlResult, Earlier, StressResult, StressRun } from '../../result/stress.ts';
import { busySentence, type OthersLoad } from '../process/busy.ts';
import { gradeCampaign } from './campaign-grade.ts';
import type { GroupEnd } from '../group/group-run.ts';
import { machineInfo } from '../process/machine-info.ts';
import { protocolFiles, type StressOptions } from '../plan/plan.ts';
import type { PlannedGroup } from '../plan/planned-group.ts';
import { isPortfolio } from '../plan/portfolio.ts';
import { pooledRepeats, roundsOfRepeat } from '../plan/repeats.ts';
import { type GroupTask, joinedControls, joinedRows } from '../plan/resume.ts';

export interface GroupMeasured {
  readonly rows: readonly StressRun[];
  readonly end: GroupEnd['kind'];
  readonly notes: readonly string[];
  /** Of this part. */
  readonly shareMs: number | null;
  readonly spentMs: number;
}

/** How the campaign stands when a result is made of it. */
export interface Standing {
  readonly controls: readonly ControlResult[];
  /** What went wrong with a thread; null if nothing did. */
  readonly failure: string | null;
  /** No more groups will be run, or: this is a result in case that none will be. */
  readonly stopped: boolean;
  readonly leftMs: number | null;
  /** What other programs had of the machine so far. */
  readonly others: OthersLoad;
  /** Of each configuration; fewer than were planned where a busy machine has no time for them. */
  readonly starts: number;
}

export interface CampaignRecord {
  /** There is no time for it. */
  leaveOut(task: GroupTask): void;
  /** Rows of the group, those of its earlier parts included. */
  add(task: GroupTask, measured: GroupMeasured): readonly StressRun[];
  resultOf(standing: Standing): StressResult;
}

interface Entry {
  readonly state: GroupState;
  readonly rows: readonly StressRun[];
}

/** A row of fewer is no sample of anything. */
const ROUNDS_SHOWN_MIN = 3;

export function createCampaignRecord(
  options: StressOptions,
  tasks: readonly GroupTask[],
  earlier: Earlier | null,
  version: string,
): CampaignRecord {
  const startedAt = new Date().toISOString();
  const startedMs = performance.now();
  const files = earlier?.campaign.files ?? fingerprintsOf(options);
  const entries = new Map<GroupTask, Entry>(
    tasks.map((task) => [task, { state: task.before, rows: task.rows }]),
  );

  function campaignOf(
    part: Pick<StressResult, 'elapsedMs' | 'exitCode'>,
    leftMs: number | null,
  ): CampaignState {
    const all = [...entries];
    const isWhole = all.every(([, { state }]) => isEnded(state));
    const isRepeated = all.some(([{ group }]) => group.repeats > 1);
    return {
      groups: [...entries.values()].map(({ state }) => state),
      leftMs: leftMs === null ? null : Math.round(leftMs),
      files,
      parts: [...(earlier?.campaign.parts ?? []), { startedAt, ...part }],
      ...(isRepeated && !isWhole ? { repeats: all.flatMap(([, { rows }]) => rows) } : {}),
    };
  }

  return {
    leaveOut(task) {
      const state = { ...task.before, state: 'left-out' } as const;
      entries.set(task, { state, rows: [] });
    },
    add(task, measured) {
      const rows = joinedRows(task, measured.rows, measured.end === 'failed');
      entries.set(task, { state: stateOf(task, measured, rows, options.rounds), rows });
      return rows;
    },
    resultOf({ controls: own, failure, stopped, leftMs, others, starts }) {
      const all = [...entries.values()];
      const pooled = pooledRepeats([...entries].map(([{ group }, { rows }]) => ({ group, rows })));
      // Of the portfolio nobody asked for single rows: those with hardly a round are named in one line.
      const isTimed = isPortfolio(options) && options.rounds === null;
      const mayLack = isTimed && all.every(({ state }) => isEnded(state));
      const isIdle = (run: StressRun): boolean =>
        mayLack && run.rounds < ROUNDS_SHOWN_MIN && run.verdict !== 'fail';
      const runs = pooled.filter((run) => !isIdle(run));
      const controls = joinedControls(earlier, own);
      // Whoever interrupts what is complete has interrupted nothing.
      const interrupted = stopped && all.some(({ state }) => !isEnded(state));
      const leftOut = [...entries].filter(
        ([{ group }, { state }]) => state.state === 'left-out' && group.repeat === 0,
      );
      const busy = busySentence(others, runs, { made: starts, wanted: options.repeats });
      const isEarly =
        options.failFast &&
        !stopped &&
        failure === null &&
        all.some(({ state }) => !isEnded(state));
      const remarks = [
        ...(busy === null ? [] : [busy]),
        ...(isEarly ? ['ended at the first violation, as asked: --fail-fast'] : []),
        ...leftOutLines(
          leftOut.map(([{ group }]) => group),
          pooled.filter(isIdle),
        ),
      ];
      const named = leftOut.some(([{ group }]) => group.items.some((item) => item.named));
      const grade = gradeCampaign(runs, controls, failure, interrupted, named);
      const elapsedMs = Math.round(performance.now() - startedMs);
      return {
        tool: 'stage2-stress',
        schema: 1,
        command: 'stress',
        verdict: grade.verdict,
        exitCode: grade.exitCode,
        reasons: [...grade.reasons, ...new Set(all.flatMap(({ state }) => state.notes))],
        seed: options.seed,
        argv: options.argv,
        version,
        machine: machineInfo(),
        startedAt: earlier?.startedAt ?? startedAt,
        elapsedMs: (earlier?.elapsedMs ?? 0) + elapsedMs,
        interrupted,
        ...(options.shard === undefined ? {} : { shard: options.shard }),
        ...(remarks.length === 0 ? {} : { remarks }),
        controls,
        runs,
        campaign: campaignOf({ elapsedMs, exitCode: grade.exitCode }, leftMs),
      };
    },
  };
}

/** One line, by name, if there is any. */
function leftOutLines(groups: readonly PlannedGroup[], rows: readonly StressRun[]): string[] {
  const names = [
    ...groups.map(({ label, items }) => {
      const protocols = items.map(({ protocol }) => protocol.name);
      return `${protocols.join(', ')} (${label.replace(/, repeat.*/, '')})`;
    }),
    ...rows.map(({ protocol, scenario, level }) => `${protocol} (${scenario}, level ${level})`),
  ];
  if (names.length === 0) return [];
  return [`left out, because there was no time for them: ${names.join('; ')}`];
}

function stateOf(
  { before, group }: GroupTask,
  { end, notes, shareMs, spentMs }: GroupMeasured,
  rows: readonly StressRun[],
  rounds: number | null,
): GroupState {
  const goesOn = before.state === 'cut';
  // What went on and died is as it was before.
  if (goesOn && end === 'failed') return before;
  const earlierMs = goesOn ? before.spentMs : 0;
  const wanted = rounds === null ? Number.POSITIVE_INFINITY : roundsOfRepeat(rounds, group);
  const isWhole = rows.every((run) => run.rounds >= wanted);
  return {
    label: before.label,
    rows: before.rows,
    state: end === 'failed' ? 'died' : end === 'done' || isWhole ? 'done' : 'cut',
    shareMs: shareMs === null ? null : Math.round(shareMs + earlierMs),
    spentMs: Math.round(spentMs + earlierMs),
    notes: [...new Set([...(goesOn ? before.notes : []), ...notes])],
  };
}

export function fingerprintsOf(
  options: Pick<StressOptions, 'protocols' | 'against'>,
): ProtocolFile[] {
  return protocolFiles(options).map(({ path }) => ({
    path,
    sha256: createHash('sha256')
      .update(loaderOf(path)?.text(path) ?? '')
      .digest('hex'),
  }));
}
