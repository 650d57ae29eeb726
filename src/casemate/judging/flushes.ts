/**
 * Barriers and TLBIs: what each does to the registers of its thread, to numbers, and to what is stale.
 * They are never wrong themselves; one that is missing, late or of something else shows in the next
 * store.
 */
import type { DsbScope, LogEvent, LogRecord } from '../reading/record.ts';
import type { FlushEvent } from '../rules/automaton.ts';
import type { Account } from './account.ts';
import { decodeTlbi } from './decode-tlbi.ts';
import type { LogMachine } from './log-machine.ts';
import type { Numbers } from './numbers.ts';

export class Flushes {
  readonly #machine: LogMachine;
  readonly #account: Account;
  readonly #numbers: Numbers;

  constructor(machine: LogMachine, account: Account, numbers: Numbers) {
    this.#machine = machine;
    this.#account = account;
    this.#numbers = numbers;
  }

  dsb(scope: DsbScope, record: LogRecord): void {
    // DSB SY is of the Full System domain, which the Inner Shareable one is part of.
    const kind = scope === 'sy' ? 'ish' : scope;
    if (kind === 'ish') {
      this.#machine.registers.idle(record.thread);
      this.#machine.identity.complete(record.thread);
    }
    this.#flush({ op: 'dsb', kind }, record);
  }

  isb(thread: number): void {
    this.#machine.registers.isb(thread);
    this.#account.transitions.sequences.isb(thread);
  }

  tlbi(event: Extract<LogEvent, { op: 'tlbi' }>, record: LogRecord): void {
    const { registers, forest } = this.#machine;
    const { tlbis, notJudged } = this.#account;
    tlbis.set(event.kind, (tlbis.get(event.kind) ?? 0) + 1);
    registers.busy(record.thread);
    const flush = decodeTlbi(event, registers, record, notJudged);
    this.#numbers.flushed(flush.takes, record);
    if (flush.event.op === 'el2' && ![...forest.trees()].some((t) => t.regime === 'el2'))
      notJudged.noEl2Tree(event.kind);
    this.#flush(flush.event, record);
  }

  /** A barrier or TLBI helps the entries that its own thread, or task, made stale. */
  #flush(event: FlushEvent, record: LogRecord): void {
    const { thread, task, line, source } = record;
    this.#machine.stale.flush({ event, agent: { thread, task }, index: line - 1, source });
    this.#account.transitions.sequences.flush(event, thread);
  }
}
