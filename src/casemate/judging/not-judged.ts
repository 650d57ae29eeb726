/**
 * What a log cannot tell, and what of it is not judged, in sentences: no rule passes in silence.
 * Each kind is said once, with the first line and how often.
 */
import type { LogRecord } from '../reading/record.ts';
import { type EntryPlace, entryText, hex, type TablePage, type Tree } from '../tables/tree.ts';

export interface End {
  /** Entries not flushed yet. */
  readonly unflushed: number;
  readonly entries: number;
  readonly threads: number;
  readonly ownershipTold: boolean;
  readonly hasLocks: boolean;
  readonly ownershipRemark: string | null;
  readonly tasksSeen: boolean;
  /** No tree, and no store to one. */
  readonly nothing: boolean;
}

/** VTCR_EL2 or TCR_EL2, and what was written to it. */
interface Control {
  readonly name: string;
  readonly value: bigint | null;
}

const UNKNOWN_TASK = 'a task moved from one CPU to the other (no task field) or whether it';

export class NotJudged {
  readonly #texts = new Set<string>();
  readonly #first = new Set<string>();
  readonly #foreign = { count: 0, line: 0 };
  readonly #isb = { count: 0, line: 0 };
  readonly #large = { count: 0, text: '' };
  /** By what is unsure about them. */
  readonly #hints = new Map<string, { count: number; readonly line: number }>();
  readonly #numbers = { count: 0, line: 0, text: '' };
  readonly #unknown = { count: 0, table: 0, line: 0 };
  readonly #unknownShapes = new Set<string>();
  /** Links that were not gone along: by kind the first, and how many there were. */
  readonly #links = new Map<'alias' | 'self-map', { count: number; readonly text: string }>();
  #skipped = 0;

  /** A finding hangs on what the log does not tell, or a tree was left out: no clean verdict. */
  get isOpen(): boolean {
    const findings =
      this.#foreign.count + this.#hints.size + this.#numbers.count + this.#large.count;
    return findings > 0 || this.#skipped > 0;
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

  /** What it maps is not in the model: only its other bits are held against what was there. */
  largeLeaf(address: number, place: EntryPlace, { line }: LogRecord): void {
    if (this.#large.count === 0) this.#large.text = `line ${line}, ${entryText(address, place)}`;
    this.#large.count += 1;
  }

  /** A TLBI whose TTL makes it unsure what it takes, and why. */
  unsureHint(why: string, line: number): void {
    const known = this.#hints.get(why);
    if (known === undefined) this.#hints.set(why, { count: 1, line });
    else known.count += 1;
  }

  tree(root: number, reason: string, { name, value }: Control): void {
    const text = value === null ? `${name} is not in the log` : `${name} ${hex(value)}`;
    this.#skip(`the tree at ${hex(root)} is not judged: ${reason} (${text})`);
  }

  /** Nobody wrote the register that says how the tree is walked. */
  unknownShape(root: number, register: string): void {
    if (this.#unknownShapes.has(register)) return;
    this.#unknownShapes.add(register);
    this.add(
      `${register} is not in the log before the tree at ${hex(root)} is: it is taken for one of 48 ` +
        'address bits and 4K pages, which starts at level 0',
    );
  }

  /** The log neither tells what is in a table nor that it was handed out empty. */
  unknownContents(table: number, { line }: LogRecord): void {
    const { count } = this.#unknown;
    if (count === 0) Object.assign(this.#unknown, { table, line });
    this.#unknown.count = count + 1;
  }

  /** A table that is its own descendant maps itself by design: no rule of tables says what it is. */
  selfMap(entry: number, table: number, { line }: LogRecord): void {
    this.#link(
      'self-map',
      `line ${line}: the entry at 0x${entry.toString(16)} links the table at 0x${table.toString(16)}, ` +
        'which it lies in or below (a self-map): what is walked through it is not judged',
    );
  }

  alias(entry: number, table: number, { line }: LogRecord): void {
    this.#link(
      'alias',
      `line ${line}: the entry at 0x${entry.toString(16)} links the table at 0x${table.toString(16)} ` +
        'a second time in one tree: of its entries only the first addresses are judged',
    );
  }

  #link(kind: 'alias' | 'self-map', text: string): void {
    const known = this.#links.get(kind);
    if (known === undefined) this.#links.set(kind, { count: 1, text });
    else known.count += 1;
    this.#skipped += 1;
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

  /** Two trees have one VMID on two CPUs, of which one may have its host's context. */
  sharedNumber(tree: Tree, other: number, thread: number, { line }: LogRecord): void {
    this.add(
      `line ${line}: the tree at ${hex(tree.root)} is loaded under VMID ${tree.id} while thread ` +
        `${thread} still has the tree at ${hex(other)} loaded under it: that both run at once is ` +
        'not judged (the log does not tell whether that CPU is in its guest)',
    );
  }

  openNumber(why: string): void {
    this.add(`${why}; whether one comes before it is used, the log does not tell: it ends there`);
  }

  /** A number was flushed by address, and nobody keeps what of it had to be. */
  partNumber(why: string, { line }: LogRecord): void {
    this.#numbers.count += 1;
    this.#first.add(
      `${why}; whether the TLBIs of some (line ${line}) were of all these is not judged`,
    );
  }

  /** An entry became stale of a tree that CPUs have under several VMIDs. */
  manyNumbers(tree: Tree, others: readonly number[], { line }: LogRecord): void {
    if (this.#numbers.text === '') {
      const all = [tree.id, ...others].toSorted((a, b) => a - b).join(' and ');
      this.#numbers.text = `the tree at ${hex(tree.root)} is loaded under VMID ${all} at once`;
      this.#numbers.line = line;
    }
    this.#numbers.count += 1;
  }

  /** The tree was loaded under another VMID before a DSB had ordered a break of it. */
  unorderedNumber(vmid: number, { line }: LogRecord): void {
    this.add(
      `line ${line}: VMID ${vmid} came into use for a tree while the store that broke an entry of it ` +
        'was not ordered: whether the old one was cached under it as well is not judged',
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
      `line ${line}: release_table of ${hex(location)}, which is no table of a tree: ` +
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
    if (this.#large.count > 0) {
      const { count, text } = this.#large;
      this.#first.add(
        `${count} ${count === 1 ? 'store' : 'stores'} of or over leaves of FEAT_LPA2 (the first: ${text}): ` +
          'output addresses above 2^48 and blocks of level 0 are not judged',
      );
    }
    for (const { count, text } of this.#links.values()) {
      const others = `${count - 1} more ${count === 2 ? 'link' : 'links'} like it`;
      this.#first.add(count === 1 ? text : `${text}; ${others}`);
    }
    for (const [why, { count, line }] of this.#hints) {
      const which = `${count} ${count === 1 ? 'TLBI' : 'TLBIs'} (the first at line ${line})`;
      this.#first.add(`${which} ${why}`);
    }
    if (this.#numbers.text !== '') {
      const { line, text } = this.#numbers;
      this.#first.add(
        `${text} (line ${line}): whether each of these CPUs is in the guest or in its host, and so ` +
          'which of them must be flushed, the log does not tell; one was enough',
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
    if (this.#unknown.count > 0) {
      const { count, table, line } = this.#unknown;
      const which =
        count === 1
          ? `the table at ${hex(table)} (line ${line})`
          : `${count} tables (the first at ${hex(table)}, line ${line})`;
      this.add(
        `what was in ${which} before it became one is not in the log (no mem-init, no store): ` +
          'entries that were not stored to are taken as empty',
      );
    }
    if (!end.ownershipTold && end.entries > 0) {
      const why = end.hasLocks
        ? 'which lock guards which table is not in this log (no set_root_lock)'
        : 'locks are not in this log';
      this.add(`${why}: who may store to a table (ownership) is not judged`);
    }
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
