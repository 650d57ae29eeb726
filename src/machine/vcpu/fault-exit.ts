/**
 * A stage-2 abort on the vCPU's own thread: takes the VM's mmu_lock, looks, and repairs
 * (src/pgtable/fault.ts is user_mem_abort).
 *
 *   lock held   for reading (v6.2 and later)   look; then a hole may be filled
 *               for writing                    look; then whatever is left is repaired
 *
 * Almost every fault of this trade is spurious or meets a LOCKED entry, and both are decided by the look,
 * which allocates nothing (fault/software-walk.ts).
 */
import type { Descriptor } from '../../arch/descriptor.ts';
import type { Grace } from '../../pgtable/grace.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import type { PoolTables } from '../../pgtable/tables.ts';
import type { Cpu } from '../../port/cpu.ts';
import type { Arena } from '../arena.ts';
import {
  type FaultChange,
  type FaultHandler,
  type FaultHandlerOptions,
  HANDLED,
  UNDECIDED,
} from './fault/handler.ts';
import { createHoleFill } from './fault/hole-fill.ts';
import { createMmuLock } from './fault/mmu-lock.ts';
import { createRepairs } from './fault/repair.ts';
import { createSoftwareWalk } from './fault/software-walk.ts';

/** For whoever makes a handler, or what runs in one. */
export { type FaultChange, HANDLED, UNDECIDED } from './fault/handler.ts';

export function createFaultHandler(
  arena: Arena,
  cpu: Cpu,
  tables: PoolTables,
  grace: Grace,
  options: FaultHandlerOptions,
): FaultHandler {
  const { u8, layout } = arena;
  const { partial, isShared, fillsShared = false, change: changeOf } = options;
  const { acquire, release } = createMmuLock(arena, grace, options);
  const look = createSoftwareWalk(arena, options);
  const fill = createHoleFill(arena, cpu, tables, options);
  const { repair, noteMapped } = createRepairs(arena, cpu, tables, options);

  /** Where somebody leaks all tables there are, the round's audit says so; until then this waits. */
  function orWait(handle: () => number): number {
    try {
      return handle();
    } catch (error) {
      if (error instanceof PoolExhausted) return HANDLED.again;
      throw error;
    }
  }

  /** The protocol under test handles the fault, unless there is nothing for it to do. */
  function runChange(change: FaultChange, page: number): number {
    const { isShared, isPermission } = change;
    if (!acquire(isShared, isPermission)) return HANDLED.stopped;
    let outcome: number = UNDECIDED;
    try {
      outcome = change.run(page);
      if (outcome === HANDLED.mapped && partial) noteMapped(page, layout.config.level);
    } finally {
      release(isShared, isPermission);
    }
    change.settle();
    return outcome;
  }

  return {
    wasMapped: (page) => !partial || u8[layout.mappedB + page] === 1,
    handle(page, isStore, level, isPermission) {
      const change = changeOf?.() ?? null;
      if (change !== null && change.isPermission === isPermission) {
        const outcome = runChange(change, page);
        if (outcome !== UNDECIDED) return outcome;
      }
      if (isShared()) {
        if (!acquire(true, isPermission)) return HANDLED.stopped;
        let seen = UNDECIDED;
        try {
          seen = look(page, isStore, true);
          if (seen === UNDECIDED && fillsShared && !isPermission) {
            seen = orWait(() => fill(page, isStore, level));
          }
        } finally {
          release(true, isPermission);
        }
        if (seen !== UNDECIDED) return seen;
      }
      // Filling a hole page by page is the scenario's policy while a region is a table. Unless it is
      // the scenario's point that vCPUs do so side by side, the lock is held for writing.
      if (!acquire(false, isPermission)) return HANDLED.stopped;
      try {
        const seen = look(page, isStore, false);
        if (seen !== UNDECIDED) return seen;
        return orWait(() => repair(page, isStore, level, isPermission));
      } finally {
        release(false, isPermission);
      }
    },
  };
}

/** The descriptor a fault saw, from its halves. */
export function descriptorOf(low: number, high: number): Descriptor {
  return (BigInt.asUintN(32, BigInt(high)) << 32n) | BigInt.asUintN(32, BigInt(low));
}
