/**
 * What a log cannot tell, and what of it is not judged, in sentences: no rule passes in silence.
 * Each kind is said once, with the first line and how often.
 */
import type { LogRecord } from './reading/record.ts';
import type { TablePage } from './tables/tree.ts';

export interface End {
  /** Entries not flushed yet. */
  readonly unflushed: number;
  readonly entries: number;
  readonly threads: number;
  readonly ownershipTold: boolean;
  readonly ownershipRemark: string | null;
  readonly tasksSeen: boolean;
  /** No tree, and no store to one. */
  readonly nothing: boolean;
}

const UNKNOWN_TASK = 'a task moved from one CPU to the other (no task field) or whether it';

export class NotJudged {
  readonly #texts = new Set<string>();
  readonly #first = new Set<string>();
  readonly #foreign = { count: 0, line: 0 };
  readonly #isb = { count: 0, line: 0 };
  #skipped = 0;

  /** A finding hangs on what the log does not tell, or a tree was left out: no clean verdict. */
  get isOpen(): boolean {
    return this.#foreign.count > 0 || this.#skipped > 0;
  }

  add(text: string): void {
    this.#texts.add(text);
  }

  #skip(text: string): void {
    this.#skipped += 1;
    this.#first.add(text);
  }

  /** What the verdict hangs on comes first. */
  texts(): string[] {
    return [...this.#first, ...this.#texts];
  }

  /** Another thread flushed what this one made stale, and nobody knows whether it saw the store. */
  foreignFlush({ line }: LogRecord): void {
    if (this.#foreign.count === 0) this.#foreign.line = line;
    this.#foreign.count += 1;
  }

  unknownIsb(line: number): void {
    if (this.#isb.count === 0) this.#isb.line = line;
    this.#isb.count += 1;
  }

  tree(root: number, reason: string, control: string): void {
    this.#skip(`the tree at 0x${root.toString(16)} is not judged: ${reason} (${control})`);
  }

  /** A table that is its own descendant maps itself by design: no rule of tables says what it is. */
  selfMap(entry: number, table: number, { line }: LogRecord): void {
    this.#skip(
      `line ${line}: the entry at 0x${entry.toString(16)} links the table at 0x${table.toString(16)}, ` +
        'which it lies in or below (a self-map): what is walked through it is not judged',
    );
  }

  alias(entry: number, table: number, { line }: LogRecord): void {
    this.#skip(
      `line ${line}: the entry at 0x${entry.toString(16)} links the table at 0x${table.toString(16)} ` +
        'a second time in one tree: of its entries only the first addresses are judged',
    );
  }

  noEl2Tree(kind: string): void {
    this.add(`TLBI ${kind} is of EL2 stage 1, whose tree the log does not name (no TTBR0_EL2)`);
  }

  noVttbr(thread: number): void {
    this.add(
      `thread ${thread} issues TLBIs without having written VTTBR_EL2: each is taken to be for ` +
        "the table's own VMID",
    );
  }

  /** What is said, until it is taken back. */
  presumedGone(root: number, { line }: LogRecord): string {
    const text =
      `the tree at 0x${root.toString(16)} is taken as given up at line ${line}, where its pages ` +
      'are used anew: no CPU had it loaded, and the log has no release_table for it';
    this.add(text);
    return text;
  }

  /** The tree is loaded again, with the page that was used anew in its place. */
  takenBack(use: { page: TablePage; line: number; text: string }, { line }: LogRecord): void {
    const { base, tree } = use.page;
    this.#texts.delete(use.text);
    this.#skip(
      `the tree at 0x${tree.root.toString(16)} is loaded again at line ${line} with its table page ` +
        `0x${base.toString(16)}, which was used anew at line ${use.line}: what came between is not ` +
        'judged in it',
    );
  }

  unknownRelease(location: number, { line }: LogRecord): void {
    this.add(
      `line ${line}: release_table of 0x${location.toString(16)}, which is no table of a tree: ` +
        'which tree was given up is not known, so what was not flushed in it is not judged',
    );
  }

  end(end: End): void {
    if (end.nothing) {
      this.#first.add(
        'no tree was judged: no entry of a stage-2 tree was written after its VTTBR_EL2 was, ' +
          'nor one of an EL2 tree after its TTBR0_EL2',
      );
    }
    if (this.#foreign.count > 0) {
      const { line, count } = this.#foreign;
      this.#first.add(
        `${count} ${count === 1 ? 'finding' : 'findings'} (the first at line ${line}) left open: ` +
          'another thread flushed the entry than the one that made it stale, and the log does not ' +
          `tell whether ${end.tasksSeen ? 'it' : UNKNOWN_TASK} had seen the store`,
      );
    }
    if (this.#isb.count > 0) {
      const { line, count } = this.#isb;
      this.add(
        `${count} ${count === 1 ? 'TLBI' : 'TLBIs'} (the first at line ${line}) after a write of ` +
          'VTTBR_EL2 without an ISB in between: this log leaves ISBs out where no store waits for ' +
          'a DSB, so whether one is missing is not judged',
      );
    }
    if (!end.ownershipTold && end.entries > 0)
      this.add('locks are not in this log: who may store to a table (ownership) is not judged');
    if (end.ownershipRemark !== null) this.add(end.ownershipRemark);
    if (end.threads > 1 && !end.tasksSeen && end.entries > 0) {
      this.add(
        'a thread of this log is a CPU: program order is judged per CPU, and races between CPUs ' +
          'are not',
      );
    }
    if (end.unflushed > 0)
      this.add(`entries not flushed yet at the end of the log: ${end.unflushed}`);
  }
}
