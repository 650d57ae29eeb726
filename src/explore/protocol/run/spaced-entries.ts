/**
 * Entries as a protocol has them. In the machine its locations lie side by side; here tables lie far from
 * each other and from the entry under change, so that an entry made by arithmetic beyond the end of a page
 * is nobody's. In memory it is the next page's, whoever has that, or the neighbour's mapping.
 */
import { BadArgument } from '../../../port/checked-port.ts';
import type { Cpu, Entry } from '../../../port/cpu.ts';
import type { Table, Tables } from '../../../port/tables.ts';
import type { MemoryMap } from '../machine/memory-map.ts';

export interface SpacedEntries {
  /** Entries are numbers below this. */
  readonly limit: number;
  readonly target: Entry;
  cpu(cpu: Cpu): Cpu;
  tables(tables: Tables): Tables;
}

/** Tables lie so many of their sizes apart, and at least so many entries, each in the middle of its own. */
const APART = 4;
const APART_MIN = 2 ** 16;

export function spacedEntries(map: MemoryMap): SpacedEntries {
  const { entriesPerTable } = map.geometry;
  const stride = Math.max(APART_MIN, APART * entriesPerTable);
  const middle = stride / 2;

  function toProtocol(location: Entry): Entry {
    const page = map.tableOf(location);
    if (page === null) return middle as Entry;
    return ((page + 1) * stride + middle + location - map.entryOf(page, 0)) as Entry;
  }

  function toMachine(operation: string, entry: Entry): Entry {
    const page = Math.floor(entry / stride) - 1;
    const index = (entry % stride) - middle;
    if (page < 0 && index === 0) return map.target as Entry;
    if (page >= 0 && index >= 0 && index < entriesPerTable) {
      return map.entryOf(page as Table, index);
    }
    const beside = `t.entry${index < 0 ? '' : '+'}${index} lies beside the entry that is to change`;
    const what =
      page < 0 ? beside : `a table page has entries 0 to ${entriesPerTable - 1}, not ${index}`;
    throw new BadArgument(`${operation}: ${what}`);
  }

  return {
    limit: (map.tables + 1) * stride,
    target: toProtocol(map.target as Entry),
    cpu: (cpu) => ({
      ...cpu,
      read: (entry) => cpu.read(toMachine('read', entry)),
      write: (entry, d) => cpu.write(toMachine('write', entry), d),
      writeRelease: (entry, d) => cpu.writeRelease(toMachine('writeRelease', entry), d),
      compareExchange: (entry, expected, desired) =>
        cpu.compareExchange(toMachine('compareExchange', entry), expected, desired),
    }),
    tables: (tables) => ({
      ...tables,
      entryOf: (table, index) => toProtocol(tables.entryOf(table, index)),
      get: (entry) => tables.get(toMachine('get', entry)),
      put: (entry) => tables.put(toMachine('put', entry)),
    }),
  };
}
