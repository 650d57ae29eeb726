/**
 * A function of a kernel tree as a protocol: what the compiled tree calls is an operation of the port.
 * A run begins with the statics and the stack as they were when the module was made.
 */
import { type ContextName, HOST_VMID } from '../arch/context.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import { childLevel } from '../arch/geometry.ts';
import { scopeOf, TLBI_KINDS } from '../arch/tlbi.ts';
import { type Cpu, DMB_KINDS, DSB_KINDS } from '../port/cpu.ts';
import { type ForeignError, isForeign } from '../port/foreign.ts';
import type { Protocol, Transition } from '../port/protocol.ts';
import type { Tables } from '../port/tables.ts';
import { CodePlaces, lineTableOf, sectionsOf } from '../native/index.ts';
import { type Capability, hasCapability } from './capabilities.ts';
import { Descriptors } from './descriptors.ts';
import { type Offer, PREFIX } from './offers.ts';
import { Pages, type Place } from './pages.ts';
import { KERNEL_ENTRIES, Scale } from './scale.ts';
import type { KernelTree } from './tree.ts';

const SOFTWARE = 0xfn << 55n;
/** In the cache of pages: as many as the whole subtree of an entry takes (chunk size of that entry). */
const CACHE_PAGES = { 1: KERNEL_ENTRIES + 1, 2: 1 } as const;
const EAGAIN = -11;
const ERRORS: Readonly<Record<number, string>> = {
  [-1]: 'EPERM',
  [-2]: 'ENOENT',
  [-7]: 'E2BIG',
  [EAGAIN]: 'EAGAIN',
  [-12]: 'ENOMEM',
  [-17]: 'EEXIST',
  [-22]: 'EINVAL',
};
/** Pointer to what is none of the tables: guest memory, which is only cleaned. */
const GUEST = 16;
/** Tables of `explore` are smaller than these. */
const TINY_ENTRIES_MAX = 64;

type Run = (
  pgd: number,
  level: number,
  ipa: bigint,
  size: bigint,
  pa: bigint,
  software: bigint,
  shared: number,
  pages: number,
) => number;

interface Running {
  readonly cpu: Cpu;
  readonly tables: Tables;
  readonly t: Transition;
  readonly pages: Pages;
  readonly descriptors: Descriptors;
  readonly scale: Scale;
}

export interface KernelModule {
  readonly tree: KernelTree;
  readonly wasm: Uint8Array<ArrayBuffer>;
  readonly capabilities: readonly Capability[];
  /** Version, files: where it is from. */
  readonly origin: string;
  /** Where its flushes begin (tree.ts). */
  readonly context: ContextName;
  /** See reference.ts. */
  readonly label: string | null;
}

export function kernelProtocol(
  { tree, wasm, capabilities, origin, context, label }: KernelModule,
  offer: Offer,
): Protocol {
  const sections = sectionsOf(wasm);
  const isOurs = (file: string): boolean => !file.startsWith(`${tree.folder}/`);
  const places = new CodePlaces(lineTableOf(sections), sections.codeStart, isOurs);
  let running: Running | null = null;
  const now = (): Running => {
    if (running === null) throw new Error('the port was called outside of run()');
    return running;
  };
  const texts = new Map<number, string>();
  const port = importsOf(now, capabilities, (at) => {
    const known = texts.get(at) ?? textAt(memory, at);
    texts.set(at, known);
    return known;
  });
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), { port });
  const memory = exports['memory'] as WebAssembly.Memory;
  const stackPointer = exports['__stack_pointer'] as WebAssembly.Global;
  const stackTop = stackPointer.value as number;
  const heapBase = (exports['__heap_base'] as WebAssembly.Global).value as number;
  const bytes = new Uint8Array(memory.buffer);
  const pristine = bytes.slice(0, heapBase);
  const entry = exports[offer.entry] as Run;
  const machine = exports['machine'] as (entries: number) => void;
  const locked = BigInt.asUintN(64, (exports['locked'] as () => bigint)());
  const encoding = { locked, fwb: capabilities.includes('fwb') };
  const isShared = offer.lock === 'shared';
  // Beside others it may lose, or come too late, and its caller then comes again.
  const mayLose = isShared || offer.kind === 'map';

  const run: Protocol['run'] = (cpu, t, tables) => {
    refuseOtherPages(tables.entries);
    const scale = new Scale(t, tables.entries);
    const { level } = t;
    const target = { entry: t.entry, level, ipa: scale.kernelIpa };
    const pages = new Pages(tables, target, bytes);
    const descriptors = new Descriptors(encoding, scale, t, pages.isTable);
    running = { cpu, tables, t, pages, descriptors, scale };
    stackPointer.value = stackTop;
    bytes.set(pristine);
    machine(tables.entries);
    const error = entry(
      Pages.pgd(target),
      level,
      BigInt(scale.kernelIpa),
      BigInt(scale.kernelBytes),
      BigInt(t.pa),
      t.wanted & SOFTWARE,
      isShared ? 1 : 0,
      CACHE_PAGES[t.level],
    );
    if (error === 0 || (mayLose && error === EAGAIN)) return;
    const code = ERRORS[error] === undefined ? '' : ` (${ERRORS[error]})`;
    throw new Error(`${offer.symbol}() returned ${error}${code}`);
  };
  isForeign(run, {
    lines: null,
    place: () => places.here(),
    placeAt: (offset) => places.at(offset),
    explain: (error) => explain(error, places),
  });
  return Object.freeze({
    name: PREFIX + (label === null ? offer.name : `${offer.name}-${label}`),
    kind: offer.kind,
    ...(offer.form === undefined ? {} : { form: offer.form }),
    summary: `${offer.symbol}() ${offer.summary}`,
    origin,
    claims: {},
    lock: offer.lock,
    ...(offer.kind === 'map' ? { walks: true } : {}),
    hole: tree.hole,
    ...(context === 'guest' ? {} : { context }),
    run,
  });
}

function refuseOtherPages(entries: number): void {
  if (entries <= TINY_ENTRIES_MAX || entries === KERNEL_ENTRIES) return;
  throw new Error('code of a kernel tree is compiled for 4K pages: take --granule 4k');
}

function textAt(memory: WebAssembly.Memory, at: number): string {
  const bytes = new Uint8Array(memory.buffer, at);
  return new TextDecoder().decode(bytes.subarray(0, bytes.indexOf(0)));
}

const unsigned = (d: bigint): Descriptor => BigInt.asUintN(64, d);

function importsOf(
  now: () => Running,
  capabilities: readonly Capability[],
  text: (at: number) => string,
): Record<string, (...operands: never[]) => unknown> {
  const guest = { pa: 0n };
  const stored = (at: number, d: bigint): { place: Place; machine: Descriptor } => {
    const { pages, descriptors } = now();
    const place = pages.at(at);
    const machine = descriptors.stored(unsigned(d), place.level);
    const isLink = pages.isTable(machine, place.level);
    return { place, machine: isLink ? pages.linked(machine) : machine };
  };
  const known = new Map<number, boolean>();
  return {
    read(at: number): bigint {
      const { cpu, pages, descriptors } = now();
      const place = pages.at(at);
      const d = cpu.read(place.entry);
      pages.seen(place, d);
      return descriptors.toKernel(d, place.level);
    },
    write(at: number, d: bigint) {
      const { place, machine } = stored(at, d);
      now().cpu.write(place.entry, machine);
    },
    write_release(at: number, d: bigint) {
      const { place, machine } = stored(at, d);
      now().cpu.writeRelease(place.entry, machine);
    },
    cmpxchg(at: number, old: bigint, d: bigint): bigint {
      const { place, machine } = stored(at, d);
      const { cpu, descriptors, pages } = now();
      const expected = descriptors.toMachine(unsigned(old), place.level);
      const found = cpu.compareExchange(place.entry, expected, machine);
      pages.seen(place, found);
      return descriptors.toKernel(found, place.level);
    },
    dsb: (kind: number) => now().cpu.dsb(nameIn(DSB_KINDS, text(kind), 'DSB')),
    dmb: (kind: number) => now().cpu.dmb(nameIn(DMB_KINDS, text(kind), 'DMB')),
    isb: () => now().cpu.isb(),
    vttbr(isHost: number) {
      const { cpu, t } = now();
      if (isHost === 0) cpu.writeVttbr(t.vmid, 'guest');
      else cpu.writeVttbr(HOST_VMID, 'host');
    },
    tge: (on: number) => now().cpu.writeTge(on !== 0),
    tlbi(op: number, ipa: bigint, size: bigint, hint: number) {
      const { cpu, scale } = now();
      const kind = nameIn(TLBI_KINDS, text(op), 'TLBI');
      const scope = scopeOf(kind);
      const ttl = hint as 0 | 1 | 2 | 3;
      const at = (): number => scale.machineIpa(Number(unsigned(ipa)));
      if (scope === 'address') cpu.tlbi({ kind, ipa: at(), ttl });
      else if (scope === 'range') {
        cpu.tlbi({ kind, ipa: at(), size: scale.machineSize(Number(unsigned(size))), ttl });
      } else cpu.tlbi({ kind });
    },
    capability(name: number): number {
      const isThere = known.get(name) ?? hasCapability(text(name), capabilities);
      known.set(name, isThere);
      return isThere ? 1 : 0;
    },
    assembly(at: number) {
      const instructions = text(at).replaceAll('"', '').trim();
      if (instructions === 'isb') now().cpu.isb();
      else if (!DOES_NOTHING.has(instructions)) {
        throw new Error(`inline assembly "${instructions}" is not known here`);
      }
    },
    phys_to_virt(pa: bigint): number {
      const pointer = now().pages.virtual(unsigned(pa));
      if (pointer === null) guest.pa = unsigned(pa);
      return pointer ?? GUEST;
    },
    virt_to_phys: (at: number): bigint => now().pages.physical(at),
    zalloc_page: (below: number): number => now().pages.allocate(below),
    get_page: (at: number) => now().tables.get(now().pages.at(at).entry),
    put_page(at: number) {
      const { tables, pages } = now();
      const { entry, table } = pages.at(at);
      // The last reference is the page's own (put_page of its first entry has the same address).
      if (table !== null && tables.countOf(table) === 1) tables.freeNow(table);
      else tables.put(entry);
    },
    page_count(at: number): number {
      const { tables, pages } = now();
      const table = pages.tableOf(at);
      return table === null ? 1 : tables.countOf(table);
    },
    free_page(at: number) {
      const { tables, pages } = now();
      const table = pages.tableOf(at);
      if (table !== null) tables.freeNow(table);
    },
    free_unlinked(at: number, level: number) {
      const { tables, pages } = now();
      const table = pages.tableOf(at);
      if (table !== null) tables.tearDownAfterGrace(table, childLevel(level as 1 | 2));
    },
    dcache(_at: number, size: number) {
      const { tables, scale } = now();
      tables.cleanDcache(scale.machinePa(Number(guest.pa)), scale.machineSize(size));
    },
    warn(what: number) {
      throw new Error(`WARN_ON(${text(what)})`);
    },
    bug(what: number) {
      throw new Error(`BUG_ON(${text(what)})`);
    },
    plain_store() {
      throw new Error(
        'a plain store to a table entry: it may tear, and nothing says when it is visible',
      );
    },
    narrow_load() {
      throw new Error('a load of a part of a table entry');
    },
  };
}

/** Caches of instructions are none of the model's. */
const DOES_NOTHING: ReadonlySet<string> = new Set(['nop', 'ic iallu', 'ic ialluis']);

function nameIn<T extends string>(names: readonly T[], name: string, what: string): T {
  const known = names.find((each) => each === name);
  if (known !== undefined) return known;
  throw new Error(`${what} ${name} is not known here; there are ${names.join(', ')}`);
}

function explain(error: unknown, places: CodePlaces): ForeignError | null {
  if (!(error instanceof Error)) return null;
  const place = places.inStack(error.stack ?? '');
  const where = place === null ? null : `${place.file}:${place.line}:${place.column}`;
  if (error instanceof WebAssembly.RuntimeError) {
    const isPointer = /out of bounds/.test(error.message);
    return { what: isPointer ? 'a pointer to nothing that is there' : error.message, where };
  }
  return { what: error.message, where };
}
