/** Something deterministic as the subject of a growth: done once, and again until the time is over. */
import type { Subject } from '../question.ts';
import { median } from '../turns.ts';
import type { Figures } from './growth.ts';

/** Figures of `run`, and `ms`: the median time of one. */
export function openRepeated(run: () => Figures): Subject<Figures> {
  return {
    sample(sampleMs) {
      const until = performance.now() + sampleMs;
      const times: number[] = [];
      let figures: Figures;
      do {
        const startedMs = performance.now();
        figures = run();
        times.push(performance.now() - startedMs);
      } while (performance.now() < until);
      return Promise.resolve({ ...figures, ms: median(times) });
    },
    close: () => {},
  };
}
