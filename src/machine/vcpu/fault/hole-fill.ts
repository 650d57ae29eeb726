/**
 * A hole filled with the lock held for reading, beside other vCPUs that may be at the same one, and beside a
 * protocol that may be unlinking the table: entries go through LOCKED, and whoever loses comes back.
 */
import { EMPTY, LOCKED, NORMAL_RW } from '../../../arch/descriptor.ts';
import { type Level, startTable } from '../../../arch/geometry.ts';
import { handleFault } from '../../../pgtable/fault.ts';
import type { PoolTables } from '../../../pgtable/tables.ts';
import type { Cpu } from '../../../port/cpu.ts';
import type { Table } from '../../../port/tables.ts';
import type { Arena } from '../../arena.ts';
import { ghostVersion } from '../../ghost.ts';
import { IPA_BITS, LINE_WORDS, regionShift as regionShiftOf } from '../../layout.ts';
import { type FaultHandlerOptions, HANDLED, UNDECIDED } from './handler.ts';

/** One of HANDLED, or UNDECIDED: there is nothing to fill, or not like this. */
export type HoleFill = (page: number, isStore: boolean, level: number) => number;

export function createHoleFill(
  arena: Arena,
  cpu: Cpu,
  tables: PoolTables,
  { bug = null }: FaultHandlerOptions,
): HoleFill {
  const { i32, u8, layout, geometry } = arena;
  const sharedCpu = bug === 'locked-taken' ? blindToLocked(cpu) : cpu;
  const regionShift = regionShiftOf(layout) - layout.pageShift;
  const pageBytes = 2 ** layout.pageShift;
  const hafdbs = layout.config.hafdbs === true;
  const start = startTable(geometry, IPA_BITS);

  /** The version is the table's, which the read-side section keeps from being freed. */
  function fill(page: number, isStore: boolean, level: number): number {
    const word = i32[layout.ghostW + (page >> regionShift) * LINE_WORDS] as number;
    const version = ghostVersion(word);
    // Of a block there is nothing to fill.
    if ((version & 1) === 1) return UNDECIDED;
    const result = handleFault(
      {
        geometry,
        cpu: sharedCpu,
        tables,
        root: 0 as Table,
        start,
        shared: true,
        hafdbs,
      },
      {
        ipa: layout.ipaBase + page * pageBytes,
        access: isStore ? 'write' : 'read',
        status: 'translation',
        level: level as Level,
      },
      {
        logging: false,
        blockLevel: null,
        slot: (ipa) => layout.guestPaBase + ipa - layout.ipaBase,
        // With DBM, a page that is clean for the log can be stored to all the same.
        attributes: () => ({ ...NORMAL_RW, dbm: hafdbs, sw: version & 15 }),
        keepsBlocks: true,
      },
    );
    if (result.kind === 'mapped') u8[layout.mappedB + page] = 1;
    return result.kind === 'error' ? UNDECIDED : HANDLED[result.kind];
  }

  return fill;
}

/** A seeded bug: an entry that somebody else is at work on looks like one that holds nothing. */
function blindToLocked(cpu: Cpu): Cpu {
  return {
    ...cpu,
    read(entry) {
      const d = cpu.read(entry);
      return d === LOCKED ? EMPTY : d;
    },
    compareExchange(entry, expected, desired) {
      const found = cpu.compareExchange(entry, expected, desired);
      if (expected !== EMPTY || found !== LOCKED) return found;
      return cpu.compareExchange(entry, LOCKED, desired) === LOCKED ? EMPTY : found;
    },
  };
}
