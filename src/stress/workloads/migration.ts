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
import bbmEarly from '../../protocols/bbm-early.ts';
import splitEager from '../../protocols/split-eager.ts';
import type { Protocol } from '../../port/index.ts';
import type { Migration } from '../../scenarios/index.ts';
import type { Region } from '../regions/regions.ts';
import { ROW } from '../results/results-area.ts';
import { createDestination } from './destination.ts';
import { createDirtyPasses } from './dirty-passes.ts';
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

  const isTable = (region: Region): boolean => (regions.versionOf(region) & 1) === 0;
  const faultsSince = (before: number): number =>
    (Atomics.load(i32, CONTROL.faultsSeen) - before) | 0;

  /** All blocks into pages by the hypervisor, before anything is write-protected. */
  function splitAll(count: RoundCount): boolean {
    const { protocol } = bench;
    const measured = protocol.kind === 'split';
    for (const region of regions.all) {
      if (isTable(region)) continue;
      bench.pause(plan.gapNs);
      if (!bench.step({ protocol: measured ? protocol : splitEager, region, measured }, count)) {
        return false;
      }
      if (measured) bench.underLock(() => regions.syncFlags(region));
    }
    return true;
  }

  /** Every region a block again: what a protocol that coalesces is measured at. */
  function coalesceAll(count: RoundCount): boolean {
    const { protocol } = bench;
    const measured = protocol.kind === 'coalesce';
    let isAllWritable = true;
    for (const region of regions.all) {
      if (!isTable(region)) {
        // Nobody stored to it since it was write-protected as a block: the next store relaxes it.
        isAllWritable = false;
        continue;
      }
      if (!bench.step({ protocol: measured ? protocol : bbmEarly, region, measured }, count)) {
        return false;
      }
      bench.underLock(() => regions.flagsAll(region));
    }
    if (isAllWritable) bench.underLock(() => log.setState(LOGGING.off));
    return true;
  }

  const coalescing = (): Protocol =>
    bench.protocol.kind === 'coalesce' ? bench.protocol : bbmEarly;

  /** Some region becomes a block while its pages' dirty state is still to be collected. */
  function promoteOne(count: RoundCount): boolean {
    const region = regions.all[(bench.random() >>> 9) % regions.all.length] as Region;
    if (!isTable(region)) return true;
    const measured = bench.protocol.kind === 'coalesce';
    if (!bench.step({ protocol: coalescing(), region, measured }, count)) return false;
    bench.underLock(() => regions.flagsAll(region));
    return true;
  }

  /** The same for all of them, with the guest stopped: nobody asks what it took. */
  function promoteAll(count: RoundCount): void {
    for (const region of regions.all) {
      if (!isTable(region)) continue;
      // The record is one that the round has not used.
      bench.reset(coalescing(), region, count.slots);
      regions.flagsAll(region);
    }
  }

  /** Logging on, the first copy, and passes while guests run. False: the tables are broken. */
  function start(count: RoundCount, isDone: () => boolean): boolean {
    const isEager = bench.protocol.kind === 'split' || (bench.random() & 256) !== 0;
    if (isEager && !splitAll(count)) return false;
    if (promotes) promotion = PROMOTIONS[(bench.random() >>> 9) & 3] as Promotion;
    const faultsBefore = Atomics.load(i32, CONTROL.faultsSeen);
    bench.underLock(() => log.setState(LOGGING.on));
    let sent = passes.first();
    const more = 1 + ((bench.random() >>> 9) % migration.passesMax);
    for (let i = 0; i < more && !bench.isStopped() && !isDone(); i++) {
      bench.letGuestsRun(PASS_PAUSES * plan.gapNs);
      if (promotion === 'running' && i === 0 && !promoteOne(count)) return false;
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
    if (!coalesceAll(count)) return false;
    addFigure(count, ROW.cancels, 1);
    addFigure(count, ROW.cancelNs, (performance.now() - startedMs) * 1e6);
    addFigure(count, ROW.cancelAccesses, (bench.heartbeats() - accessesBefore) | 0);
    addFigure(count, ROW.cancelFaults, faultsSince(faultsBefore));
    return true;
  }

  function toTables(): void {
    for (const region of regions.all) if (!isTable(region)) bench.reset(splitEager, region, 0);
  }

  function toBlocks(): void {
    // Blocks may have stayed write-protected, and an idle guest is to take no faults.
    if (log.state() !== LOGGING.off) toTables();
    for (const region of regions.all) {
      if (!isTable(region)) continue;
      bench.reset(bbmEarly, region, 0);
      regions.flagsAll(region);
    }
    log.setState(LOGGING.off);
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
      if (purpose === 'baseline' || !completes) toBlocks();
      else toTables();
    },
    run(item, round, isDone) {
      bench.begin(item, round);
      if (bench.protocol.kind === 'split') splitBy = item;
      const count = emptyCount();
      if (completes) {
        isOpen = coalesceAll(count) && start(count, isDone);
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
      if (promotion === 'stopped') promoteAll(count);
      addFigure(count, ROW.pagesSent, passes.next());
      log.setState(LOGGING.ending);
      for (const { page, vcpu, copied, inMemory } of destination.differences(DIFFERENCES_MAX)) {
        recorder.evidenceAbout(vcpu, EVIDENCE.dirty, page, copied, inMemory);
      }
    },
    traces: () => bench.traces(),
  };
}
