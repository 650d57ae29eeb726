/**
 * The groups of a campaign, one after the other: each has its slot of the time, and its rows go to the
 * record.
 */
import type { Protocol } from '../../port/index.ts';
import type { StressRun } from '../../result/stress.ts';
import { rowOf } from '../figures/rows.ts';
import type { GroupHooks, GroupOutcome } from '../group/group-run.ts';
import type { Starter } from '../group/starter.ts';
import type { GroupRequest } from '../plan/group-request.ts';
import type { StressOptions } from '../plan/plan.ts';
import type { GroupTask } from '../plan/resume.ts';
import { BUSY_START_MS, type Slot } from '../plan/schedule.ts';
import type { CampaignRecord } from './campaign-record.ts';
import type { CampaignTime } from './campaign-time.ts';

/** Of all groups that have ended. */
export interface Counted {
  rounds: number;
  faults: number;
  violations: number;
}

/** What the turns of a campaign share. */
export interface Campaign {
  readonly options: StressOptions;
  readonly record: CampaignRecord;
  readonly time: CampaignTime;
  readonly counted: Counted;
  readonly starter: Starter<GroupTask>;
  /** The other maker's protocol (`--against`). */
  readonly second: Protocol | null;
  readonly hooks: Omit<GroupHooks, 'onTick'>;
  readonly progress: (label: string, tick: { rounds: number; faults: number }) => void;
  /** Between two turns, while no thread measures. */
  readonly checkpoint: () => void;
}

/** Returns what went wrong with a thread, which ends them; null if nothing did. */
export async function runTurns(
  campaign: Campaign,
  turns: readonly GroupTask[],
): Promise<string | null> {
  const { options, record, time, counted, hooks, checkpoint } = campaign;
  for (const [i, task] of turns.entries()) {
    if (hooks.signal.aborted) break;
    checkpoint();
    const left = time.leftMs();
    const later = turns.slice(i + 1);
    const slot = left === null ? null : time.slotOf([task, ...later], left, counted.rounds === 0);
    if (left !== null && slot === null) {
      record.leaveOut(task);
      continue;
    }
    const { outcome, rows: own } = await measure(campaign, task, slot, later[0]);
    const isEmpty = own.every((run) => run.rounds === 0 && run.violations.length === 0);
    if (slot !== null && outcome.end.kind === 'done' && isEmpty) {
      record.leaveOut(task);
      continue;
    }
    const rows = record.add(task, {
      rows: own,
      end: outcome.end.kind,
      notes: outcome.notes,
      shareMs: slot?.budgetMs ?? null,
      spentMs: outcome.elapsedMs,
    });
    count(counted, own, rows);
    if (outcome.end.kind === 'failed') return outcome.end.why;
    if (options.failFast && rows.some(({ verdict }) => verdict === 'fail')) break;
  }
  return null;
}

interface Measured {
  readonly outcome: GroupOutcome;
  /** One per item, of this part alone. */
  readonly rows: readonly StressRun[];
}

/** One group, and on a busy machine the start of the next one. `slot`: null where rounds end it. */
async function measure(
  { options, time, starter, second, hooks, progress }: Campaign,
  task: GroupTask,
  slot: Slot | null,
  next: GroupTask | undefined,
): Promise<Measured> {
  const { group } = task;
  const { request, started, isAhead } = await starter.take(task);
  if (next !== undefined && time.pace().startMs >= BUSY_START_MS) starter.startAhead(next);
  const { signal, bounds } = hooks;
  const outcome = await started.run(
    {
      signal,
      onTick: (tick) => progress(group.label, tick),
      ...(bounds && { bounds }),
    },
    slot ?? request,
  );
  const rows = rowsOf(group, options, outcome, request, second);
  if (!isAhead) time.groupStarted(group.vcpus, outcome.readyMs);
  return { outcome, rows };
}

function rowsOf(
  group: GroupTask['group'],
  options: StressOptions,
  outcome: GroupOutcome,
  request: GroupRequest,
  second: Protocol | null,
): readonly StressRun[] {
  return group.items.map((planned, item) =>
    rowOf({
      request,
      outcome,
      item,
      protocol: planned.protocol,
      mutant: planned.mutant,
      second,
      exhibit: planned.named ? null : (planned.protocol.exhibit ?? null),
      reorder: options.reorder,
      delays: options.delays.map((d) => `${d.site}=${d.ns}`).join(','),
    }),
  );
}

/** `own`: of this part alone. Violations count from the first part on. */
function count(counted: Counted, own: readonly StressRun[], rows: readonly StressRun[]): void {
  counted.rounds += sum(own.map((run) => run.rounds));
  counted.faults += sum(own.map((run) => run.faults.spurious + run.faults.genuine + run.faults.nt));
  counted.violations += sum(rows.map((run) => run.violations.length));
}

const sum = (values: readonly number[]): number => values.reduce((a, b) => a + b, 0);
