/**
 * The port with its arguments checked: what a protocol file passes that is none of the operation's,
 * through `any` or from JavaScript, is refused where it is passed, not where it would surface. Both
 * engines put it around theirs.
 */
import { TABLE_OWNERS, type TableOwner } from '../arch/context.ts';
import type { Descriptor } from '../arch/descriptor.ts';
import { scopeOf, TLBI_KINDS, type TlbiOp } from '../arch/tlbi.ts';
import { type Cpu, DMB_KINDS, type DmbKind, DSB_KINDS, type DsbKind, type Entry } from './cpu.ts';
import type { Table, Tables } from './tables.ts';

/** An argument that the operation does not take. The message says what it does take. */
export class BadArgument extends TypeError {
  override readonly name = 'BadArgument';
}

export interface PortLimits {
  /**
   * Is the protocol running? What it does later, in a promise or a timer, is part of no transition.
   */
  readonly isOpen: () => boolean;
  /** Its name, for what it does too late: nothing else tells then whose it is. */
  readonly protocol?: string;
  /** Entries are numbers below this. */
  readonly entries: number;
  /** Table pages are numbers below this. */
  readonly tables: number;
  /** TLBI ranges begin and end on granules of this many bytes. */
  readonly granule: number;
}

const VMIDS = 2 ** 16;
const DESCRIPTORS = 2n ** 64n;

/** A value of any type in a few characters. */
function shown(value: unknown): string {
  if (typeof value === 'string') return JSON.stringify(value.slice(0, 40));
  if (typeof value === 'bigint') return `${value}n`;
  return typeof value === 'object' && value !== null ? 'an object' : String(value);
}

const isIndex = (value: unknown, limit: number): boolean =>
  Number.isInteger(value) && (value as number) >= 0 && (value as number) < limit;

function refuse(message: string): never {
  throw new BadArgument(message);
}

function checkOperand(op: TlbiOp, granule: number): void {
  const scope = scopeOf(op.kind);
  if (scope !== 'address' && scope !== 'range') return;
  const { kind, ipa, size } = op;
  if (!isIndex(ipa, 2 ** 52)) refuse(`tlbi ${kind} needs an ipa in bytes, not ${shown(ipa)}`);
  if (scope === 'address') return;
  if (!Number.isInteger(size) || (size ?? 0) <= 0) {
    refuse(`tlbi ${kind} needs a size in bytes, not ${shown(size)}`);
  }
  if ((ipa ?? 0) % granule !== 0 || (size ?? 0) % granule !== 0) {
    refuse(
      `tlbi ${kind}: ipa 0x${(ipa ?? 0).toString(16)} and size 0x${(size ?? 0).toString(16)} must ` +
        `be multiples of the granule, 0x${granule.toString(16)} (R_QKRKL)`,
    );
  }
}

function checkTlbi(op: TlbiOp, granule: number): void {
  if (typeof op !== 'object' || op === null) {
    refuse(`tlbi takes an operation such as { kind: 'vmalls12e1is' }, not ${shown(op)}`);
  }
  const { kind, ttl, vmid } = op;
  if (!TLBI_KINDS.includes(kind)) {
    refuse(`no TLBI is called ${shown(kind)}; there are ${TLBI_KINDS.join(', ')}`);
  }
  if (ttl !== undefined && !isIndex(ttl, 4)) {
    refuse(`tlbi ${kind}: ttl ${shown(ttl)} is no level hint: 0 (any), 1, 2 or 3`);
  }
  if (vmid !== undefined && !isIndex(vmid, VMIDS)) {
    refuse(`tlbi ${kind}: vmid ${shown(vmid)} is not within 0 to ${VMIDS - 1}`);
  }
  checkOperand(op, granule);
}

/** The same operations on the same state, refusing what they do not take by a BadArgument. */
export function checkedPort(
  cpu: Cpu,
  tables: Tables,
  limits: PortLimits,
): { readonly cpu: Cpu; readonly tables: Tables } {
  function inside(operation: string): void {
    if (limits.isOpen()) return;
    const whose = limits.protocol === undefined ? '' : `protocol ${limits.protocol}: `;
    refuse(
      `${whose}${operation} after run() had returned: a protocol is a plain synchronous function`,
    );
  }

  function entry(operation: string, value: Entry): Entry {
    inside(operation);
    if (!isIndex(value, limits.entries)) {
      refuse(`${operation}: ${shown(value)} is no entry; take t.entry or tables.entryOf()`);
    }
    return value;
  }

  function descriptor(operation: string, d: Descriptor): Descriptor {
    if (typeof d !== 'bigint' || d < 0n || d >= DESCRIPTORS) {
      refuse(
        `${operation}: ${shown(d)} is no descriptor: an unsigned 64-bit bigint, 0n to 2n**64n-1n`,
      );
    }
    return d;
  }

  function table(operation: string, value: Table): Table {
    inside(operation);
    if (!isIndex(value, limits.tables)) refuse(`${operation}: ${shown(value)} is no table page`);
    return value;
  }

  /** Levels a table may have, or an entry that has tables or leaves below it. */
  function level<L extends number>(
    operation: string,
    value: L,
    lowest: number,
    highest: number,
  ): L {
    if (!Number.isInteger(value) || value < lowest || value > highest) {
      refuse(`${operation}: ${shown(value)} is no level here: ${lowest} to ${highest}`);
    }
    return value;
  }

  const checkedCpu: Cpu = {
    read: (e) => cpu.read(entry('read', e)),
    write: (e, d) => cpu.write(entry('write', e), descriptor('write', d)),
    writeRelease: (e, d) =>
      cpu.writeRelease(entry('writeRelease', e), descriptor('writeRelease', d)),
    compareExchange: (e, expected, desired) =>
      cpu.compareExchange(
        entry('compareExchange', e),
        descriptor('compareExchange', expected),
        descriptor('compareExchange', desired),
      ),
    dsb(kind: DsbKind) {
      inside('dsb');
      if (!DSB_KINDS.includes(kind)) {
        refuse(`no DSB is called ${shown(kind)}; there are ${DSB_KINDS.join(', ')}`);
      }
      cpu.dsb(kind);
    },
    dmb(kind: DmbKind) {
      inside('dmb');
      if (!DMB_KINDS.includes(kind)) {
        refuse(`no DMB is called ${shown(kind)}; there are ${DMB_KINDS.join(', ')}`);
      }
      cpu.dmb(kind);
    },
    isb() {
      inside('isb');
      cpu.isb();
    },
    writeVttbr(vmid: number, table: TableOwner) {
      inside('writeVttbr');
      if (!isIndex(vmid, VMIDS)) {
        refuse(`writeVttbr: vmid ${shown(vmid)} is not within 0 to ${VMIDS - 1}; take t.vmid`);
      }
      if (!TABLE_OWNERS.includes(table)) {
        refuse(`writeVttbr: no table is ${shown(table)}; there are ${TABLE_OWNERS.join(', ')}`);
      }
      cpu.writeVttbr(vmid, table);
    },
    writeTge(on: boolean) {
      inside('writeTge');
      if (typeof on !== 'boolean') refuse(`writeTge takes true or false, not ${shown(on)}`);
      cpu.writeTge(on);
    },
    ipi() {
      inside('ipi');
      cpu.ipi();
    },
    tlbi(op) {
      inside('tlbi');
      checkTlbi(op, limits.granule);
      cpu.tlbi(op);
    },
  };

  const checkedTables: Tables = {
    entries: tables.entries,
    allocate(l) {
      inside('allocate');
      return tables.allocate(level('allocate', l, 1, 3));
    },
    tryAllocate(l) {
      inside('tryAllocate');
      return tables.tryAllocate(level('tryAllocate', l, 1, 3));
    },
    buildSubtree(l, like) {
      inside('buildSubtree');
      return tables.buildSubtree(level('buildSubtree', l, 1, 2), descriptor('buildSubtree', like));
    },
    entryOf(t, index) {
      table('entryOf', t);
      if (!isIndex(index, tables.entries)) {
        refuse(`entryOf: index ${shown(index)} is not within 0 to ${tables.entries - 1}`);
      }
      return tables.entryOf(t, index);
    },
    follow: (d) => tables.follow(descriptor('follow', d)),
    descriptorFor: (t) => tables.descriptorFor(table('descriptorFor', t)),
    childLeaf(parent, l, index) {
      descriptor('childLeaf', parent);
      level('childLeaf', l, 1, 2);
      if (!isIndex(index, tables.entries)) {
        refuse(`childLeaf: index ${shown(index)} is not within 0 to ${tables.entries - 1}`);
      }
      return tables.childLeaf(parent, l, index);
    },
    mergeState: (block, t, l) =>
      tables.mergeState(
        descriptor('mergeState', block),
        table('mergeState', t),
        level('mergeState', l, 1, 3),
      ),
    countOf: (t) => tables.countOf(table('countOf', t)),
    get: (e) => tables.get(entry('get', e)),
    put: (e) => tables.put(entry('put', e)),
    tearDown: (t, l) => tables.tearDown(table('tearDown', t), level('tearDown', l, 1, 3)),
    tearDownBelow: (t, l) =>
      tables.tearDownBelow(table('tearDownBelow', t), level('tearDownBelow', l, 1, 3)),
    freeNow: (t) => tables.freeNow(table('freeNow', t)),
    tearDownAfterGrace: (t, l) =>
      tables.tearDownAfterGrace(
        table('tearDownAfterGrace', t),
        level('tearDownAfterGrace', l, 1, 3),
      ),
    cleanDcache(pa, size) {
      inside('cleanDcache');
      if (!isIndex(pa, 2 ** 52) || !isIndex(size, 2 ** 52)) {
        refuse(
          `cleanDcache takes an address and a size in bytes, not ${shown(pa)}, ${shown(size)}`,
        );
      }
      tables.cleanDcache(pa, size);
    },
  };
  return { cpu: checkedCpu, tables: checkedTables };
}

/** Refuses what an author who returns something may have meant by it. */
export function checkReturned(returned: unknown): void {
  const thenable = typeof returned === 'object' && returned !== null && 'then' in returned;
  if (!thenable) return;
  // What it does from here on fails as well, and is no news.
  void Promise.resolve(returned as PromiseLike<unknown>).then(undefined, () => undefined);
  refuse('run() returned a promise: a protocol is a plain synchronous function');
}
