/**
 * A single-threaded machine over private arrays: page pool, tables and a Cpu that records what it
 * is asked to do, so that a test can assert the order of stores, barriers and invalidations.
 */
import { EMPTY, LOCKED } from '../../src/arch/descriptor.ts';
import { type Granule, geometryOf, type Level, type StartTable } from '../../src/arch/geometry.ts';
import { describeTlbi } from '../../src/arch/tlbi.ts';
import { createAudit, type Audit } from '../../src/pgtable/audit.ts';
import {
  META_WORDS,
  type PagePoolMemory,
  POOL_CONTROL_WORDS,
  resetPagePool,
} from '../../src/pgtable/page-meta.ts';
import { type AnomalyKind, createPagePool, type PagePool } from '../../src/pgtable/page-pool.ts';
import type { Stage2 } from '../../src/pgtable/stage2.ts';
import { createTables, type PoolTables, type TableHooks } from '../../src/pgtable/tables.ts';
import type { Cpu, Entry } from '../../src/port/cpu.ts';
import { scriptBulk } from './script-bulk.ts';
import type { Table } from '../../src/port/tables.ts';

export const TABLE_PA_BASE = 0x80_0000_0000;

export interface Anomaly {
  readonly kind: AnomalyKind;
  readonly page: number;
  readonly found: number;
  readonly expected: number;
}

export interface MachineOptions {
  readonly granule?: Granule;
  readonly pages?: number;
  readonly start?: StartTable;
  readonly shared?: boolean;
  readonly hafdbs?: boolean;
  readonly hooks?: Partial<TableHooks>;
}

export interface Machine {
  readonly pool: PagePool;
  readonly tables: PoolTables;
  readonly cpu: Cpu;
  readonly s2: Stage2;
  readonly audit: Audit;
  readonly anomalies: Anomaly[];
  /** Every operation since the last `clear`, one word or line each. */
  readonly log: string[];
  readonly retired: { table: Table; level: Level }[];
  /** Runs before each compare-exchange, as another vCPU would. */
  beforeCas: ((entry: Entry) => void) | null;
  peek(entry: Entry): bigint;
  poke(entry: Entry, d: bigint): void;
}

export function poolMemory(granule: Granule, pages: number, rootPages: number): PagePoolMemory {
  const geometry = geometryOf(granule);
  const bytes = (words: number, size: number): SharedArrayBuffer =>
    new SharedArrayBuffer(words * size);
  return {
    geometry,
    descriptors: new BigUint64Array(bytes(pages * geometry.entriesPerTable, 8)),
    meta: new Int32Array(bytes(pages * META_WORDS, 4)),
    control: new Int32Array(bytes(POOL_CONTROL_WORDS, 4)),
    tablePaBase: TABLE_PA_BASE,
    pages,
    rootPages,
  };
}

function nameOf(d: bigint): string {
  if (d === EMPTY) return 'empty';
  if (d === LOCKED) return 'locked';
  if ((d & 1n) === 0n) return 'invalid';
  return (d & 2n) === 2n ? 'table-or-page' : 'block';
}

export function createMachine(options: MachineOptions = {}): Machine {
  const start = options.start ?? { level: 1, pages: 1 };
  const memory = poolMemory(options.granule ?? '4k', options.pages ?? 64, start.pages);
  resetPagePool(memory);
  const anomalies: Anomaly[] = [];
  const log: string[] = [];
  const retired: { table: Table; level: Level }[] = [];
  const pool = createPagePool({
    ...memory,
    bulk: scriptBulk(memory),
    threadId: 1,
    onAnomaly: (kind, page, found, expected) => anomalies.push({ kind, page, found, expected }),
  });
  const tables = createTables(pool, {
    defer: (table, level) => retired.push({ table, level }),
    onFree: (table) => log.push(`free ${table}`),
    cleanDcache: () => log.push('clean'),
    ...options.hooks,
  });
  const { descriptors } = memory;
  const machine: { beforeCas: ((entry: Entry) => void) | null } = { beforeCas: null };
  const cpu: Cpu = {
    read: (entry) => Atomics.load(descriptors, entry),
    write(entry, d) {
      log.push(`write ${nameOf(d)}`);
      Atomics.store(descriptors, entry, d);
    },
    writeRelease(entry, d) {
      log.push(`release ${nameOf(d)}`);
      Atomics.store(descriptors, entry, d);
    },
    compareExchange(entry, expected, desired) {
      machine.beforeCas?.(entry);
      const found = Atomics.compareExchange(descriptors, entry, expected, desired);
      log.push(found === expected ? `cas ${nameOf(desired)}` : 'cas lost');
      return found;
    },
    dsb: (kind) => log.push(`dsb ${kind}`),
    dmb: (kind) => log.push(`dmb ${kind}`),
    isb: () => log.push('isb'),
    writeVttbr: (vmid, table) => log.push(`vttbr ${table} ${vmid}`),
    writeTge: (on) => log.push(`tge ${on}`),
    ipi: () => log.push('ipi'),
    tlbi: (op) => log.push(describeTlbi(op)),
  };
  const counted: PoolTables = {
    ...tables,
    get(entry) {
      log.push('get');
      tables.get(entry);
    },
    put(entry) {
      log.push('put');
      tables.put(entry);
    },
  };
  const s2: Stage2 = {
    geometry: memory.geometry,
    cpu,
    tables: counted,
    root: 0 as Table,
    start,
    shared: options.shared ?? false,
    hafdbs: options.hafdbs ?? false,
  };
  const audit = createAudit(pool, [{ root: 0 as Table, ...start }]);
  return Object.assign(machine, {
    pool,
    tables,
    cpu,
    s2,
    audit,
    anomalies,
    log,
    retired,
    peek: (entry: Entry) => Atomics.load(descriptors, entry),
    poke: (entry: Entry, d: bigint) => void Atomics.store(descriptors, entry, d),
  });
}
