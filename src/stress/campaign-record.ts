/**
 * What a campaign has measured so far, its earlier parts included, and the result this makes, at any
 * time between two groups.
 */
import { createHash } from 'node:crypto';
import { loaderOf } from '../loaders/index.ts';
import type { CampaignState, GroupState, ProtocolFile } from '../result/campaign-state.ts';
import type { ControlResult, StressResult, StressRun } from '../result/stress.ts';
import { gradeCampaign } from './campaign-grade.ts';
import type { GroupEnd } from './group-run.ts';
import { machineInfo } from './machine-info.ts';
import type { ProtocolRef, StressOptions } from './plan.ts';
import { pooledRepeats, roundsOfRepeat } from './repeats.ts';
import { type Earlier, type GroupTask, joinedControls, joinedRows } from './resume.ts';

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
}

export interface CampaignRecord {
  /** Rows of the group, those of its earlier parts included. */
  add(task: GroupTask, measured: GroupMeasured): readonly StressRun[];
  resultOf(standing: Standing): StressResult;
}

interface Entry {
  readonly state: GroupState;
  readonly rows: readonly StressRun[];
}

export function createCampaignRecord(
  options: StressOptions,
  tasks: readonly GroupTask[],
  earlier: Earlier | null,
  version: string,
): CampaignRecord {
  const startedAt = new Date().toISOString();
  const startedMs = performance.now();
  const files = earlier?.campaign.files ?? fingerprintsOf(options.protocols);
  const entries = new Map<GroupTask, Entry>(
    tasks.map((task) => [task, { state: task.before, rows: task.rows }]),
  );

  function campaignOf(
    part: Pick<StressResult, 'elapsedMs' | 'exitCode'>,
    leftMs: number | null,
  ): CampaignState {
    const all = [...entries];
    const isWhole = all.every(([, { state }]) => state.state === 'done');
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
    add(task, measured) {
      const rows = joinedRows(task, measured.rows, measured.end === 'failed');
      entries.set(task, { state: stateOf(task, measured, rows, options.rounds), rows });
      return rows;
    },
    resultOf({ controls: own, failure, stopped, leftMs }) {
      const all = [...entries.values()];
      const runs = pooledRepeats([...entries].map(([{ group }, { rows }]) => ({ group, rows })));
      const controls = joinedControls(earlier, own);
      // Whoever interrupts what is complete has interrupted nothing.
      const interrupted = stopped && all.some(({ state }) => state.state !== 'done');
      const grade = gradeCampaign(runs, controls, failure, interrupted);
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
        controls,
        runs,
        campaign: campaignOf({ elapsedMs, exitCode: grade.exitCode }, leftMs),
      };
    },
  };
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

export function fingerprintsOf(protocols: readonly ProtocolRef[]): ProtocolFile[] {
  return protocols.flatMap((ref) =>
    ref.from === 'file'
      ? {
          path: ref.path,
          sha256: createHash('sha256')
            .update(loaderOf(ref.path)?.text(ref.path) ?? '')
            .digest('hex'),
        }
      : [],
  );
}
