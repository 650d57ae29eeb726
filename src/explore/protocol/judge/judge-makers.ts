/**
 * Two makers on one entry (maker.ts), judged together at the end of an execution: each may win alone, or
 * one after the other, and what holds for one holds for both together.
 *
 *   who stores     between one's break and its make the other stores nothing to the entry
 *   where it ends  the entry holds what one of them wanted
 *   the books      no table page is freed twice, lost or freed while linked; counts are right
 *   each by itself its own operations, after what it found the other to have done, by the automaton
 */
import { assert } from '../../../arch/assert.ts';
import { type Descriptor, isTable, isValid, sameButState } from '../../../arch/descriptor.ts';
import { judgeTrace } from '../../../checker/index.ts';
import { changeNamed } from '../../../port/index.ts';
import { thrownBy } from '../../../port/thrown.ts';
import type { Rule } from '../../../result/rule.ts';
import { hostInWords, valueText } from '../machine/describe.ts';
import { type Host, type HostThread, MakerFailed } from '../run/host.ts';
import { traceOf } from '../run/hypervisor.ts';
import { type Beginning, begunBy } from '../run/maker.ts';
import { type MemoryMap, TARGET } from '../machine/memory-map.ts';
import { FREED_TWICE, PageBook } from '../run/page-book.ts';
import type { Scenario } from '../run/scenario.ts';
import type { Path } from '../run/unroll.ts';

export interface MakersFinding {
  readonly rule: Rule;
  readonly why: string;
  /** What this one does is wrong whatever the other does. */
  readonly by?: 0 | 1;
  /** Which of both stores to the entry is the wrong one; absent: it is known at the end. */
  readonly store?: number;
}

/** A store to the entry: by which of the two, and the number of the value. */
export interface MakerStore {
  readonly maker: 0 | 1;
  readonly value: number;
}

export interface MakersEnd {
  /** Who changed the entry. */
  readonly word: string;
  /** One a rule. */
  readonly findings: readonly MakersFinding[];
  /** One of them threw, on account of nothing that the other did. */
  readonly isCut: boolean;
}

/** One of the two, on its way. */
interface Gone {
  readonly name: string;
  readonly path: Path;
  /** Null: it found nothing to do. */
  readonly begun: Beginning | null;
}

export class MakersJudge {
  readonly #host: Host;
  readonly #scenario: Scenario;
  /** By maker and number of its way. */
  readonly #byItself = new Map<string, readonly MakersFinding[]>();

  #failure: MakerFailed | null = null;

  constructor(host: Host, scenario: Scenario) {
    this.#host = host;
    this.#scenario = scenario;
  }

  /** The first that threw on account of nothing the other did to its entry; null: none has. */
  get failure(): MakerFailed | null {
    return this.#failure;
  }

  /** `stores`: to the entry, in order. `memory`: what both leave, by location. */
  judge(
    paths: readonly number[],
    stores: readonly MakerStore[],
    memory: readonly Descriptor[],
  ): MakersEnd {
    const gone = this.#host.threads.map((thread, i) => this.#goneOf(thread, i, paths[i] ?? 0));
    const broken = this.#doubleBreak(gone, stores);
    const cut = gone.findIndex(({ path }) => path.thrown !== null);
    const found =
      cut >= 0
        ? this.#cutShort(gone, cut, broken)
        : [
            ...broken,
            ...this.#books(gone, memory),
            ...this.#arrived(gone, stores, memory),
            ...this.#host.threads.flatMap((thread, i) =>
              this.#judgeItself(thread, i === 0 ? 0 : 1, paths[i] ?? 0),
            ),
          ];
    const findings = found.filter(
      ({ rule }, i) => found.findIndex((other) => other.rule === rule) === i,
    );
    const rules = findings.map(({ rule }) => rule).join(', ');
    return {
      word: `${wordOf(this.#host.map, stores)}${rules === '' ? '' : ` (${rules})`}`,
      findings,
      isCut: cut >= 0 && broken.length === 0,
    };
  }

  #goneOf({ maker }: HostThread, number: number, way: number): Gone {
    const path = this.#scenario.ways[number]?.[way];
    assert(path !== undefined, `hypervisor ${number} has no way ${way}`);
    assert(path.answers.length > 0, 'it looks at the entry first');
    return { name: hostInWords(this.#host.map, number), path, begun: begunBy(maker, path.answers) };
  }

  /**
   * One of them threw, and what it would have done after that nobody knows. Where the other was at its
   * entry, that is what it complains of; else the fault is its own.
   */
  #cutShort(gone: readonly Gone[], cut: number, broken: readonly MakersFinding[]): MakersFinding[] {
    const thread = this.#host.threads[cut];
    const { thrown } = gone[cut]?.path ?? {};
    assert(thread !== undefined && thrown !== undefined && thrown !== null, 'one of them threw');
    const { protocol } = thread.maker;
    if (broken.length === 0) this.#failure ??= new MakerFailed(protocol, thrown);
    return broken.map((each) => ({ ...each, why: `${each.why}; ${thrownBy(protocol, thrown)}` }));
  }

  /** What one does while it has the entry broken is its own. */
  #doubleBreak(gone: readonly Gone[], stores: readonly MakerStore[]): MakersFinding[] {
    let owner: 0 | 1 | null = null;
    for (const [store, { maker, value }] of stores.entries()) {
      const d = this.#host.values[value];
      assert(d !== undefined, `no value ${value}`);
      if (owner !== null && owner !== maker) {
        const [mine, theirs] = [gone[maker]?.name, gone[owner]?.name];
        const what = valueText(this.#host.map, TARGET, d);
        const why =
          `${mine} stores to the entry (${what}) while ${theirs} has it broken and is not done: ` +
          'whoever has put its mark there owns it until it makes it again (stage2_try_break_pte)';
        return [{ rule: 'break-before-make', why, store }];
      }
      owner = isValid(d) ? null : maker;
    }
    return [];
  }

  /** The entries of both, put together: pages first, then what counts them, then what frees them. */
  #books(gone: readonly Gone[], memory: readonly Descriptor[]): MakersFinding[] {
    let held = this.#host.initial;
    const book = new PageBook(this.#host.map, (location) => held[location] ?? 0n);
    const entries = gone.flatMap(({ path }) => path.ledger);
    for (const entry of entries) if (entry.is === 'made') book.make(entry.table, entry.count);
    for (const entry of entries) {
      if (entry.is === 'counted') book.count(entry.entry, entry.by);
      if (entry.is === 'emptied') book.emptied(entry.table, entry.valid);
    }
    for (const entry of entries) if (entry.is === 'freed') book.free(entry.table, entry.expected);
    held = memory;
    book.audit();
    const [one = [], other = []] = gone.map(({ path }) =>
      path.ledger.flatMap((entry) => (entry.is === 'freed' ? [entry.table] : [])),
    );
    const each = one.some((table) => other.includes(table)) ? ', once by each of the two' : '';
    return book.findings.map(({ rule, why }) => ({
      rule,
      why: `${why}${why.endsWith(FREED_TWICE) ? each : ''}`,
    }));
  }

  #arrived(
    gone: readonly Gone[],
    stores: readonly MakerStore[],
    memory: readonly Descriptor[],
  ): MakersFinding[] {
    const { map } = this.#host;
    const last = memory[TARGET] ?? 0n;
    // A walker's update may make a compare-exchange fail: then nothing was done, which is no harm.
    if (stores.length === 0 && map.hafdbs) return [];
    const begun = gone.flatMap((one) => one.begun ?? []);
    const isWanted = begun.some(({ change, wanted }) =>
      changeNamed(change).to === 'table'
        ? isTable(last, map.level) && map.isTableAddress(last)
        : sameButState(last, wanted),
    );
    if (isWanted) return [];
    const holds = valueText(map, TARGET, last);
    const why =
      stores.length === 0
        ? `neither of the two changes the entry, which nobody else has changed: it is the ${holds} still`
        : `the entry ends as the ${holds}, which neither of the two wanted`;
    return [{ rule: 'break-before-make', why }];
  }

  #judgeItself(thread: HostThread, number: 0 | 1, way: number): readonly MakersFinding[] {
    const key = `${number} ${way}`;
    const known = this.#byItself.get(key);
    if (known !== undefined) return known;
    const { map, bbm } = this.#host;
    const { name, path, begun } = this.#goneOf(thread, number, way);
    const { protocol } = thread.maker;
    const trace = begun === null ? null : traceOf(map, path, protocol, begun);
    const found = trace === null ? [] : judgeTrace(trace, bbm, false, map.hafdbs).violations;
    const findings = found.map(
      ({ rule, why }) => ({ rule, why: `${name}: ${why}`, by: number }) as const,
    );
    this.#byItself.set(key, findings);
    return findings;
  }
}

/** `1 changes it, 2 gives way`; a vCPU in its fault has no number. */
function wordOf(map: MemoryMap, stores: readonly MakerStore[]): string {
  const who = (maker: number): string =>
    map.handlers === 1 ? hostInWords(map, maker) : `${maker + 1}`;
  const [first] = stores;
  if (first === undefined) return 'neither changes it';
  const turns = stores.filter(({ maker }, i) => maker !== stores[i - 1]?.maker);
  const other = first.maker === 0 ? 1 : 0;
  if (turns.length === 1) return `${who(first.maker)} changes it, ${who(other)} gives way`;
  return turns.length === 2
    ? `${who(first.maker)} changes it, then ${who(other)}`
    : `${who(first.maker)} and ${who(other)} change it at once`;
}
