/** A growth's file as a program: measures it alone and prints its series. */
import { GROWTH_PACE, measureGrowth } from './measure.ts';
import type { Growth } from './growth.ts';
import { seriesText } from './text.ts';

const COLUMNS = 100;

/** `file`: the growth's own URL. */
export async function answerGrowth(growth: Growth, file: string): Promise<void> {
  const series = await measureGrowth(growth, file, GROWTH_PACE);
  process.stdout.write(`${growth.asks}\n\n${series.map((s) => seriesText(s, COLUMNS)).join('\n')}`);
}
