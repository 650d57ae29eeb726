/**
 * A sequence as a protocol: its steps, one after the other, through the port. A compare-exchange that
 * finds something else than the sequence knows to be there ends it, as the kernel's code would turn back.
 */
import { assertNever } from '../arch/assert.ts';
import { childLevel, type Level } from '../arch/geometry.ts';
import type { TlbiOp } from '../arch/tlbi.ts';
import {
  type Cpu,
  defineProtocol,
  type Descriptor,
  EMPTY,
  type Entry,
  HOST_VMID,
  LOCKED,
  NT,
  type Protocol,
  type Table,
  type Tables,
  type Transition,
  VALID,
} from '../port/index.ts';
import { BadArgument } from '../port/checked-port.ts';
import { type ForeignError, isForeign, type SourcePlace } from '../port/foreign.ts';
import type { Address, Sequence, Step, Value } from './steps.ts';

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

/** Steps that are written, those of loops among them. */
function sitesOf(steps: readonly Step[]): Step[] {
  return steps.flatMap((step) => [step, ...(step.op === 'each-page' ? sitesOf(step.steps) : [])]);
}

/** One transition. */
class Run {
  readonly #isSplit: boolean;
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
  /** IPA of the loop's page; the first one outside a loop. */
  #ipa: number;

  constructor(
    { kind }: Sequence,
    cpu: Cpu,
    t: Transition,
    tables: Tables,
    at: (step: Step) => void,
  ) {
    this.#isSplit = kind === 'split';
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
      case 'free':
        this.#free(step);
        return true;
      case 'each-page':
        return this.#eachPage(step.steps);
      default:
        return assertNever(step);
    }
  }

  #eachPage(steps: readonly Step[]): boolean {
    for (let page = 0; page < this.#pages; page++) {
      this.#ipa = this.#t.ipa + page * this.#pageSize;
      if (!this.steps(steps)) return false;
    }
    this.#ipa = this.#t.ipa;
    return true;
  }

  #below(): Level {
    return childLevel(this.#t.level);
  }

  #table(): Table {
    return this.#isSplit ? (this.#child as Table) : this.#tables.follow(this.#t.old);
  }

  #entry(child: number | null): Entry {
    return child === null ? this.#t.entry : this.#tables.entryOf(this.#table(), child);
  }

  #value(value: Value, child: number | null): Descriptor {
    const { old, wanted, level } = this.#t;
    switch (value) {
      case '0':
        return EMPTY;
      case 'invalid':
        return old & ~VALID;
      case 'locked':
        return LOCKED;
      case 'block':
        return child === null ? this.#block : this.#tables.childLeaf(wanted, level, child);
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
    const hint = ttl === 'level' ? this.#t.level : ttl;
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
      default:
        return assertNever(address);
    }
  }

  #free({ part, when }: Extract<Step, { op: 'free' }>): void {
    const table = this.#table();
    if (part === 'page') this.#tables.freeNow(table);
    else if (part === 'below') this.#tables.tearDownBelow(table, this.#below());
    else if (when === 'grace') this.#tables.tearDownAfterGrace(table, this.#below());
    else this.#tables.tearDown(table, this.#below());
  }
}
