/**
 * A vCPU's rounds: when it is online with a place, and enters and leaves, until the end of the round is
 * declared. What it does in the guest are accesses at random, or the stages of a sweep.
 */
import { waitForChange } from '#sync';
import type { Arena } from '../arena.ts';
import { CONTROL, VCPU } from '../layout.ts';
import { nextRandom } from '../random.ts';
import type { Mmu } from '../walk/mmu.ts';
import type { Accesses } from './accesses.ts';
import type { Progress } from './fault/progress.ts';
import type { VcpuOptions } from './guest.ts';
import type { Neighbour } from './neighbour.ts';
import type { RunTokens } from './run-tokens.ts';

/** Makes the accesses of stage 1 to 3, one call each. */
export type Sweep = (stage: number, access: (page: number, isStore: boolean) => void) => void;

/** What a vCPU's rounds are made of. */
export interface RoundParts {
  readonly mmu: Mmu;
  readonly accesses: Accesses;
  readonly progress: Progress;
  /** The VM that has a turn between two entries, if there is one. */
  readonly neighbour: Neighbour | null;
  readonly tokens: RunTokens;
}

export interface Rounds {
  /**
   * Runs accesses until the round's end is declared; counts go to the vCPU's block. Returns false
   * if stopped.
   */
  runRound: (round: number, seed: number) => boolean;
  /**
   * A round of stages: for each stage the hypervisor calls, `sweep` makes its accesses. Until the
   * round's end is declared.
   */
  runStages: (round: number, sweep: Sweep) => void;
  /** `count` accesses without rounds or tokens, for benchmarks and tests. */
  runAccesses: (count: number) => void;
}

const BATCH = 128;
const TOKEN_TURN = 10_000;
/**
 * Where ten others want two CPUs a thread gets one for 4 ms of 24, and a vCPU that runs all the time has
 * had its share whenever the hypervisor waits for it. One that sleeps for most of its time gets a CPU within
 * 0.1 ms (docs/speed.md). So it sleeps, for up to this long, after up to so many batches: it runs on after
 * it has answered a TLBI, beside what the hypervisor does next.
 */
const NAP_MS_MAX = 0.5;
const BURST_BATCHES_MAX = 8;
/** A vCPU between stages looks for the end of the round this often. */
const STAGE_WAIT_MS = 2;

export function createRounds(
  { i32, layout }: Arena,
  { vcpu, exitEvery, beforeEntry, ring = null, naps = false }: VcpuOptions,
  { mmu, accesses, progress, neighbour, tokens }: RoundParts,
): Rounds {
  const { course, enter, enterRacing, leave, isInGuest, batch, access } = accesses;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const batchSize = Math.min(BATCH, exitEvery);

  const isOver = (round: number): boolean =>
    Atomics.load(i32, CONTROL.roundEnd) >= round || Atomics.load(i32, CONTROL.stop) !== 0;

  /** Of its own: accesses are those of the seed, with naps or without. */
  let napRandom = 1 + vcpu;
  let burst = 0;
  function napSometimes(): void {
    if (--burst > 0) return;
    napRandom = nextRandom(napRandom);
    burst = 1 + ((napRandom >>> 8) % BURST_BATCHES_MAX);
    Atomics.wait(i32, CONTROL.stop, 0, ((napRandom >>> 16) / 2 ** 16) * NAP_MS_MAX);
  }

  const bump = (word: number, by: number): void => {
    i32[w + word] = (i32[w + word] as number) + by;
  };

  function publishCounts(): void {
    bump(VCPU.issued, course.issued);
    bump(VCPU.completed, course.completed);
    bump(VCPU.walks, mmu.last.walks);
    course.issued = 0;
    course.completed = 0;
    mmu.last.walks = 0;
  }

  function runNeighbour(): void {
    if (neighbour === null) return;
    const made = neighbour.run(course.random);
    course.issued += made;
    course.completed += made;
  }

  /** Online with a place: batches until the round is over or the turn ends. */
  function turn(round: number): void {
    let sinceExit = 0;
    let sinceToken = 0;
    ring?.load();
    enter();
    while (!isOver(round)) {
      batch(batchSize);
      if (naps) napSometimes();
      sinceExit += batchSize;
      sinceToken += batchSize;
      if (sinceToken >= TOKEN_TURN && tokens.scheduled && tokens.wanted()) break;
      if (sinceExit >= exitEvery) {
        sinceExit = 0;
        leave();
        runNeighbour();
        if (beforeEntry === null) enter();
        else enterRacing();
      }
    }
    if (isInGuest()) leave();
    ring?.put();
  }

  /** The stage called after `last`, or 0 once the round is over. */
  function nextStage(last: number, round: number): number {
    while (!isOver(round)) {
      const stage = Atomics.load(i32, CONTROL.stage);
      if (stage !== last && stage >> 2 === round) return stage;
      waitForChange(i32, CONTROL.stage, stage, 0, STAGE_WAIT_MS);
    }
    return 0;
  }

  return {
    runRound(round, seed) {
      accesses.startFrom(seed);
      progress.startRound(round);
      while (!isOver(round)) {
        if (!tokens.acquire(round)) break;
        turn(round);
        tokens.release();
      }
      publishCounts();
      return Atomics.load(i32, CONTROL.stop) === 0;
    },
    runStages(round, sweep) {
      progress.startRound(round);
      for (let stage = nextStage(0, round); stage !== 0; stage = nextStage(stage, round)) {
        if (!tokens.acquire(round)) break;
        ring?.load();
        enter();
        sweep(stage & 3, access);
        if (isInGuest()) leave();
        ring?.put();
        tokens.release();
        Atomics.store(i32, w + VCPU.stageDone, stage);
        Atomics.notify(i32, w + VCPU.stageDone);
      }
      publishCounts();
    },
    runAccesses(count) {
      enter();
      for (let left = count; left > 0; left -= BATCH) batch(Math.min(BATCH, left));
      leave();
      publishCounts();
    },
  };
}
