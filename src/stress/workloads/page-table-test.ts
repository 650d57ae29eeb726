/**
 * The hypervisor's side of kvm_page_table_test (scenarios/page-table-test.ts): one round is one run of
 * the test. A stage begins with a word in shared memory, which vCPUs answer with when their sweep is
 * done; its time is from the one to the last of the other.
 */
import { waitForChange } from '#sync';
import { EMPTY } from '../../arch/descriptor.ts';
import { childLevel } from '../../arch/geometry.ts';
import { createDirtyLog } from '../../machine/dirty/dirty-log.ts';
import { GHOST_STABLE, ghostWord } from '../../machine/ghost.ts';
import { CONTROL, LOGGING, TRANSITION, VCPU } from '../../machine/layout.ts';
import { EVENT } from '../../machine/recorder.ts';
import { Stopped } from '../../machine/tlb/shootdown.ts';
import bbmEarly from '../../protocols/bbm-early.ts';
import { type Stage, STAGES } from '../../scenarios/index.ts';
import { STAGE_FIELDS, stageField } from '../results/results-area.ts';
import { createDestination } from './destination.ts';
import { createDirtyPasses } from './dirty-passes.ts';
import type { Workbench } from './workbench.ts';
import { addFigure, emptyCount, type RoundCount, type Workload } from './workload.ts';

/** A wait for vCPUs at their sweep looks around this often. */
const WAIT_MS = 5;

/** In the order of STAGE_FIELDS, the time aside. */
const FAULT_WORDS = [TRANSITION.spurious, TRANSITION.genuine, TRANSITION.retry] as const;

export function createPageTableTest(bench: Workbench): Workload {
  const { arena, plan, regions, software, recorder, flusher } = bench;
  const { i32, layout, descriptors } = arena;
  const { vcpus } = layout.config;
  const log = createDirtyLog(arena);
  const passes = createDirtyPasses(bench, log, createDestination(arena));
  const emptyTlbs = (): void => flusher.tlbi({ kind: 'alle1is' });

  /** BEFORE_MAPPINGS. The version is a block's, because that is what a fault will map. */
  function unmapAll(): void {
    const { tables } = software;
    for (const region of regions.all) {
      const child = tables.follow(Atomics.load(descriptors, region.entry));
      Atomics.store(descriptors, region.entry, EMPTY);
      tables.put(region.entry);
      tables.tearDown(child, childLevel(layout.config.level));
      const version = regions.versionOf(region);
      Atomics.store(i32, region.ghostW, ghostWord(version + 1, GHOST_STABLE));
      regions.syncFlags(region);
    }
  }

  /** Faults of a kind at transitions from `slot` on and at none. */
  function faultsFrom(slot: number, end: number, word: number): number {
    let sum = i32[layout.outsideW + word] as number;
    sum += i32[layout.unattributedW + word] as number;
    for (let s = slot; s < end; s++) {
      sum += i32[layout.transitionW + s * TRANSITION.words + word] as number;
    }
    return sum;
  }

  function awaitSweeps(stage: number): void {
    let beats = bench.heartbeats();
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      const word = layout.vcpuW + vcpu * VCPU.words + VCPU.stageDone;
      for (;;) {
        const done = Atomics.load(i32, word);
        if (done === stage) break;
        if (bench.isStopped()) throw new Stopped('stopped while vCPUs sweep');
        waitForChange(i32, word, done, plan.spins, WAIT_MS);
        // A sweep may take seconds: it is the vCPUs that are at work, and who watches this thread
        // is to see it.
        const now = bench.heartbeats();
        if (now !== beats) recorder.event(EVENT.sweeping, stage & 3, 0, 0);
        beats = now;
      }
    }
  }

  /** All vCPUs sweep; `meanwhile` runs beside them. */
  function run(stage: Stage, round: number, count: RoundCount, meanwhile: () => void): void {
    const index = STAGES.indexOf(stage);
    const number = (round << 2) | (index + 1) | 0;
    const firstSlot = count.slots;
    const before = FAULT_WORDS.map((word) => faultsFrom(0, 0, word));
    const startedMs = performance.now();
    Atomics.store(i32, CONTROL.stage, number);
    Atomics.notify(i32, CONTROL.stage);
    meanwhile();
    awaitSweeps(number);
    const ns = (performance.now() - startedMs) * 1e6;
    addFigure(count, stageField(index, STAGE_FIELDS.ns), ns);
    for (const [i, word] of FAULT_WORDS.entries()) {
      const faults = faultsFrom(firstSlot, count.slots, word) - (before[i] as number);
      addFigure(count, stageField(index, 1 + i), faults);
    }
  }

  function coalesceAll(count: RoundCount): void {
    const { protocol } = bench;
    const measured = protocol.kind === 'coalesce';
    bench.underLock(() => log.setState(LOGGING.ending));
    for (const region of regions.all) {
      bench.pause(plan.gapNs);
      const step = { protocol: measured ? protocol : bbmEarly, region, measured };
      if ((regions.versionOf(region) & 1) === 1) continue;
      if (!bench.step(step, count)) return;
      bench.underLock(() => regions.flagsAll(region));
    }
    bench.underLock(() => log.setState(LOGGING.off));
  }

  /** A protocol that splits does so before the blocks would be split by the first store. */
  function splitAll(count: RoundCount): boolean {
    const { protocol } = bench;
    if (protocol.kind !== 'split') return true;
    return regions.all.every((region) => {
      const isDone = bench.step({ protocol, region, measured: true }, count);
      bench.underLock(() => regions.syncFlags(region));
      return isDone;
    });
  }

  return {
    rebuild() {
      regions.rebuild();
      log.setState(LOGGING.off);
      emptyTlbs();
    },
    emptyTlbs,
    prepare(purpose) {
      regions.rebuild();
      log.setState(LOGGING.off);
      if (purpose === 'transitions') unmapAll();
      else for (const region of regions.all) bench.reset(bbmEarly, region, 0);
      emptyTlbs();
    },
    run(item, round) {
      bench.begin(item, round);
      const count = emptyCount();
      run('CREATE', round, count, () => {});
      if (!splitAll(count)) return count;
      bench.underLock(() => log.setState(LOGGING.on));
      passes.first();
      run('UPDATE', round, count, () => {});
      run('ADJUST', round, count, () => coalesceAll(count));
      return count;
    },
    finish: () => {},
    traces: () => bench.traces(),
  };
}
