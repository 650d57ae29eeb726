/**
 * A sequence as a protocol: its steps, one after the other, through the port. A compare-exchange that
 * finds something else than the sequence knows to be there ends it, as the kernel's code would turn back.
 */
import { assert, assertNever } from '../arch/assert.ts';
import { childLevel, type Level } from '../arch/geometry.ts';
import type { TlbiOp } from '../arch/tlbi.ts';
import {
  type Cpu,
  defineProtocol,
  type Descriptor,
  EMPTY,
  type Entry,
  type Gather,
  gathered,
  HOST_VMID,
  isTable,
  LOCKED,
  NOTHING_GATHERED,
  NT,
  type Protocol,
  type Table,
  type Tables,
  type Transition,
  tryBuildSubtree,
  VALID,
} from '../port/index.ts';
import { BadArgument } from '../port/checked-port.ts';
import { type ForeignError, isForeign, type SourcePlace } from '../port/foreign.ts';
import { type Leaf, mappedLeaves } from './leaves.ts';
import {
  type Address,
  type ChildIndex,
  innerSteps,
  type Sequence,
  type Step,
  type Value,
} from './steps.ts';

/** Another VM's, under both engines. */
const OTHER_VMID = 2;

/** Throws nothing: a sequence that was parsed is a protocol. */
export function sequenceProtocol(
  sequence: Sequence,
  {
    name = 'sequence',
    file = null,
  }: { readonly name?: string; readonly file?: string | null } = {},
): Protocol {
  const { kind, form, lock, context, claims, steps, summary, origin } = sequence;
  const sites = sitesOf(steps);
  let now: Step | null = null;
  const run: Protocol['run'] = (cpu, t, tables) => {
    new Run(sequence, cpu, t, tables, (step) => {
      now = step;
    }).steps(steps);
  };
  const place = (): SourcePlace | null =>
    now && { file, line: now.at.line, column: now.at.column, site: sites.indexOf(now) };
  const explain = (error: unknown): ForeignError | null => {
    const at = place();
    if (!(error instanceof BadArgument) || at === null) return null;
    return { what: error.message, where: `${file ?? 'the sequence'}:${at.line}:${at.column}` };
  };
  const first = steps[0]?.at;
  const start = first === undefined ? null : { file, line: first.line, column: first.column };
  isForeign(run, { place, lines: sites.length, explain, start });
  return defineProtocol({
    name: sequence.name ?? name,
    kind,
    summary: summary ?? `${sites.length} steps as they were written`,
    origin: origin ?? file ?? 'the command line',
    claims: {
      ...(claims.neverInvalid ? { neverInvalid: true } : {}),
      ...(claims.handlesConflict ? { handlesConflict: true } : {}),
    },
    lock,
    ...(context === undefined ? {} : { context }),
    ...(form === undefined ? {} : { form }),
    run,
  });
}

/** Steps that are written, those within others among them. */
function sitesOf(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...sitesOf(innerSteps(step))]);
}

/** One transition. */
class Run {
  readonly #isSplit: boolean;
  readonly #unmaps: boolean;
  readonly #cpu: Cpu;
  readonly #t: Transition;
  readonly #tables: Tables;
  readonly #at: (step: Step) => void;
  readonly #pages: number;
  readonly #pageSize: number;
  /** What `block` is: with the pages' state once that was merged. */
  #block: Descriptor;
  /** What the entry holds as far as this sequence knows. */
  #held: Descriptor;
  #child: Table | null = null;
  /** Of the loop's page; the first one outside a loop. */
  #ipa: number;
  /** Where a loop is; null outside. */
  #page: Leaf | null = null;
  #gather: Gather = NOTHING_GATHERED;

  constructor(
    { kind }: Sequence,
    cpu: Cpu,
    t: Transition,
    tables: Tables,
    at: (step: Step) => void,
  ) {
    this.#isSplit = kind === 'split';
    this.#unmaps = kind === 'unmap';
    this.#cpu = cpu;
    this.#t = t;
    this.#tables = tables;
    this.#at = at;
    this.#pages = tables.entries ** (3 - t.level);
    this.#pageSize = t.size / this.#pages;
    this.#block = this.#isSplit ? t.old : t.wanted;
    this.#held = t.old;
    this.#ipa = t.ipa;
  }

  /** False: a compare-exchange was lost, and the sequence is over. */
  steps(steps: readonly Step[]): boolean {
    for (const step of steps) if (!this.#step(step)) return false;
    return true;
  }

  #step(step: Step): boolean {
    const cpu = this.#cpu;
    this.#at(step);
    switch (step.op) {
      case 'store':
        return this.#store(step);
      case 'load':
        cpu.read(this.#entry(step.child));
        return true;
      case 'dmb':
        cpu.dmb(step.kind);
        return true;
      case 'dsb':
        cpu.dsb(step.kind);
        return true;
      case 'ipi':
        cpu.ipi();
        return true;
      case 'isb':
        cpu.isb();
        return true;
      case 'vttbr':
        cpu.writeVttbr(step.table === 'guest' ? this.#t.vmid : HOST_VMID, step.table);
        return true;
      case 'tge':
        cpu.writeTge(step.on);
        return true;
      case 'tlbi':
        // Of nothing there is nothing to flush.
        if (step.address?.kind === 'gathered' && this.#gather.end === 0) return true;
        cpu.tlbi(this.#tlbi(step));
        return true;
      case 'get':
      case 'put':
        this.#tables[step.op](this.#entry(step.child));
        return true;
      case 'merge':
        this.#block = this.#tables.mergeState(this.#t.wanted, this.#table(), this.#below());
        return true;
      case 'clean':
        this.#tables.cleanDcache(this.#t.pa, this.#t.size);
        return true;
      case 'allocate':
        this.#child = step.filled
          ? this.#tables.buildSubtree(this.#t.level, this.#t.wanted)
          : this.#tables.allocate(this.#below());
        return true;
      case 'try-allocate':
        return this.#tryAllocate(step);
      case 'free':
        this.#free(step);
        return true;
      case 'gather':
        this.#gatherOne();
        return true;
      case 'each-page':
        return this.#loop(step.mapped ? this.#mappedPages() : this.#allPages(), step.steps);
      default:
        return assertNever(step);
    }
  }

  #loop(pages: Iterable<Leaf>, steps: readonly Step[]): boolean {
    const outside = { ipa: this.#ipa, page: this.#page };
    for (const page of pages) {
      this.#ipa = page.ipa;
      this.#page = page;
      if (!this.steps(steps)) return false;
    }
    this.#ipa = outside.ipa;
    this.#page = outside.page;
    return true;
  }

  *#allPages(): Generator<Leaf, void, void> {
    const { ipa, wanted } = this.#t;
    const bytes = this.#pageSize;
    const page = { entry: null, level: 3, bytes, wanted: () => wanted } as const;
    for (let n = 0; n < this.#pages; n++) yield { ...page, ipa: ipa + n * bytes };
  }

  /** None where the entry held no table. */
  #mappedPages(): Iterable<Leaf> {
    const { ipa, size, wanted, old, level } = this.#t;
    if (!this.#isSplit && !isTable(old, level)) return [];
    const bytes = size / this.#tables.entries;
    const below = { table: this.#table(), level: this.#below(), ipa, bytes };
    return mappedLeaves(this.#cpu, this.#tables, { ...below, wanted: () => wanted });
  }

  #gatherOne(): void {
    const { ipa, size, level, old } = this.#t;
    const what = isTable(old, level) ? 'table' : 'leaf';
    const page = this.#page;
    this.#gather =
      page === null
        ? gathered(this.#gather, ipa, size, level, what)
        : gathered(this.#gather, page.ipa, page.bytes, page.level, 'leaf');
  }

  /** False: there was no memory, and what is left to do then is done. */
  #tryAllocate({ filled, steps }: Extract<Step, { op: 'try-allocate' }>): boolean {
    const { level, wanted } = this.#t;
    this.#child = filled
      ? tryBuildSubtree(this.#cpu, this.#tables, level, wanted)
      : this.#tables.tryAllocate(this.#below());
    if (this.#child !== null) return true;
    this.steps(steps);
    return false;
  }

  #below(): Level {
    return childLevel(this.#t.level);
  }

  #table(): Table {
    return this.#isSplit ? (this.#child as Table) : this.#tables.follow(this.#t.old);
  }

  #entry(child: ChildIndex | null): Entry {
    if (child === null) return this.#t.entry;
    if (child !== 'page') return this.#tables.entryOf(this.#table(), child);
    const entry = this.#page?.entry ?? null;
    assert(entry !== null, 'the parser lets child[page] stand in loops over mapped pages only');
    return entry;
  }

  #value(value: Value, child: ChildIndex | null): Descriptor {
    const { old, wanted, level } = this.#t;
    switch (value) {
      case '0':
        return EMPTY;
      case 'invalid':
        return old & ~VALID;
      case 'locked':
        return LOCKED;
      case 'block':
        if (child === null) return this.#block;
        if (child === 'page') return this.#page?.wanted() ?? wanted;
        return this.#tables.childLeaf(wanted, level, child);
      case 'block+nt':
        return this.#block | NT;
      case 'table':
        return this.#isSplit ? this.#tables.descriptorFor(this.#table()) : old;
      case 'old':
        return old;
      case 'old+nt':
        return old | NT;
      default:
        return assertNever(value);
    }
  }

  #store({ order, value, child }: Extract<Step, { op: 'store' }>): boolean {
    const entry = this.#entry(child);
    const d = this.#value(value, child);
    if (order === 'cas') {
      const expected = child === null ? this.#held : this.#cpu.read(entry);
      if (this.#cpu.compareExchange(entry, expected, d) !== expected) return false;
    } else if (order === 'release') {
      this.#cpu.writeRelease(entry, d);
    } else {
      this.#cpu.write(entry, d);
    }
    if (child === null) this.#held = d;
    return true;
  }

  #tlbi({ kind, address, ttl, vmid }: Extract<Step, { op: 'tlbi' }>): TlbiOp {
    const hint = ttl === 'level' ? this.#t.level : ttl === 'gathered' ? this.#gather.ttl : ttl;
    return {
      kind,
      ...(address === null ? {} : this.#addressed(address)),
      ...(hint === null ? {} : { ttl: hint }),
      ...(vmid === null ? {} : { vmid: OTHER_VMID }),
    };
  }

  #addressed(address: Address): Pick<TlbiOp, 'ipa' | 'size'> {
    switch (address.kind) {
      case 'page':
        return { ipa: this.#ipa + address.offset * this.#pageSize };
      case 'pages':
        return { ipa: this.#ipa, size: address.count * this.#pageSize };
      case 'range':
        return { ipa: this.#t.ipa, size: this.#t.size };
      case 'gathered':
        return { ipa: this.#gather.start, size: this.#gather.end - this.#gather.start };
      default:
        return assertNever(address);
    }
  }

  #free({ part, when }: Extract<Step, { op: 'free' }>): void {
    // A block that is unmapped has no child: the same sequence may be tried with each form of its kind.
    const { old, level } = this.#t;
    if (this.#unmaps && !isTable(old, level)) return;
    const table = this.#table();
    if (part === 'page') this.#tables.freeNow(table);
    else if (part === 'below') this.#tables.tearDownBelow(table, this.#below());
    else if (when === 'grace') this.#tables.tearDownAfterGrace(table, this.#below());
    else this.#tables.tearDown(table, this.#below());
  }
}
