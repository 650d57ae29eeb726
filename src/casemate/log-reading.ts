/**
 * One log while it is read: text goes in by pieces, a verdict comes out at any time. What is wrong
 * with the text ends the reading, not the verdict on what came before.
 */
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { TraceRun } from '../result/check-trace.ts';
import { LogJudge } from './judge.ts';
import { RecordReader } from './reading/lines.ts';
import { EventOrder, OrderLost } from './reading/order.ts';
import { LogSyntaxError } from './reading/tokens.ts';

export class LogReading {
  readonly #file: string;
  readonly #bbm: BbmLevel;
  readonly #judge: LogJudge;
  readonly #reader: RecordReader;
  readonly #order = new EventOrder();
  #damage: TraceRun['damage'] = null;
  #orderLost = false;

  constructor(file: string, bbm: BbmLevel) {
    this.#file = file;
    this.#bbm = bbm;
    this.#judge = new LogJudge(bbm);
    this.#reader = new RecordReader((record) => {
      if (this.#order.take(record)) this.#judge.startAgain();
      this.#judge.take(record);
    });
  }

  get events(): number {
    return this.#judge.events;
  }

  get causes(): number {
    return this.#judge.causes;
  }

  /** False once the text is damaged: what follows cannot be read. */
  push(text: string): boolean {
    return this.#reading(() => this.#reader.push(text));
  }

  end(): boolean {
    return this.#reading(() => this.#reader.end());
  }

  /** The file gave no more, for another reason than its text. */
  broken(why: string): void {
    this.#damage ??= { line: Math.max(1, this.#reader.line), why };
  }

  #reading(read: () => void): boolean {
    if (this.#damage !== null) return false;
    try {
      read();
      return true;
    } catch (error) {
      if (!(error instanceof LogSyntaxError)) throw error;
      this.#damage = { line: error.line, why: error.message };
      this.#orderLost = error instanceof OrderLost;
      return false;
    }
  }

  /** `interrupted`: the user stopped it, and only a part was read. */
  run(interrupted: boolean): TraceRun {
    // Without an order there is nothing that could be found, or found to be right.
    const judged = (this.#orderLost ? new LogJudge(this.#bbm) : this.#judge).judgement();
    const notJudged = [...judged.notJudged];
    notJudged.unshift(...this.#order.remarks());
    if (interrupted)
      notJudged.unshift(`stopped after ${this.events} events: what follows was not judged`);
    if (this.#damage !== null) {
      const { line, why } = this.#damage;
      const rest = this.#orderLost ? 'nothing of it was judged' : 'what follows was not judged';
      notJudged.unshift(`line ${line}: ${why}; ${rest}`);
    }
    const part = this.#damage !== null || interrupted || this.#order.isUncertain;
    const verdict = part && judged.verdict === 'clean' ? 'not-judged' : judged.verdict;
    return { file: this.#file, ...judged, verdict, notJudged, damage: this.#damage };
  }
}
