/**
 * The hypervisor's thread: it holds the VM's lock, runs the protocol, and unlocks, which is a
 * store-release (KVM's mmu_lock). A vCPU that has seen the lock free comes after the transition.
 */
import { type Descriptor, TYPE_TABLE_OR_PAGE, VALID } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { checkedPort, checkReturned } from '../../port/checked-port.ts';
import type { Cpu, Entry, Protocol, Transition, TransitionTrace } from '../../port/index.ts';
import { withoutChance } from './chance.ts';
import { isUpdateOf } from './hardware-update.ts';
import { LOCK_FREE, type MemoryMap, NEIGHBOUR_AFTER, TARGET, VMID } from './memory-map.ts';
import { createModelTables, type Roles } from './model-tables.ts';
import { PageBook } from './page-book.ts';
import type { Recording, Script } from './recording.ts';
import type { Path } from './unroll.ts';

const TABLE_BITS = VALID | TYPE_TABLE_OR_PAGE;

export function hypervisorScript(protocol: Protocol, map: MemoryMap, bbm: BbmLevel): Script {
  const transition: Transition = Object.freeze({
    entry: TARGET as Entry,
    level: map.level,
    ipa: map.ipa,
    size: map.size,
    old: map.old,
    wanted: map.wanted,
    pa: map.pa,
    bbm,
  });
  const limits = { entries: map.lock, tables: map.tables, granule: 2 ** map.geometry.pageShift };
  return (recording) => {
    const roleOf = createRoles();
    const book = new PageBook(map, (location) => recording.peek(location));
    const tables = createModelTables(map, recording, book, roleOf);
    if (map.hasNeighbour) recording.write(map.neighbour, NEIGHBOUR_AFTER, false);
    let isOpen = true;
    const port = checkedPort(createCpu(map, recording, book, roleOf), tables, {
      ...limits,
      isOpen: () => isOpen,
      protocol: protocol.name,
    });
    try {
      withoutChance(() => checkReturned(protocol.run(port.cpu, transition, port.tables)));
    } finally {
      isOpen = false;
    }
    recording.write(map.lock, LOCK_FREE, true);
    book.audit();
    recording.findings.push(...book.findings);
  };
}

/** The transition of one path, as the checker's automaton judges it. */
export function traceOf(
  map: MemoryMap,
  path: Path,
  lock: TransitionTrace['lock'] = 'exclusive',
): TransitionTrace {
  return {
    level: map.level,
    ipa: map.ipa,
    size: map.size,
    old: map.old,
    wanted: map.wanted,
    pa: map.pa,
    vmid: VMID,
    lock,
    oldLeaves: map.kind === 'coalesce' ? [3] : [],
    events: path.trace,
  };
}

function createRoles(): Roles {
  const known: number[] = [TARGET];
  return (location) => {
    const found = known.indexOf(location);
    const index = found >= 0 ? found : known.push(location) - 1;
    return index === 0 ? 'target' : `child ${index}`;
  };
}

/** The port, one operation of the recording each. An answered read is an event, a waiting one not. */
function createCpu(map: MemoryMap, recording: Recording, book: PageBook, roleOf: Roles): Cpu {
  function noteRead(entry: Entry, value: Descriptor, expected?: Descriptor): void {
    const page = map.tableOf(entry);
    const table = page === null ? null : book.nameOf(page);
    const failed = expected === undefined ? {} : { expected };
    recording.note({ op: 'read', entry: roleOf(entry), value, table, ...failed }, entry);
  }

  function noteWrite(
    order: 'plain' | 'release' | 'cas',
    entry: Entry,
    value: Descriptor,
    before: Descriptor,
  ): void {
    const page = map.tableOf(entry);
    const index = page === null ? 0 : entry - map.entryOf(page, 0);
    const place = page === null ? null : { table: book.nameOf(page), index, before };
    const pointsOn = (value & TABLE_BITS) === TABLE_BITS && map.isTableAddress(value);
    const links = pointsOn ? book.nameOf(map.follow(value)) : null;
    recording.note({ op: 'write', order, entry: roleOf(entry), value, links, place }, entry);
  }

  function store(entry: Entry, value: Descriptor, release: boolean): void {
    const before = recording.peek(entry);
    recording.write(entry, value, release);
    noteWrite(release ? 'release' : 'plain', entry, value, before);
  }

  return {
    read(entry) {
      const value = recording.read(entry);
      noteRead(entry, value);
      return value;
    },
    write: (entry, value) => store(entry, value, false),
    writeRelease: (entry, value) => store(entry, value, true),
    compareExchange(entry, expected, desired) {
      const found = recording.compareExchange(entry, expected, desired);
      if (found === expected) noteWrite('cas', entry, desired, found);
      else noteRead(entry, found, expected);
      // Lost to another agent, which has put something else there; a walker only sets bits.
      if (expected === map.old && !isUpdateOf(expected, found)) book.lose();
      return found;
    },
    dsb(kind) {
      recording.dsb(kind);
      recording.note({ op: 'dsb', kind });
    },
    dmb(kind) {
      recording.dmb(kind);
      recording.note({ op: 'dmb', kind });
    },
    isb() {
      recording.isb();
      recording.note({ op: 'isb' });
    },
    tlbi(op) {
      recording.tlbi(op);
      recording.note({ op: 'tlbi', tlbi: op });
    },
  };
}
