/**
 * A thread that changes the entry, and what it has of the machine. Alone it holds the lock and nobody
 * else stores anything: what it finds is what the machine starts with.
 *
 * Of two, each holds the lock for reading, beside the other. Its walk loads the entry, as a kernel's
 * does before it calls what is to change it, and the change begins if that is what it starts from:
 *
 *   hypervisor 1   coalesce: begins at a table      table ──> block
 *   hypervisor 2   split: begins at a block                   block ──> table, once it finds one
 *
 * Two of one kind want the same mapping, so who comes first does not matter. One that begins where the
 * other arrives makes the next version of it.
 */
import { type Descriptor, EMPTY, isTable, LOCKED, typeOf } from '../../../arch/descriptor.ts';
import {
  changeNamed,
  type ChangeName,
  changesOf,
  type Holding,
  type Protocol,
  type Table,
} from '../../../port/index.ts';
import { hostName } from '../machine/describe.ts';
import { type MemoryMap, NEW_VERSION, NEXT_VERSION } from '../machine/memory-map.ts';

/** What one run of the protocol is to do. */
export interface Beginning {
  readonly change: ChangeName;
  readonly old: Descriptor;
  readonly wanted: Descriptor;
}

export interface Maker {
  /** As schedules call its thread. */
  readonly name: string;
  readonly protocol: Protocol;
  /** Location of its hold of the lock. */
  readonly lock: number;
  /** And of the other one's; null: it is alone. */
  readonly lockOfOther: number | null;
  /** The entry is looked at first: somebody else may have changed it. */
  readonly looks: boolean;
  /** Table pages that it may make, in order. */
  readonly pages: readonly Table[];
  /** Null: there is nothing to do for it. */
  readonly beginAt: (found: Descriptor) => Beginning | null;
}

/** The only one. */
export function soleMaker(protocol: Protocol, map: MemoryMap): Maker {
  return {
    name: hostName(map, 0),
    protocol,
    lock: map.lock,
    lockOfOther: null,
    looks: false,
    pages: freshPages(map),
    beginAt: () => ({ change: map.changeName, old: map.old, wanted: map.wanted }),
  };
}

/** Both of two. The machine starts with what the first begins at. */
export function bothMakers(
  protocols: readonly [Protocol, Protocol],
  map: MemoryMap,
): readonly [Maker, Maker] {
  const [first, second] = protocols;
  return [makerOf(first, map, 0), makerOf(second, map, 1)];
}

function makerOf(protocol: Protocol, map: MemoryMap, number: 0 | 1): Maker {
  const changes = changesOf(protocol);
  const isFirst = changes.some((change) => changeNamed(change).from === map.change.from);
  const wanted = map.blockOf(isFirst ? NEW_VERSION : NEXT_VERSION);
  const pages = freshPages(map);
  return {
    name: hostName(map, number),
    protocol,
    lock: map.lock + number,
    lockOfOther: map.lock + (1 - number),
    looks: true,
    // From either end: neither ever gets a page that the other may get.
    pages: number === 0 ? pages : pages.toReversed(),
    beginAt: (found) => {
      const change = changes.find((name) => changeNamed(name).from === holdingOf(map, found));
      return change === undefined ? null : { change, old: found, wanted };
    },
  };
}

function freshPages(map: MemoryMap): Table[] {
  const all = Array.from({ length: map.tables }, (_, page) => page as Table);
  return all.slice(map.oldTables);
}

/** Null: nothing that a change starts from. */
function holdingOf(map: MemoryMap, d: Descriptor): Holding | null {
  if (isTable(d, map.level)) return map.isTableAddress(d) ? 'table' : null;
  if (typeOf(d, map.level) === 'block') return 'block';
  return d === EMPTY ? 'empty' : d === LOCKED ? 'locked' : null;
}
