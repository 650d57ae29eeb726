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
/** Places where ids jumped ahead, and may come back to. */
const JUMPS_MAX = 64;

export class EventOrder {
  #last: number | null = null;
  #firstId: number | null = null;
  /** Logs that began after the first, and the line of the first of them. */
  #starts = 0;
  #start: number | null = null;
  #events = 0;
  /** Steps ahead over at least one id. */
  #ahead = 0;
  readonly #recent: number[] = [];
  /** Ids after which the ids jumped ahead. */
  readonly #jumps: number[] = [];
  #back = { count: 0, first: '' };
  #gap: string | null = null;
  /** The ids go on elsewhere: these are parts of logs, in an order nobody knows. */
  isUncertain = false;

  /**
   * True where another log begins, whose ids start again as those of the first did. Throws an
   * OrderLost where nothing can be judged any more.
   */
  take({ id, line }: LogRecord): boolean {
    this.#events += 1;
    const last = this.#last;
    this.#last = id;
    this.#firstId ??= id;
    if (last === null || id === last || id === last + 1) return false;
    if (id < last && id === this.#firstId) {
      this.#starts += 1;
      this.#jumps.length = 0;
      this.#start ??= line;
      return true;
    }
    if (id < last) this.#stepBack(id, last, line);
    else {
      this.#ahead += 1;
      this.#jumps.push(last);
      if (this.#jumps.length > JUMPS_MAX) this.#jumps.shift();
      this.#gap ??= `line ${line}: event ${id} stands after event ${last}: events may be missing`;
    }
    return false;
  }

  #stepBack(id: number, last: number, line: number): void {
    const { count, first } = this.#back;
    const here = `line ${line}: event ${id} stands after event ${last}`;
    this.#back = { count: count + 1, first: count === 0 ? here : first };
    // Back to where the ids jumped ahead: the events between were put in.
    const resumed = this.#jumps.lastIndexOf(id - 1);
    if (resumed >= 0) {
      this.#jumps.splice(resumed);
      this.#gap = null;
    } else this.isUncertain = true;
    this.#recent.push(this.#events);
    // Hardly two events in a row: every so-manieth line, and then the others.
    const isMixed = this.#events > WITHIN_EVENTS && this.#ahead > this.#events / 2;
    const oldest = this.#recent.length < BACK_MAX ? undefined : this.#recent.shift();
    const isDense = oldest !== undefined && this.#events - oldest <= WITHIN_EVENTS;
    if (!isDense && !isMixed) return;
    throw new OrderLost(
      line,
      `event ${id} stands after event ${last}, and so do others: expected ids that count up, ` +
        'these lines are out of order',
    );
  }

  /** What the reader of a verdict should know of it. */
  remarks(): string[] {
    const { count, first } = this.#back;
    const more = count <= 1 ? '' : ` (and ${count - 1} more such places)`;
    const doubt = this.isUncertain ? '; parts of logs, or lines out of order' : '';
    const back = `${first}${more}: the order of the lines was judged, not that of the ids${doubt}`;
    const starts =
      this.#start === null
        ? []
        : [
            `line ${this.#start}: the ids start again: ${this.#starts + 1} logs in one file, each ` +
              'judged from its own beginning',
          ];
    return [...starts, ...(count === 0 ? [] : [back]), ...(this.#gap === null ? [] : [this.#gap])];
  }
}
