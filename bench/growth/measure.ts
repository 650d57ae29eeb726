/** One growth from start to end: its variants in turn, each in its own process, then series. */
import type { BenchSeries } from '../../src/result/bench.ts';
import { takeTurns } from '../turns.ts';
import { startVariants } from '../variant.ts';
import type { Figures, Growth } from './growth.ts';
import { seriesOf } from './series.ts';

export interface GrowthPace {
  /** Samples of each variant. */
  readonly laps: number;
  /** Of one sample. */
  readonly sampleMs: number;
}

/** Some seconds a growth. Of six laps the extremes hold the median with 97 %. */
export const GROWTH_PACE: GrowthPace = { laps: 6, sampleMs: 50 };

/** `file`: URL of the growth's module. */
export async function measureGrowth(
  growth: Growth,
  file: string,
  pace: GrowthPace,
): Promise<readonly BenchSeries[]> {
  const { variants, series } = growth;
  const laps = Math.min(pace.laps, growth.laps ?? pace.laps);
  const { started, close } = await startVariants<Figures>(file, variants);
  try {
    // Compiles and fills caches; threads that are new in every sample do so by themselves.
    if (growth.warmsUp) for (const variant of started) await variant.sample(pace.sampleMs);
    const taken = await takeTurns(started, laps, pace.sampleMs);
    const samples = new Map(variants.map((variant, i) => [variant, taken[i] ?? []]));
    return series.map((plan) => seriesOf(plan, samples));
  } finally {
    await close();
  }
}
