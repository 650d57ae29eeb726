/**
 * A group of splits and coalesces as the subject of a growth. Each sample is a group of new threads
 * (pool.ts says why), so the earlier half of its rounds is warm-up.
 */
import type { Arena } from '../../src/machine/arena.ts';
import {
  type CycleShape,
  PLAIN_CYCLES,
  roundFigures,
  runCycles,
} from '../../src/stress/campaign/cycle-run.ts';
import { createThreadPool } from '../../src/stress/group/pool.ts';
import { type ResultsArea, ROW } from '../../src/stress/results/results-area.ts';
import type { Subject } from '../question.ts';
import { median } from '../turns.ts';
import type { Figures } from './growth.ts';
import { GROWTH_PACE } from './measure.ts';

const NEVER = new AbortController().signal;
const RSS_EVERY_MS = 10;

export interface CycleSample {
  readonly arena: Arena;
  readonly results: ResultsArea;
  /** Most memory the process had while the group ran. */
  readonly rssBytes: number;
  /** Median of a figure of a round, over the later half of the rounds. */
  readonly perRound: (figureOf: (field: (row: number) => number) => number) => number;
}

/**
 * `rounds`: of a sample at the usual pace; where less time is asked for, as many less, of which two are left.
 * Rounds, not time, bound it: on a busy machine time would leave none.
 */
export async function openCycles(
  shape: Partial<CycleShape>,
  rounds: number,
  figures: (sample: CycleSample) => Figures,
): Promise<Subject<Figures>> {
  const pool = await createThreadPool();
  return {
    async sample(ms) {
      let rssBytes = 0;
      const timer = setInterval(() => {
        rssBytes = Math.max(rssBytes, process.memoryUsage.rss());
      }, RSS_EVERY_MS);
      try {
        const roundsMax = Math.max(2, Math.ceil(rounds * Math.min(1, ms / GROWTH_PACE.sampleMs)));
        const limit = { roundsMax, budgetMs: null };
        const whole = { ...PLAIN_CYCLES, ...shape };
        const { arena, results } = await runCycles(pool, limit, NEVER, whole);
        return figures({
          arena,
          results,
          rssBytes,
          perRound: (figureOf) => median(laterHalf(roundFigures(results, figureOf))),
        });
      } finally {
        clearInterval(timer);
      }
    },
    close: () => pool.destroy(),
  };
}

/** Never empty if there was one. */
function laterHalf(values: readonly number[]): readonly number[] {
  return values.slice(Math.floor(values.length / 2));
}

/** ns from the begin of a split to the end of its coalesce, pauses included. */
export function cycleNs({ perRound }: CycleSample): number {
  return perRound((field) => field(ROW.durationNs) / field(ROW.transitions));
}
