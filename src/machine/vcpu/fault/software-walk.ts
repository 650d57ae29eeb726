/**
 * The look at the tables that decides almost every fault of this trade: is the mapping there by now, or is
 * somebody at work on it? It allocates nothing, because a vCPU that made garbage in each fault would be
 * stopped by the collector in the middle of a race.
 */
import { LOCKED } from '../../../arch/descriptor.ts';
import {
  GENERATION_TAG_MASK,
  META_GENERATION,
  META_WORDS,
  POISON_HIGH,
  POISON_LOW,
} from '../../../pgtable/page-meta.ts';
import type { Arena } from '../../arena.ts';
import { basePageOf, VCPU } from '../../layout.ts';
import { EVIDENCE } from '../../recorder.ts';
import { createDescriptorLoad } from '../../walk/descriptor-load.ts';
import { type FaultHandlerOptions, HANDLED, UNDECIDED } from './handler.ts';

const S2AP_RW = { read: 0x40, readWrite: 0xc0 } as const;
const AF_BIT = 1 << 10;
const S2AP_W_BIT = 1 << 7;
const NT_BIT = 1 << 16;
/** DBM as seen in the high half. */
const DBM_HIGH = 1 << (51 - 32);
/** Software bits [58:55] as seen in the high half. */
const TAG_SHIFT = 55 - 32;
const LOCKED_LOW = Number(LOCKED);

/**
 * Software's own walk, under the lock that is held for reading (`shared`) or writing: spurious, again, or
 * UNDECIDED: needs the full handler.
 */
export type SoftwareWalk = (page: number, isStore: boolean, shared: boolean) => number;

export function createSoftwareWalk(
  arena: Arena,
  { vcpu, bug = null, recorder }: FaultHandlerOptions,
): SoftwareWalk {
  const { i32, layout } = arena;
  const scratchW = layout.vcpuW + vcpu * VCPU.words + VCPU.scratch + 2;
  const load = createDescriptorLoad(arena.handle.memory, scratchW * 4, 'wasm');
  const ipaBasePage = basePageOf(layout);
  const tableBaseFrame = layout.tablePaBase / 4096;
  const frameShift = layout.pageShift - 12;
  const { tablesB, entriesPerTable, indexBits, startLevel } = layout;
  const hafdbs = layout.config.hafdbs === true;

  /**
   * Was `table` freed between the load of the descriptor that led to it, which carries its generation,
   * and this load of one of its entries? A walk under the lock for reading is what a grace period is
   * for (c3119ae45dfb).
   */
  function isFreed(page: number, table: number, tag: number, low: number, high: number): boolean {
    const generation =
      Atomics.load(i32, layout.metaW + table * META_WORDS + META_GENERATION) & GENERATION_TAG_MASK;
    const poisoned = low === POISON_LOW && high === POISON_HIGH;
    if (generation === tag && !poisoned) return false;
    recorder?.evidence(EVIDENCE.freed, page, 1, table, tag, generation, poisoned ? 1 : 0);
    return true;
  }

  /** The low half of a leaf as the walk of a store would leave it. */
  const updated = hafdbs
    ? (low: number, high: number): number => low | AF_BIT | (high & DBM_HIGH ? S2AP_W_BIT : 0)
    : (low: number): number => low;

  function look(page: number, isStore: boolean, shared: boolean): number {
    let table = 0;
    let tag = -1;
    for (let level = startLevel; level <= 3; level++) {
      const number = (page + ipaBasePage) >> (indexBits * (3 - level));
      const index = level === startLevel ? number : number & (entriesPerTable - 1);
      const low = load(tablesB + (table * entriesPerTable + index) * 8);
      const high = i32[scratchW + 1] as number;
      // Whatever it is, it is somebody else's: come back and walk again.
      if (tag >= 0 && isFreed(page, table, tag, low, high) && shared) return HANDLED.again;
      if ((low & 1) === 0) {
        const isLocked = low === LOCKED_LOW && high === 0 && bug !== 'locked-taken';
        return shared && isLocked ? HANDLED.again : UNDECIDED;
      }
      if (level < 3 && (low & 2) !== 0) {
        table = (((low >>> 12) | ((high & 0xffff) << 20)) - tableBaseFrame) >> frameShift;
        if (table < 0 || table >= layout.tablePages) return UNDECIDED;
        tag = (high >>> TAG_SHIFT) & GENERATION_TAG_MASK;
        continue;
      }
      // Beside a protocol at work an nT block is its to finish; under an exclusive lock one is left
      // over.
      if (level < 3 && (low & NT_BIT) !== 0) return shared ? HANDLED.again : UNDECIDED;
      const needed = (isStore ? S2AP_RW.readWrite : S2AP_RW.read) | AF_BIT;
      return (updated(low, high) & needed) === needed ? HANDLED.spurious : UNDECIDED;
    }
    return UNDECIDED;
  }

  return look;
}
