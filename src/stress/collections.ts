/**
 * Garbage collections of the calling thread while it runs a group: each stops the thread, perhaps
 * in the middle of a window, so a measured run has to know how many there were.
 *
 * Node reports them through its event loop, which a thread that runs a group leaves alone; so they
 * are counted when the loop has turned afterwards.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';

export interface Collections {
  readonly count: number;
  /** Milliseconds; 0 if there was none. */
  readonly longestMs: number;
}

export const NO_COLLECTIONS: Collections = Object.freeze({ count: 0, longestMs: 0 });

export interface CollectionCounter {
  /** Those that began between the two times of `performance.now()`. Call once. */
  between(fromMs: number, toMs: number): Promise<Collections>;
}

/**
 * A collection is queued by the engine, then by the observer: two turns of the loop, and one for
 * those that were still under way.
 */
const TURNS = 3;

/** Must be called on the thread that is to be counted. */
export function countCollections(): CollectionCounter {
  const seen: { readonly startTime: number; readonly duration: number }[] = [];
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });
  return {
    async between(fromMs, toMs) {
      for (let i = 0; i < TURNS; i++) await turn();
      observer.disconnect();
      const within = seen.filter((e) => e.startTime >= fromMs && e.startTime < toMs);
      return {
        count: within.length,
        longestMs: Math.max(0, ...within.map((e) => e.duration)),
      };
    },
  };
}

/** Of several threads as one. */
export function together(all: readonly Collections[]): Collections {
  return {
    count: all.reduce((sum, { count }) => sum + count, 0),
    longestMs: Math.max(0, ...all.map(({ longestMs }) => longestMs)),
  };
}
