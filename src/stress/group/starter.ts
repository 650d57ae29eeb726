/**
 * Starts groups, on a busy machine one ahead: its threads start while those of the group before it
 * run, because there a start takes longer than all rounds. On a quiet machine that would disturb what is
 * measured, and saves nothing worth having.
 */
import type { GroupRequest } from '../plan/group-request.ts';
import { type StartedGroup, startGroup } from './group-run.ts';
import type { ThreadPool } from './pool.ts';

export interface Begun {
  readonly request: GroupRequest;
  readonly started: StartedGroup;
  /** While another group ran: what its start took says nothing. */
  readonly isAhead: boolean;
}

export interface Starter<Task> {
  /** The group of this task, started now or ahead. Ends one of another task. */
  take(task: Task): Promise<Begun>;
  startAhead(task: Task): void;
  /** Ends what was started and never taken. */
  drop(): Promise<void>;
}

export function createStarter<Task>(
  pool: ThreadPool,
  requestOf: (task: Task) => GroupRequest,
): Starter<Task> {
  let ahead: { readonly task: Task; readonly begun: Begun } | null = null;

  function begin(task: Task, isAhead: boolean): Begun {
    const request = requestOf(task);
    return { request, started: startGroup(pool, request), isAhead };
  }

  async function drop(): Promise<void> {
    const last = ahead;
    ahead = null;
    await last?.begun.started.cancel();
  }

  return {
    async take(task) {
      const last = ahead;
      if (last?.task === task) {
        ahead = null;
        return last.begun;
      }
      await drop();
      return begin(task, false);
    },
    startAhead(task) {
      ahead = { task, begun: begin(task, true) };
    },
    drop,
  };
}
