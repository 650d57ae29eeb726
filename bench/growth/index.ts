/**
 * All growths, one after the other, as one result: `bench --growth`.
 *
 * Interrupted, it ends after the growth under way, with the series it has.
 */
import { ownModule } from '../../src/package/root.ts';
import type { BenchResult, BenchSeries } from '../../src/result/bench.ts';
import { machineInfo } from '../../src/stress/process/machine-info.ts';
import { type BenchOptions, gradeOf } from '../index.ts';
import type { Growth } from './growth.ts';
import { GROWTH_PACE, type GrowthPace, measureGrowth } from './measure.ts';

/** In the order of the report. */
export const GROWTHS = [
  'vcpus',
  'accesses',
  'block-size',
  'populate',
  'tlb',
  'blocks',
  'guest-memory',
  'explore-vcpus',
  'explore-program',
  'explore-flushes',
] as const;
export type GrowthName = (typeof GROWTHS)[number];

export interface GrowthOptions extends Pick<
  BenchOptions,
  'argv' | 'version' | 'signal' | 'onProgress'
> {
  readonly pace?: GrowthPace;
  /** All of them where nothing is said. */
  readonly only?: readonly GrowthName[];
}

export async function runGrowth(options: GrowthOptions): Promise<BenchResult> {
  const { argv, version, signal, onProgress, pace = GROWTH_PACE, only = GROWTHS } = options;
  const startedAt = new Date().toISOString();
  const startedMs = performance.now();
  const series: BenchSeries[] = [];
  for (const name of GROWTHS.filter((each) => only.includes(each))) {
    if (signal.aborted) break;
    const file = ownModule(`${name}.growth`, import.meta.url).href;
    const { question } = (await import(file)) as { question: Growth };
    onProgress(`${question.name}: ${question.asks}`);
    series.push(...(await measureGrowth(question, file, pace)));
  }
  const interrupted = signal.aborted;
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'bench',
    ...gradeOf(interrupted, null),
    reasons: missedAims(series),
    seed: 1,
    argv,
    version,
    machine: machineInfo(),
    startedAt,
    elapsedMs: performance.now() - startedMs,
    interrupted,
    conclusions: [],
    runs: [],
    series,
  };
}

/** As for a run, a missed aim is a finding and no failure. */
export function missedAims(series: readonly BenchSeries[]): string[] {
  return series.flatMap(({ name, aim }) => (aim?.met === false ? [`${name}: ${aim.what}`] : []));
}
