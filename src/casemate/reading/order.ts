/**
 * Are a log's events in the order in which they happened? Its ids count up. Events put in between
 * and taken up again are told; many that go back mean that the lines were shuffled, and then
 * nothing can be judged from them.
 */
import type { LogRecord } from './record.ts';
import { LogSyntaxError } from './tokens.ts';

/** The order of a log's events is lost: nothing can be judged from it. */
export class OrderLost extends LogSyntaxError {}

/** So many steps back within so many events are no accident. */
const BACK_MAX = 3;
const WITHIN_EVENTS = 60;

export class EventOrder {
  #last = Number.NEGATIVE_INFINITY;
  #events = 0;
  readonly #recent: number[] = [];
  #back = 0;
  #first = '';

  /** Throws an OrderLost where the order is lost. */
  take({ id, line }: LogRecord): void {
    this.#events += 1;
    const last = this.#last;
    this.#last = id;
    if (id >= last) return;
    this.#back += 1;
    if (this.#first === '') this.#first = `line ${line}: event ${id} stands after event ${last}`;
    this.#recent.push(this.#events);
    if (this.#recent.length < BACK_MAX) return;
    const oldest = this.#recent.shift() ?? 0;
    if (this.#events - oldest > WITHIN_EVENTS) return;
    throw new OrderLost(
      line,
      `event ${id} stands after event ${last}, and so do others: expected ids that count up, ` +
        'these lines are out of order',
    );
  }

  /** What the reader of a verdict should know of it. */
  get remark(): string | null {
    if (this.#back === 0) return null;
    const more = this.#back === 1 ? '' : ` (and ${this.#back - 1} more such places)`;
    return `${this.#first}${more}: the order of the lines was judged, not that of the ids`;
  }
}
