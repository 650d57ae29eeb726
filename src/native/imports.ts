/**
 * What a module imports, as the port: each function is one operation. Entries are addresses beyond the
 * end of the module's memory, so that a plain access traps.
 */
import { BadArgument } from '../port/checked-port.ts';
import { type Cpu, DMB_KINDS, DSB_KINDS, type Entry } from '../port/cpu.ts';
import { TABLE_OWNERS, type TableOwner } from '../arch/context.ts';
import type { Level } from '../arch/geometry.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import { scopeOf, TLBI_KINDS, type TlbiOp } from '../arch/tlbi.ts';
import type { Table, Tables } from '../port/tables.ts';

/** As in the header: what entry 0 is called. */
export const ENTRIES_AT = 0x4000_0000;
const ENTRY_BYTES = 8;
/** Tables of `explore` are smaller than any granule's. */
const TINY_ENTRIES_MAX = 64;
const TINY_PAGE_SHIFT = 12;

/** The run that the imports act for. */
export interface PortOfRun {
  cpu: Cpu;
  tables: Tables;
  /** Tables that the run knows, by their first entry. */
  readonly tableAt: Map<number, Table>;
  /** The VM's. */
  vmid: number;
}

export type PortFunction = (...operands: never[]) => unknown;

const hex = (value: number | bigint): string => `0x${value.toString(16)}`;

export const addressOfEntry = (entry: Entry): number => ENTRIES_AT + entry * ENTRY_BYTES;

/** i32 and i64 arrive signed. */
const address = (pointer: number): number => pointer >>> 0;
const descriptor = (d: bigint): Descriptor => BigInt.asUintN(64, d);
const bytes = (n: bigint): number => Number(BigInt.asUintN(64, n));

function entryAt(word: string, pointer: number): Entry {
  const at = address(pointer);
  if (at < ENTRIES_AT || at % ENTRY_BYTES !== 0) {
    const what = at < 64 ? `NULL (${hex(at)})` : hex(at);
    throw new BadArgument(
      `${word}: ${what} is no table entry; take t->ptep, or kvm_pte_follow() and an index`,
    );
  }
  return ((at - ENTRIES_AT) / ENTRY_BYTES) as Entry;
}

function firstEntry({ tables, tableAt }: PortOfRun, table: Table): number {
  const at = addressOfEntry(tables.entryOf(table, 0));
  tableAt.set(at, table);
  return at;
}

function tableAt(word: string, port: PortOfRun, pointer: number): Table {
  const table = port.tableAt.get(address(pointer));
  if (table === undefined) {
    throw new BadArgument(
      `${word}: ${hex(address(pointer))} is no first entry of a table; take what kvm_pte_follow(), ` +
        'stage2_allocate() or stage2_build_subtree() has returned',
    );
  }
  return table;
}

function tlbiOf(op: number, ipa: bigint, size: bigint, ttl: number, vmid: number): TlbiOp {
  const kind = TLBI_KINDS[op];
  if (kind === undefined) throw new BadArgument(`__tlbi: there is no operation ${op}`);
  const of = vmid < 0 ? {} : { vmid };
  const hint = ttl as 0 | 1 | 2 | 3;
  const scope = scopeOf(kind);
  if (scope === 'address') return { kind, ipa: bytes(ipa), ttl: hint, ...of };
  if (scope === 'range') return { kind, ipa: bytes(ipa), size: bytes(size), ttl: hint, ...of };
  return { kind, ...of };
}

function tableOwner(index: number): TableOwner {
  const owner = TABLE_OWNERS[index];
  if (owner !== undefined) return owner;
  throw new BadArgument(
    `stage2_write_vttbr: ${index} is no table: STAGE2_GUEST, STAGE2_HOST or STAGE2_OTHER`,
  );
}

/** Functions of the import module `port`, by name. */
export function importsOf(port: PortOfRun): Readonly<Record<string, PortFunction>> {
  const at = (word: string, pointer: number): Table => tableAt(word, port, pointer);
  return {
    read: (e: number) => port.cpu.read(entryAt('READ_ONCE', e)),
    write: (e: number, d: bigint) => port.cpu.write(entryAt('WRITE_ONCE', e), descriptor(d)),
    write_release: (e: number, d: bigint) =>
      port.cpu.writeRelease(entryAt('smp_store_release', e), descriptor(d)),
    cmpxchg: (e: number, expected: bigint, desired: bigint) =>
      port.cpu.compareExchange(entryAt('cmpxchg', e), descriptor(expected), descriptor(desired)),
    dsb: (kind: number) => port.cpu.dsb(DSB_KINDS[kind] ?? 'ish'),
    dmb: (kind: number) => port.cpu.dmb(DMB_KINDS[kind] ?? 'ish'),
    isb: () => port.cpu.isb(),
    ipi: () => port.cpu.ipi(),
    write_vttbr: (vmid: number, table: number) =>
      port.cpu.writeVttbr(vmid >>> 0, tableOwner(table)),
    write_tge: (on: number) => port.cpu.writeTge(on !== 0),
    vmid: () => port.vmid,
    tlbi: (op: number, ipa: bigint, size: bigint, ttl: number, vmid: number) =>
      port.cpu.tlbi(tlbiOf(op, ipa, size, ttl, vmid)),
    entries: () => port.tables.entries,
    page_shift: () =>
      port.tables.entries <= TINY_ENTRIES_MAX
        ? TINY_PAGE_SHIFT
        : Math.log2(port.tables.entries * ENTRY_BYTES),
    allocate: (level: number) => firstEntry(port, port.tables.allocate(level as Level)),
    try_allocate(level: number) {
      const table = port.tables.tryAllocate(level as Level);
      return table === null ? 0 : firstEntry(port, table);
    },
    build_subtree: (level: number, like: bigint) =>
      firstEntry(port, port.tables.buildSubtree(level as Level, descriptor(like))),
    follow: (d: bigint) => firstEntry(port, port.tables.follow(descriptor(d))),
    descriptor_for: (t: number) => port.tables.descriptorFor(at('stage2_descriptor_for', t)),
    child_leaf: (parent: bigint, level: number, index: number) =>
      port.tables.childLeaf(descriptor(parent), level as Level, index),
    merge_state: (block: bigint, t: number, level: number) =>
      port.tables.mergeState(descriptor(block), at('stage2_merge_state', t), level as Level),
    get: (e: number) => port.tables.get(entryAt('get_page', e)),
    put: (e: number) => port.tables.put(entryAt('put_page', e)),
    tear_down: (t: number, level: number) =>
      port.tables.tearDown(at('stage2_tear_down', t), level as Level),
    tear_down_below: (t: number, level: number) =>
      port.tables.tearDownBelow(at('stage2_tear_down_below', t), level as Level),
    tear_down_after_grace: (t: number, level: number) =>
      port.tables.tearDownAfterGrace(at('free_removed_table', t), level as Level),
    free_now: (t: number) => port.tables.freeNow(at('stage2_free_now', t)),
    clean_dcache: (pa: bigint, size: bigint) => port.tables.cleanDcache(bytes(pa), bytes(size)),
  };
}
