/**
 * Which two protocols can be at one entry at once, and the machine they meet in. What one thread may do
 * beside another is what the VM's lock lets it: under a lock held for reading (mmu_lock, v6.2 on) each
 * takes the entry by compare-exchange. Who holds it for writing is alone, whatever the other one does; a
 * vCPU that has faulted meanwhile waits for it, and is next.
 *
 * Left out: kinds that give memory away or change permissions only, allocations that fail, a second VM.
 */
import type { BlockLevel } from '../../../arch/geometry.ts';
import {
  changeNamed,
  changesOf,
  type Holding,
  plainChange,
  type Protocol,
} from '../../../port/index.ts';
import { type MachineOptions, MemoryMap } from '../machine/memory-map.ts';

/** Kinds that may be at it beside another: the size of a mapping, and a first one. */
const KINDS: readonly Protocol['kind'][] = ['coalesce', 'split', 'map'];

/** Why these cannot be explored beside each other, and what would be right; null: they can. */
export function pairProblem(first: Protocol, second: Protocol): string | null {
  const waits = isFault(first, second);
  for (const { name, kind, lock = 'exclusive' } of [first, second]) {
    if (!KINDS.includes(kind)) {
      return `protocol ${name} is of kind ${kind}; beside another one ${KINDS.join(', ')} can be explored`;
    }
    if (lock === 'exclusive' && !waits) {
      return (
        `protocol ${name} holds the lock exclusively, so that nobody changes tables beside it; ` +
        "one with lock: 'shared' would be right, bbm-early-locked say"
      );
    }
  }
  // The machine has one VMID for the VM, and one walk that may be under way.
  const own = [first, second].find(({ context }) => context === 'nvhe-host');
  if (own !== undefined) {
    return (
      `protocol ${own.name} changes the context of its CPU; beside another one it has to begin in the ` +
      "VM's, with context: 'guest'"
    );
  }
  if (first.vmid !== second.vmid) {
    return `protocols ${first.name} and ${second.name} give the VM different VMIDs; one VM has one`;
  }
  if (isFault(first, second)) return null;
  const begins = startsOf(second);
  const met = [changeNamed(plainChange(first)).from, changeNamed(plainChange(first)).to];
  if (begins.some((holding) => met.includes(holding))) return null;
  const words = (all: readonly Holding[]): string => all.map((each) => WORDS[each]).join(' or ');
  return (
    `protocol ${second.name} begins where the entry holds ${words(begins)}; beside ${first.name} it ` +
    `holds ${words(met)}`
  );
}

/**
 * Is the second a vCPU in the handler of its fault? A first mapping is made by one; beside a change that
 * breaks the entry it is one that has come into the window.
 */
export function isFault(first: Pick<Protocol, 'kind'>, second: Pick<Protocol, 'kind'>): boolean {
  return second.kind === 'map' && first.kind === 'coalesce';
}

/** How many of the two are vCPUs in the handlers of their faults. Two of them have met one hole. */
export function handlersOf(
  first: Pick<Protocol, 'kind'>,
  second: Pick<Protocol, 'kind'>,
): 0 | 1 | 2 {
  if (isFault(first, second)) return 1;
  return first.kind === 'map' && second.kind === 'map' ? 2 : 0;
}

/** Does one of both hold the lock for writing? */
export function excludeEachOther(...both: readonly Pick<Protocol, 'lock'>[]): boolean {
  return both.some(({ lock = 'exclusive' }) => lock === 'exclusive');
}

function startsOf(protocol: Protocol): readonly Holding[] {
  const starts = changesOf(protocol).map((change) => changeNamed(change).from);
  // Whoever is at work has the entry LOCKED for a while; that alone is nothing to begin at.
  return starts.filter((holding) => holding !== 'locked');
}

const WORDS: Readonly<Record<Holding, string>> = {
  table: 'a table',
  block: 'a block',
  empty: 'nothing',
  locked: 'LOCKED',
};

/** It starts with what the first begins at. */
export function pairMap(
  [first, second]: readonly [Protocol, Protocol],
  level: BlockLevel,
  tables: number,
  machine: MachineOptions,
): MemoryMap {
  const handlers = handlersOf(first, second);
  return new MemoryMap(plainChange(first), level, tables, { ...machine, makers: 2, handlers });
}
