/**
 * The life of a live migration, in the hypervisor's thread as dirty_log_perf_test's main thread has
 * it, while the vCPUs load and store all the time.
 *
 *   hypervisor                            a vCPU that stores to page p
 *   ------------------------------------------------------------------------------
 *   logging on: write-protect, flush      permission fault; under the lock: breaks the block for a
 *     (or split first, then pages)          table with p alone, or makes p writable; marks p dirty
 *   copy all of memory                    stores
 *   pass: fetch and clear the dirty bits
 *     write-protect those pages           permission fault, marks p dirty again, stores
 *     flush, DSB                          stores with an old translation are in memory by now
 *     copy those pages
 *   ... more passes ...
 *   completed: the guest stops; last pass; the copy must equal memory
 *   cancelled: logging off, every region coalesced by the protocol under test, guests running
 *
 * Why no store is lost: one that hits a writable translation either happens before the flush, and
 * the copy after the flush has it, or faults after it, and the page's bit is set before the store.
 * Blocks are split by the first store to them as in KVM v5.11 (whose other pages then fault
 * genuinely), or by the hypervisor beforehand as in v6.5; which is drawn for each migration, but a
 * protocol that splits is always the one to do it.
 *
 * A completed migration's switch-over then fails: its source goes on, and the next round begins with
 * the coalesce. So both ends measure one transition per region and migration. Regions coalesce in
 * the hypervisor's thread, not in the first faulting vCPU's as in KVM: one thread has the
 * instruments.
 *
 * With hardware dirty state (FEAT_HAFDBS) a migration may meet a coalesce while its log is still being
 * collected, as when a host promotes memory without asking who migrates: of one region before a pass,
 * guests running, or of all that are tables before the last one, when the guest has stopped. What the
 * pages' descriptors said is then in the block or lost, and the copy tells. Every other migration does
 * without: a block is sent whole, and hides what was lost of its pages. With rings no host may do so: nobody
 * looks at the dirty state of a block, and what is stored to one that is dirty is in no ring.
 */
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { CONTROL, LOGGING } from '../../machine/layout.ts';
import { EVIDENCE } from '../../machine/recorder.ts';
import type { Migration } from '../../scenarios/index.ts';
import { ROW } from '../results/results-area.ts';
import { createDestination } from './destination.ts';
import { createDirtyPasses } from './dirty-passes.ts';
import { createMigratedRegions } from './migrated-regions.ts';
import type { Workbench } from './workbench.ts';
import { addFigure, emptyCount, type RoundCount, type Workload } from './workload.ts';

/** Between two passes guests run this many times as long as between two transitions. */
const PASS_PAUSES = 32;
type Promotion = 'never' | 'running' | 'stopped';
/** Which of them, for two random bits. */
const PROMOTIONS = ['never', 'never', 'running', 'stopped'] as const;
/** Words reported that the destination lacks, per migration: more say nothing new. */
const DIFFERENCES_MAX = 4;

export function createMigration(bench: Workbench, migration: Migration): Workload {
  const { arena, plan, regions, recorder, flusher } = bench;
  const { i32 } = arena;
  const log = createDirtyLog(arena);
  const destination = createDestination(arena);
  const passes = createDirtyPasses(bench, log, destination);
  const migrated = createMigratedRegions(bench, log);
  const completes = migration.ends === 'completed';
  /** Only who completes can tell whether anything was lost. */
  const { hafdbs = false, hdbss = false } = arena.layout.config;
  const promotes = completes && hafdbs && !hdbss;
  /** When something becomes a block in the migration under way. */
  let promotion: Promotion = 'never';
  /** The round now ending has a migration whose last pass is still to come. */
  let isOpen = false;
  /** The plan item whose protocol has split the blocks last, if it was not the harness. */
  let splitBy: number | null = null;

  const faultsSince = (before: number): number =>
    (Atomics.load(i32, CONTROL.faultsSeen) - before) | 0;

  /** Logging on, the first copy, and passes while guests run. False: the tables are broken. */
  function start(count: RoundCount, isDone: () => boolean): boolean {
    const isEager = bench.protocol.kind === 'split' || (bench.random() & 256) !== 0;
    if (isEager && !migrated.splitAll(count)) return false;
    if (promotes) promotion = PROMOTIONS[(bench.random() >>> 9) & 3] as Promotion;
    const faultsBefore = Atomics.load(i32, CONTROL.faultsSeen);
    bench.underLock(() => log.setState(LOGGING.on));
    let sent = passes.first();
    const more = 1 + ((bench.random() >>> 9) % migration.passesMax);
    for (let i = 0; i < more && !bench.isStopped() && !isDone(); i++) {
      bench.letGuestsRun(PASS_PAUSES * plan.gapNs);
      if (promotion === 'running' && i === 0 && !migrated.promoteOne(count)) return false;
      sent += passes.next();
    }
    addFigure(count, ROW.migrations, 1);
    addFigure(count, ROW.pagesSent, sent);
    addFigure(count, ROW.loggingFaults, faultsSince(faultsBefore));
    return true;
  }

  /** Logging off and blocks again, with guests running, and what that takes. */
  function cancel(count: RoundCount): boolean {
    const faultsBefore = Atomics.load(i32, CONTROL.faultsSeen);
    const accessesBefore = bench.heartbeats();
    const startedMs = performance.now();
    bench.underLock(() => log.setState(LOGGING.ending));
    if (!migrated.coalesceAll(count)) return false;
    addFigure(count, ROW.cancels, 1);
    addFigure(count, ROW.cancelNs, (performance.now() - startedMs) * 1e6);
    addFigure(count, ROW.cancelAccesses, (bench.heartbeats() - accessesBefore) | 0);
    addFigure(count, ROW.cancelFaults, faultsSince(faultsBefore));
    return true;
  }

  function rebuild(): void {
    regions.rebuild();
    log.setState(LOGGING.off);
    isOpen = false;
    splitBy = null;
    flusher.tlbi({ kind: 'alle1is' });
  }

  return {
    rebuild,
    emptyTlbs: () => flusher.tlbi({ kind: 'alle1is' }),
    prepare(purpose, item) {
      // The tables of a protocol that splits are its own: what is wrong with them must not be held
      // against the next one.
      if (splitBy !== null && splitBy !== item) rebuild();
      // A completed migration has left tables, write-protected here and there, for the next round's
      // coalesce to start from; where an idle round lay in between they are full ones.
      if (purpose === 'baseline' || !completes) migrated.toBlocks();
      else migrated.toTables();
    },
    run(item, round, isDone) {
      bench.begin(item, round);
      if (bench.protocol.kind === 'split') splitBy = item;
      const count = emptyCount();
      if (completes) {
        isOpen = migrated.coalesceAll(count) && start(count, isDone);
        return count;
      }
      const migrations = Math.max(1, Math.ceil(plan.transitions / regions.all.length));
      for (let i = 0; i < migrations && !bench.isStopped() && !isDone(); i++) {
        if (!start(count, isDone) || !cancel(count)) break;
        bench.letGuestsRun(PASS_PAUSES * plan.gapNs);
      }
      return count;
    },
    finish(count) {
      if (!isOpen) return;
      isOpen = false;
      if (promotion === 'stopped') migrated.promoteAll(count);
      addFigure(count, ROW.pagesSent, passes.next());
      log.setState(LOGGING.ending);
      for (const { page, vcpu, copied, inMemory } of destination.differences(DIFFERENCES_MAX)) {
        recorder.evidenceAbout(vcpu, EVIDENCE.dirty, page, copied, inMemory);
      }
    },
    traces: () => bench.traces(),
  };
}
