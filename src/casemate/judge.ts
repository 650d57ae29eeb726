/**
 * Judges the events of a log, one at a time: every entry of every tree that the log registers, by
 * the automaton that judges protocols (checker/entry-state.ts), and who may touch it. Here is which
 * room an event is for (judging/), and what all of them came to.
 *
 * The memory it takes grows with the tables of the log, not with its length.
 */
import { assertNever } from '../arch/assert.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { TraceRun } from '../result/check-trace.ts';
import { Account } from './judging/account.ts';
import { Flushes } from './judging/flushes.ts';
import { LogMachine } from './judging/log-machine.ts';
import { Numbers } from './judging/numbers.ts';
import { Pages } from './judging/pages.ts';
import { Stores } from './judging/stores.ts';
import type { LogRecord } from './reading/record.ts';

/** What a log came to, without the file's name and what reading it came to. */
export type Judged = Omit<TraceRun, 'file' | 'damage'>;

/** A machine, and what judges the events of its log. */
interface Rooms {
  readonly machine: LogMachine;
  readonly pages: Pages;
  readonly numbers: Numbers;
  readonly stores: Stores;
  readonly flushes: Flushes;
}

export class LogJudge {
  readonly #bbm: BbmLevel;
  readonly #account = new Account();
  #rooms: Rooms;

  constructor(bbm: BbmLevel) {
    this.#bbm = bbm;
    this.#rooms = newRooms(bbm, this.#account);
  }

  get events(): number {
    return this.#account.events;
  }

  get causes(): number {
    return this.#account.causes.count;
  }

  judgement(): Judged {
    const { machine } = this.#rooms;
    const { causes, transitions, notJudged, events, tlbis, tasksSeen } = this.#account;
    const { written, threads, switches } = this.#account;
    this.#settle();
    const nothing = written.size === 0 && switches === 0;
    notJudged.end({
      unflushed: machine.stale.size,
      entries: written.size,
      threads: threads.size,
      ownershipTold: machine.ownershipTold,
      hasLocks: machine.ownership.hasLocks,
      ownershipRemark: machine.ownership.remark,
      tasksSeen,
      nothing,
    });
    const violations = causes.violations();
    const open = notJudged.isOpen || nothing;
    return {
      verdict: violations.length > 0 ? 'violated' : open ? 'not-judged' : 'clean',
      events,
      entries: written.size,
      threads: threads.size,
      violations,
      notJudged: notJudged.texts(),
      transitions: transitions.counts(),
      tlbis: Object.fromEntries([...tlbis].sort(([a], [b]) => a.localeCompare(b))),
      windows: transitions.windows(),
      sequences: transitions.sequences.seen(),
    };
  }

  /** Another log begins: nothing of the machine is as it was, what was found stays. */
  startAgain(): void {
    this.#settle();
    this.#rooms = newRooms(this.#bbm, this.#account);
  }

  take(record: LogRecord): void {
    const account = this.#account;
    account.events += 1;
    account.threads.add(record.thread);
    if (record.task !== null) account.tasksSeen = true;
    const { machine, pages, numbers, stores, flushes } = this.#rooms;
    const { event } = record;
    switch (event.op) {
      case 'write':
        stores.own(event.address, record);
        stores.write(event.address, event.value, record);
        return;
      case 'init':
        stores.fill(event, 0n, record);
        return;
      case 'set':
        stores.fill(event, event.value * 0x0101_0101_0101_0101n, record);
        return;
      case 'free':
        pages.free(event, record);
        return;
      case 'dsb':
        flushes.dsb(event.scope, record);
        return;
      case 'isb':
        flushes.isb(record.thread);
        return;
      case 'tlbi':
        flushes.tlbi(event, record);
        return;
      case 'sysreg':
        numbers.sysreg(event, record);
        return;
      case 'hint':
        machine.ownership.hint(event);
        if (event.kind === 'set_root_lock') pages.declare(event.location);
        if (event.kind === 'release_table') pages.release(event.location, record);
        return;
      case 'lock':
      case 'trylock':
      case 'unlock':
        machine.ownership.lock(event, record);
        return;
      case 'read':
        return;
      default:
        return assertNever(event);
    }
  }

  /** The log ends here. */
  #settle(): void {
    this.#rooms.machine.stale.settle();
    this.#rooms.numbers.openNumbers();
  }
}

function newRooms(bbm: BbmLevel, account: Account): Rooms {
  const machine = new LogMachine(bbm);
  const pages = new Pages(machine, account);
  const numbers = new Numbers(machine, account, pages);
  const stores = new Stores(machine, account, pages, numbers);
  const flushes = new Flushes(machine, account, numbers);
  return { machine, pages, numbers, stores, flushes };
}
