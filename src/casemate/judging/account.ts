/**
 * What a file came to so far: what is wrong, what is left open, and what was counted. Several logs in
 * one file have one account between them.
 */
import { Causes, type Finding } from '../grouping/causes.ts';
import { Transitions } from '../grouping/transitions.ts';
import type { LogRecord } from '../reading/record.ts';
import type { Stale } from '../rules/stale-set.ts';
import { NotJudged } from './not-judged.ts';

export class Account {
  readonly causes = new Causes();
  readonly transitions = new Transitions();
  readonly notJudged = new NotJudged();
  /** Addresses of entries that were stored to. */
  readonly written = new Set<number>();
  readonly threads = new Set<number>();
  readonly tlbis = new Map<string, number>();
  events = 0;
  /** Switches to declared roots, each of which was judged. */
  switches = 0;
  tasksSeen = false;

  /** The cause that the finding belongs to. */
  violate(record: LogRecord, finding: Omit<Finding, 'history'>, stale?: Stale): unknown {
    return this.causes.tell({ ...finding, history: stale?.history ?? [] }, record);
  }
}
