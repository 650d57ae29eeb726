/**
 * The port with something between it and the protocol: each operation of a run is counted and handed
 * over before it is carried out. Questions that change nothing pass through.
 */
import type {
  Descriptor,
  DmbKind,
  DsbKind,
  Entry,
  Level,
  Protocol,
  Table,
  TableOwner,
  TlbiOp,
} from '../port/index.ts';

/** One operation of the port, as it was asked for. */
export type Call =
  | { readonly op: 'read'; readonly entry: Entry }
  | { readonly op: 'write' | 'writeRelease'; readonly entry: Entry; readonly d: Descriptor }
  | {
      readonly op: 'compareExchange';
      readonly entry: Entry;
      readonly expected: Descriptor;
      readonly d: Descriptor;
    }
  | { readonly op: 'dsb'; readonly kind: DsbKind }
  | { readonly op: 'dmb'; readonly kind: DmbKind }
  | { readonly op: 'isb' | 'ipi' }
  | { readonly op: 'writeVttbr'; readonly vmid: number; readonly table: TableOwner }
  | { readonly op: 'writeTge'; readonly on: boolean }
  | { readonly op: 'tlbi'; readonly tlbi: TlbiOp }
  | { readonly op: 'allocate' | 'tryAllocate' | 'buildSubtree'; readonly level: Level }
  | { readonly op: 'mergeState' }
  | { readonly op: 'get' | 'put'; readonly entry: Entry }
  | {
      readonly op: 'tearDown' | 'tearDownBelow' | 'tearDownAfterGrace';
      readonly table: Table;
      readonly level: Level;
    }
  | { readonly op: 'freeNow'; readonly table: Table }
  | { readonly op: 'cleanDcache' };

/**
 * What stands in the place of operation `number` (from 0) of a run. `perform` carries the operation out
 * as it is; what is returned is what the protocol gets.
 */
export interface Tap {
  <T>(call: Call, number: number, perform: () => T): T;
  /** When the protocol has returned. */
  readonly atEnd?: () => void;
}

type RunArguments = Parameters<Protocol['run']>;

/** `protocol`, which runs behind what `tapOf` makes for each run. */
export function tapped(
  protocol: Protocol,
  name: string,
  tapOf: (...run: RunArguments) => Tap,
): Protocol {
  const run: Protocol['run'] = (cpu, t, tables) => {
    const tap = tapOf(cpu, t, tables);
    let next = 0;
    const through = <T>(call: Call, perform: () => T): T => tap(call, next++, perform);
    const tappedCpu: RunArguments[0] = {
      read: (entry) => through({ op: 'read', entry }, () => cpu.read(entry)),
      write: (entry, d) => through({ op: 'write', entry, d }, () => cpu.write(entry, d)),
      writeRelease: (entry, d) =>
        through({ op: 'writeRelease', entry, d }, () => cpu.writeRelease(entry, d)),
      compareExchange: (entry, expected, d) =>
        through({ op: 'compareExchange', entry, expected, d }, () =>
          cpu.compareExchange(entry, expected, d),
        ),
      dsb: (kind) => through({ op: 'dsb', kind }, () => cpu.dsb(kind)),
      dmb: (kind) => through({ op: 'dmb', kind }, () => cpu.dmb(kind)),
      isb: () => through({ op: 'isb' }, () => cpu.isb()),
      ipi: () => through({ op: 'ipi' }, () => cpu.ipi()),
      writeVttbr: (vmid, table) =>
        through({ op: 'writeVttbr', vmid, table }, () => cpu.writeVttbr(vmid, table)),
      writeTge: (on) => through({ op: 'writeTge', on }, () => cpu.writeTge(on)),
      tlbi: (tlbi) => through({ op: 'tlbi', tlbi }, () => cpu.tlbi(tlbi)),
    };
    const tappedTables: RunArguments[2] = {
      entries: tables.entries,
      allocate: (level) => through({ op: 'allocate', level }, () => tables.allocate(level)),
      tryAllocate: (level) =>
        through({ op: 'tryAllocate', level }, () => tables.tryAllocate(level)),
      buildSubtree: (level, like) =>
        through({ op: 'buildSubtree', level }, () => tables.buildSubtree(level, like)),
      entryOf: (table, index) => tables.entryOf(table, index),
      follow: (d) => tables.follow(d),
      descriptorFor: (table) => tables.descriptorFor(table),
      childLeaf: (parent, level, index) => tables.childLeaf(parent, level, index),
      mergeState: (block, table, level) =>
        // What a merge that is left out returns is the block as it is.
        through<Descriptor | undefined>({ op: 'mergeState' }, () =>
          tables.mergeState(block, table, level),
        ) ?? block,
      countOf: (table) => tables.countOf(table),
      get: (entry) => through({ op: 'get', entry }, () => tables.get(entry)),
      put: (entry) => through({ op: 'put', entry }, () => tables.put(entry)),
      tearDown: (table, level) =>
        through({ op: 'tearDown', table, level }, () => tables.tearDown(table, level)),
      tearDownBelow: (table, level) =>
        through({ op: 'tearDownBelow', table, level }, () => tables.tearDownBelow(table, level)),
      freeNow: (table) => through({ op: 'freeNow', table }, () => tables.freeNow(table)),
      tearDownAfterGrace: (table, level) =>
        through({ op: 'tearDownAfterGrace', table, level }, () =>
          tables.tearDownAfterGrace(table, level),
        ),
      cleanDcache: (pa, size) => through({ op: 'cleanDcache' }, () => tables.cleanDcache(pa, size)),
    };
    // Nothing, or a promise, which whoever runs it refuses.
    const returned = protocol.run(tappedCpu, t, tappedTables);
    tap.atEnd?.();
    return returned;
  };
  return Object.freeze({ ...protocol, name, run });
}
