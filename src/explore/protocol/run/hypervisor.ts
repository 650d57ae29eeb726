/**
 * The hypervisor's thread: it holds the VM's lock, runs the protocol, and unlocks, which is a
 * store-release (KVM's mmu_lock). A vCPU that has seen the lock free comes after the transition.
 */
import { CpuContext, GUEST_VMID, type TableOwner } from '../../../arch/context.ts';
import {
  type Descriptor,
  isValid,
  sameButState,
  TYPE_TABLE_OR_PAGE,
  VALID,
} from '../../../arch/descriptor.ts';
import type { BbmLevel } from '../../../arch/feat-bbm.ts';
import { checkedPort, checkReturned } from '../../../port/checked-port.ts';
import {
  changeNamed,
  type Cpu,
  type DsbKind,
  type Entry,
  type Protocol,
  type Transition,
  type TransitionTrace,
} from '../../../port/index.ts';
import { BoundReached } from '../machine/bounds.ts';
import { Chance, withoutChance } from './chance.ts';
import { isUpdateOf } from '../machine/hardware-update.ts';
import { type Beginning, begunBy, type Maker, soleMaker } from './maker.ts';
import {
  LOCK_FREE,
  type MemoryMap,
  NEIGHBOUR_AFTER,
  NO_WALK,
  SWITCHED_WALK,
  TAKEN,
} from '../machine/memory-map.ts';
import { createModelTables, type Roles } from './model-tables.ts';
import { PageBook } from './page-book.ts';
import type { Recording, Script } from './recording.ts';
import { TimeLimit } from './time-limit.ts';
import { spacedEntries } from './spaced-entries.ts';
import type { Path } from './unroll.ts';

const TABLE_BITS = VALID | TYPE_TABLE_OR_PAGE;

/** Of every region, one after the other: the lock is let go of between them. */
export function machineScript(protocol: Protocol, map: MemoryMap, bbm: BbmLevel): Script {
  const scripts = map.regions.map((region) => hypervisorScript(protocol, region, bbm));
  return (recording) => {
    for (const script of scripts) {
      recording.beginPart();
      script(recording);
    }
  };
}

/** Of one region. `maker`: absent for one that is alone. */
export function hypervisorScript(
  protocol: Protocol,
  map: MemoryMap,
  bbm: BbmLevel,
  maker: Maker = soleMaker(protocol, map),
): Script {
  const { level, ipa, size, pa } = map;
  const spaced = spacedEntries(map);
  const vmid = protocol.vmid ?? GUEST_VMID;
  const transitionOf = ({ old, wanted }: Beginning, recording: Recording): Transition =>
    Object.freeze({
      ...{ entry: spaced.target, level, ipa, size, old, wanted, pa, vmid },
      get bbm() {
        recording.looksAtBbm = true;
        return bbm;
      },
    });
  const limits = {
    entries: spaced.limit,
    tables: map.tables,
    granule: 2 ** map.geometry.pageShift,
  };
  return (recording) => {
    const roleOf = createRoles(map);
    const book = new PageBook(map, (location) => recording.peek(location));
    if (map.hasNeighbour) recording.write(map.neighbour, NEIGHBOUR_AFTER, false);
    const begun = maker.looks ? look(map, maker, recording) : maker.beginAt(map.old);
    if (begun === null) return recording.write(maker.lock, LOCK_FREE, true);
    book.begin(begun.old);
    const tables = createModelTables(map, recording, book, roleOf, maker);
    const transition = transitionOf(begun, recording);
    let isOpen = true;
    const taking = new Taking(map, recording);
    const context = new CpuContext({
      start: protocol.context ?? 'guest',
      vmid: transition.vmid,
      bits: map.vmidBits,
    });
    const cpu = createCpu(map, recording, book, roleOf, { taking, begun, context });
    const port = checkedPort(spaced.cpu(cpu), spaced.tables(tables), {
      ...limits,
      isOpen: () => isOpen,
      protocol: protocol.name,
    });
    try {
      withoutChance(() => checkReturned(protocol.run(port.cpu, transition, port.tables)));
    } catch (error) {
      if (!maker.looks || recording.pending || !isOwn(error)) throw error;
      recording.thrown = error;
    } finally {
      isOpen = false;
    }
    taking.atEnd();
    if (map.change.from === 'locked') ownerGoesOn(map, recording, book);
    recording.write(maker.lock, LOCK_FREE, true);
    recording.ledger.push(...book.ledger);
    // What is right in the end depends on both of two.
    if (maker.looks) return;
    book.audit();
    recording.findings.push(...book.findings);
  };
}

/** Null: the entry holds nothing that it would change, or not any more. */
function look(map: MemoryMap, maker: Maker, recording: Recording): Beginning | null {
  const walked = recording.read(map.target);
  const { waits, lockOfOther, protocol } = maker;
  if (!waits || lockOfOther === null || maker.beginAt(walked) === null) {
    return begunBy(maker, [walked]);
  }
  recording.waitFor(lockOfOther, LOCK_FREE);
  recording.dmb('ishld');
  return begunBy(maker, [
    walked,
    LOCK_FREE,
    ...(protocol.walks === true ? [] : [recording.read(map.target)]),
  ]);
}

/** Did the protocol throw it, not whoever runs it? */
function isOwn(error: unknown): error is Error {
  const isOurs =
    error instanceof BoundReached || error instanceof Chance || error instanceof TimeLimit;
  return error instanceof Error && !isOurs;
}

/** The transition of one path, as the checker's automaton judges it. */
export function traceOf(
  map: MemoryMap,
  path: Path,
  { lock = 'exclusive', hole = 'empty' }: Pick<Protocol, 'lock' | 'hole'> = {},
  { change, old, wanted }: Beginning = { change: map.changeName, old: map.old, wanted: map.wanted },
): TransitionTrace {
  return {
    level: map.level,
    ipa: map.ipa,
    size: map.size,
    old,
    wanted,
    pa: map.pa,
    vmid: map.vmid,
    lock,
    hole,
    change,
    oldLeaves: changeNamed(change).from === 'table' ? [3] : [],
    events: path.trace,
  };
}

function createRoles({ target }: MemoryMap): Roles {
  const known = new Map([[target, 0]]);
  return (location) => {
    const index = known.get(location) ?? known.size;
    known.set(location, index);
    return index === 0 ? 'target' : `child ${index}`;
  };
}

/**
 * Who takes the memory behind the old mapping, and when (kinds.ts): one store, which stands for all
 * that is done to it from then on.
 */
class Taking {
  readonly #map: MemoryMap;
  readonly #recording: Recording;
  #isDone = false;

  constructor(map: MemoryMap, recording: Recording) {
    this.#map = map;
    this.#recording = recording;
  }

  /** A descriptor is about to be stored to the entry. */
  beforeStore(location: number, value: Descriptor): void {
    const { change, old } = this.#map;
    const isNew = location === this.#map.target && isValid(value) && value !== old;
    if (change.takes === 'before-new' && isNew) this.#take();
  }

  /** The protocol has returned. Of what it left mapped because memory ran out nothing is taken. */
  atEnd(): void {
    const { failing, old } = this.#map;
    if (failing !== null && sameButState(this.#recording.peek(this.#map.target), old)) return;
    if (this.#map.change.takes === 'at-end') this.#take();
  }

  #take(): void {
    const { moment } = this.#map;
    if (this.#isDone || moment === null) return;
    this.#isDone = true;
    this.#recording.write(moment, TAKEN, false);
  }
}

/**
 * Walks of EL1&0 that were under way when the host called the hypervisor (nVHE): none begins at EL2, and a
 * DSB for loads and stores waits for those there are (kernel commit 7e1b2329c205). One that is still
 * under way when VTTBR_EL2 changes reads the old table and fills a TLB under the new VMID. A TLBI of that
 * VMID does not wait for it: it has begun under another.
 */
class WalksUnderWay {
  readonly #map: MemoryMap;
  readonly #recording: Recording;
  #areOver: boolean;
  /** One of them goes on under another VMID. */
  #isSwitched = false;

  constructor(map: MemoryMap, recording: Recording) {
    this.#map = map;
    this.#recording = recording;
    this.#areOver = map.switchedWalk === null;
  }

  /** VTTBR_EL2 was written. */
  switched(to: TableOwner): void {
    if (this.#map.switchedWalk === null) return;
    if (to === 'host') {
      // Whoever comes back from there to EL2 has left walks again.
      this.#areOver = false;
    } else if (!this.#areOver && !this.#isSwitched) {
      this.#isSwitched = true;
      this.#write(SWITCHED_WALK);
    }
  }

  /** They are over some time before it is done: the DSB orders that as it does a store. */
  beforeDsb(kind: DsbKind): void {
    if (this.#areOver || kind.endsWith('st')) return;
    this.#areOver = true;
    if (this.#isSwitched) this.#write(NO_WALK);
    this.#isSwitched = false;
  }

  #write(value: Descriptor): void {
    const { switchedWalk } = this.#map;
    if (switchedWalk !== null) this.#recording.write(switchedWalk, value, false);
  }
}

/** Whoever holds the entry LOCKED puts its block there, and looks at nothing before (stage2_make_pte). */
function ownerGoesOn(map: MemoryMap, recording: Recording, book: PageBook): void {
  book.count(map.target as Entry, 1);
  recording.write(map.target, map.wanted, true);
}

/** What one run of a protocol has beside the machine. */
interface Run {
  readonly taking: Taking;
  readonly begun: Beginning;
  readonly context: CpuContext;
}

/** The port, one operation of the recording each. An answered read is an event, a waiting one not. */
function createCpu(
  map: MemoryMap,
  recording: Recording,
  book: PageBook,
  roleOf: Roles,
  { taking, begun, context }: Run,
): Cpu {
  const walks = new WalksUnderWay(map, recording);

  function noteRead(entry: Entry, value: Descriptor, expected?: Descriptor): void {
    const page = map.tableOf(entry);
    const table = page === null ? null : book.nameOf(page);
    const index = page === null ? {} : { index: entry - map.entryOf(page, 0) };
    const failed = expected === undefined ? {} : { expected };
    recording.note({ op: 'read', entry: roleOf(entry), value, table, ...index, ...failed }, entry);
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
    taking.beforeStore(entry, value);
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
      taking.beforeStore(entry, desired);
      const found = recording.compareExchange(entry, expected, desired);
      if (found === expected) noteWrite('cas', entry, desired, found);
      else noteRead(entry, found, expected);
      // Lost to another agent, which has put something else there; a walker only sets bits.
      if (expected === begun.old && !isUpdateOf(expected, found)) book.lose();
      return found;
    },
    dsb(kind) {
      walks.beforeDsb(kind);
      recording.dsb(kind);
      recording.note({ op: 'dsb', kind });
    },
    dmb(kind) {
      recording.dmb(kind);
      recording.note({ op: 'dmb', kind });
    },
    isb() {
      context.isb();
      recording.isb();
      recording.note({ op: 'isb' });
    },
    writeVttbr(vmid, table) {
      context.writeVttbr(vmid, table);
      recording.vttbr(vmid, table);
      recording.note({ op: 'vttbr', vmid, table });
      walks.switched(table);
    },
    writeTge(on) {
      context.writeTge(on);
      recording.tge(on);
      recording.note({ op: 'tge', on });
    },
    ipi() {
      recording.ipi();
      recording.note({ op: 'ipi' });
    },
    tlbi(asked) {
      const readings = context.readings(asked);
      const op = readings[readings.length > 1 ? recording.choose(readings.length) : 0] ?? asked;
      recording.tlbi(op);
      recording.note({ op: 'tlbi', tlbi: op });
    },
  };
}
