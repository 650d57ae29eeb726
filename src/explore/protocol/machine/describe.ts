/** Places, descriptors and operations of the small machine in words. */
import type { TableOwner } from '../../../arch/context.ts';
import {
  DBM,
  describeDescriptor,
  type Descriptor,
  isLeaf,
  isTable,
  S2AP_W,
  typeOf,
} from '../../../arch/descriptor.ts';
import { childLevel, type Geometry, type Level } from '../../../arch/geometry.ts';
import type { Table } from '../../../port/index.ts';
import { isForeign } from './hardware-update.ts';
import {
  LOCK_FREE,
  type MemoryMap,
  NEIGHBOUR_NAME,
  REUSED,
  SWITCHED_WALK,
  TAKEN,
  UNFILLED,
} from './memory-map.ts';

/** What reports call vCPU `vcpu` of `vcpus`: the one behind them is the second VM's. */
export function guestName(vcpus: number, vcpu: number): string {
  return vcpu < vcpus ? `vcpu ${vcpu}` : NEIGHBOUR_NAME;
}

const HYPERVISOR = 'hypervisor';
/** One is none of the vCPUs whose accesses are followed. Behind theirs in the order of columns. */
const FAULTING = 'vcpu in its fault';

/**
 * What they call thread `maker` of those that change the entry: of two by number, unless one is a vCPU
 * that serves its fault.
 */
export function hostName(
  { makers, handlers }: Pick<MemoryMap, 'makers' | 'handlers'>,
  maker: number,
): string {
  if (handlers === 2) return `${maker === 0 ? '1st' : '2nd'} ${FAULTING}`;
  if (makers === 1 || handlers === 1) return maker === 0 ? HYPERVISOR : FAULTING;
  return `${HYPERVISOR} ${maker + 1}`;
}

/** The same within a sentence: `hypervisor 2`, `the vcpu in its fault`. */
export function hostInWords(map: Pick<MemoryMap, 'makers' | 'handlers'>, maker: number): string {
  const name = hostName(map, maker);
  return map.handlers > 0 ? `the ${name}` : name;
}

/** Is the thread of that name one that changes the entry? */
export function isHostName(thread: string): boolean {
  return thread.startsWith(HYPERVISOR) || thread.endsWith(FAULTING);
}

/** What a write of a context register says. */
export function contextText(
  event: { readonly vmid: number; readonly table: TableOwner } | { readonly on: boolean },
): string {
  if ('on' in event) return `HCR_EL2.TGE = ${event.on ? 1 : 0}`;
  return `VTTBR_EL2 = table of the ${event.table}, VMID ${event.vmid}`;
}

/** `entry`, `table 0[1]`, `lock`; of two regions `entry 1`, `table 7[1]`, `lock of entry 1`. */
export function placeName(machine: MemoryMap, location: number): string {
  const map = machine.at(location);
  const entry = map.isOneOfSeveral ? `entry ${map.region}` : 'entry';
  if (location === map.target) return entry;
  if (map.isLock(location)) {
    if (map.isOneOfSeveral) return `lock of ${entry}`;
    return map.makers === 1 ? 'lock' : `hold of ${hostInWords(map, location - map.lock)}`;
  }
  if (map.hasNeighbour && location === map.neighbour) return `entry of ${NEIGHBOUR_NAME}`;
  if (location === map.moment) {
    return `memory of the old mapping${map.isOneOfSeveral ? ` of ${entry}` : ''}`;
  }
  if (location === map.switchedWalk) return "the host's walk";
  const table = map.tableOf(location);
  if (table === null) return `location ${location}`;
  return `${tableName(map, table)}[${location - map.entryOf(table, 0)}]`;
}

/** Those of two regions are counted on. */
function tableName({ region, tables }: MemoryMap, table: Table): string {
  return `table ${region * tables + table}`;
}

/**
 * A descriptor at a place. Which level a table page is of is not written anywhere: entries that point
 * to table pages and blocks say themselves what they are, and below a level-2 entry there are pages.
 */
export function valueText(machine: MemoryMap, location: number, d: Descriptor): string {
  const map = machine.at(location);
  if (map.isLock(location)) return d === LOCK_FREE ? 'free' : 'held';
  if (location === map.moment) return d === TAKEN ? 'taken' : "the VM's";
  if (location === map.switchedWalk) {
    return d === SWITCHED_WALK ? "under way, and under the VM's VMID" : 'over';
  }
  if (location === map.target) return describeEntry(map, d, map.level);
  if (location > map.lock) return leafText(d, 3, map.geometry);
  if (isForeign(d, REUSED)) return `another user's data${flagsSet(map, d, REUSED)}`;
  if (isForeign(d, UNFILLED)) return `what its last user left${flagsSet(map, d, UNFILLED)}`;
  const below = childLevel(map.level);
  const pointsOn = below < 3 && isTable(d, below) && map.isTableAddress(d);
  const isBlock = below < 3 && typeOf(d, below) === 'block';
  return describeEntry(map, d, pointsOn || isBlock ? below : 3);
}

function describeEntry(map: MemoryMap, d: Descriptor, level: Level): string {
  const isOurs = isTable(d, level) && map.isTableAddress(d);
  return isOurs ? tableName(map, map.follow(d)) : leafText(d, level, map.geometry);
}

/** With its dirty state, where the walker keeps one. */
export function leafText(d: Descriptor, level: Level, g: Geometry): string {
  const text = describeDescriptor(g, d, level);
  if (!isLeaf(d, level) || (d & DBM) === 0n) return text;
  return `${text} ${(d & S2AP_W) === 0n ? 'clean' : 'dirty'}`;
}

function flagsSet(map: MemoryMap, d: Descriptor, leaf: Descriptor): string {
  return d === map.foreign(leaf) ? '' : ', its flags set by a walker';
}
