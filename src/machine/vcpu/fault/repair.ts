/**
 * The full handler, with the lock held for writing: maps what the scenario wants there, relaxes permissions,
 * and breaks a block into pages while dirty logging is on. Nobody else changes the tables meanwhile.
 */
import { NORMAL_RW } from '../../../arch/descriptor.ts';
import { type Level, startTable } from '../../../arch/geometry.ts';
import { type FaultPolicy, type FaultResult, handleFault } from '../../../pgtable/fault.ts';
import type { PoolTables } from '../../../pgtable/tables.ts';
import type { Cpu } from '../../../port/cpu.ts';
import type { MachineBug } from '../../../port/machine-bug.ts';
import type { Table } from '../../../port/tables.ts';
import type { Arena } from '../../arena.ts';
import { GHOST_CHANGING, GHOST_STABLE, ghostVersion, ghostWord } from '../../ghost.ts';
import {
  GHOST,
  IPA_BITS,
  LINE_WORDS,
  LOGGING,
  regionShift as regionShiftOf,
} from '../../layout.ts';
import { type FaultHandlerOptions, HANDLED } from './handler.ts';

export interface Repairs {
  /** Resolves a fault of `level`; returns one of HANDLED. */
  repair: (page: number, isStore: boolean, level: number, isPermission: boolean) => number;
  /** For scenarios with holes: what an entry of `level` maps around `page` is mapped from now on. */
  noteMapped: (page: number, level: Level) => void;
}

export function createRepairs(
  arena: Arena,
  cpu: Cpu,
  tables: PoolTables,
  options: FaultHandlerOptions,
): Repairs {
  const { i32, u8, layout, geometry } = arena;
  const { partial, dirtyLog = null, bug = null, onlyBlocks = false } = options;
  const regionShift = regionShiftOf(layout) - layout.pageShift;
  const pageBytes = 2 ** layout.pageShift;
  const relocates = layout.config.relocates === true;
  const hafdbs = layout.config.hafdbs === true;
  const hdbss = layout.config.hdbss === true;
  const start = startTable(geometry, IPA_BITS);

  /**
   * A block that has to become pages changes its version like any transition: the word says
   * `changing` before the block is broken and `stable` once the table is linked, and the faults of
   * others meanwhile belong to no protocol. The lock is held for writing, so nobody else is at it.
   */
  function beginSplit(ghostW: number, version: number): void {
    i32[ghostW + GHOST.slot + (version & (GHOST.slots - 1))] = layout.outsideSlot;
    Atomics.store(i32, ghostW, ghostWord(version, GHOST_CHANGING));
  }

  function endSplit(page: number, ghostW: number, version: number, isSplit: boolean): void {
    if (isSplit && partial) {
      const first = layout.mappedB + (page >> regionShift) * layout.regionPages;
      u8.fill(0, first, first + layout.regionPages);
    }
    Atomics.store(i32, ghostW, ghostWord(isSplit ? version + 1 : version, GHOST_STABLE));
  }

  function noteMapped(page: number, level: Level): void {
    const pages = 2 ** (layout.indexBits * (3 - level));
    const first = layout.mappedB + Math.floor(page / pages) * pages;
    u8.fill(1, first, first + pages);
  }

  function repair(page: number, isStore: boolean, level: number, isPermission: boolean): number {
    const ghostW = layout.ghostW + (page >> regionShift) * LINE_WORDS;
    const version = ghostVersion(i32[ghostW] as number);
    // Even versions are tables: a hole in one is filled page by page, as while dirty logging is on.
    const isBlock = relocates || onlyBlocks || (version & 1) === 1;
    const isLogged = dirtyLog !== null && dirtyLog.state() === LOGGING.on;
    const splits = isBlock && isLogged;
    // Where a ring logs, a page gets DBM with its first store, which a fault has logged.
    const dbm = hafdbs && (isStore || !hdbss || !isLogged);
    if (splits) beginSplit(ghostW, version);
    // Where blocks move, odd versions lie in the second half of memory.
    const place = layout.guestPaBase + (relocates ? (version & 1) * layout.pages * pageBytes : 0);
    const tag = (splits ? version + 1 : version) & 15;
    const result: FaultResult = handleFault(
      {
        geometry,
        cpu: bug === 'relax-unflushed' && isPermission ? withoutFlush(cpu) : cpu,
        tables,
        root: 0 as Table,
        start,
        shared: false,
        hafdbs,
      },
      {
        ipa: layout.ipaBase + page * pageBytes,
        access: isStore ? 'write' : 'read',
        status: isPermission ? 'permission' : 'translation',
        level: level as Level,
      },
      {
        logging: isLogged,
        blockLevel: isBlock ? layout.config.level : null,
        slot: (ipa) => {
          const offset = ipa - layout.ipaBase;
          return offset >= 0 && offset < layout.pages * pageBytes ? place + offset : null;
        },
        attributes: () => ({ ...NORMAL_RW, dbm, sw: tag }),
        ...(isLogged ? { onDirty: () => dirtyLog.mark(page), relaxesToDbm: hdbss } : {}),
        relaxes: relaxesOf(bug),
      },
    );
    const isSplit = splits && result.kind === 'mapped';
    if (splits) endSplit(page, ghostW, version, isSplit);
    if (result.kind === 'mapped' && partial) noteMapped(page, result.level);
    return isSplit ? HANDLED.split : HANDLED[result.kind];
  }

  return { repair, noteMapped };
}

/** A seeded bug: what it stores nobody is told of. */
function withoutFlush(cpu: Cpu): Cpu {
  return { ...cpu, tlbi: () => {} };
}

/** How a seeded bug decides that a permission fault needs no new mapping. */
function relaxesOf(bug: MachineBug | null): NonNullable<FaultPolicy['relaxes']> {
  if (bug === 'fault-level-ignored') return 'any-leaf';
  return bug === 'fault-level-stale' ? 'by-syndrome' : 'checked';
}
