/**
 * Garbage collections of the calling thread while it runs a group: each stops the thread, perhaps
 * in the middle of a window. So the young generation is emptied between rounds, before it is full,
 * and those that came in a round all the same are counted.
 *
 * Node reports collections through its event loop, which a thread that runs a group leaves alone;
 * so they are counted when the loop has turned afterwards.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { setImmediate as turn } from 'node:timers/promises';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

export interface Collections {
  readonly count: number;
  /** Milliseconds; 0 if there was none. */
  readonly longestMs: number;
}

export const NO_COLLECTIONS: Collections = Object.freeze({ count: 0, longestMs: 0 });

export interface CollectionCounter {
  roundStarted(): void;
  roundEnded(): void;
  /** Between rounds: collects, if the next round might otherwise have to. */
  settle(): void;
  /** Those that began within a round. Call once. */
  end(): Promise<Collections>;
}

/**
 * Semi-space of a worker's heap, from the start: V8 begins with 1 MiB and collects every few
 * milliseconds of a busy hypervisor.
 */
export const SEMI_SPACE_MB = 64;
/** Filled further than this it is emptied: a round at level 1 takes up to half of the space. */
const FILLED_BYTES = (SEMI_SPACE_MB / 4) * 2 ** 20;

/**
 * A collection is queued by the engine, then by the observer: two turns of the loop, and one for
 * those that were still under way.
 */
const TURNS = 3;

type MinorCollection = (options: { type: 'minor'; execution: 'sync' }) => void;

/**
 * V8 shows its collector only to a context that is made after the flag was set. Flags are the
 * process's own and nothing guards them: they must be set before there are threads that read them.
 */
export function exposeCollector(): void {
  setFlagsFromString('--expose-gc');
}

function minorCollection(): MinorCollection {
  const find = (): unknown => runInNewContext('globalThis.gc');
  const found = find();
  if (typeof found === 'function') return found as MinorCollection;
  // Not under a pool, which has done it: this thread is alone.
  exposeCollector();
  return find() as MinorCollection;
}

function youngBytes(): number {
  const space = getHeapSpaceStatistics().find(({ space_name }) => space_name === 'new_space');
  return space?.space_used_size ?? 0;
}

/** Must be called on the thread that is to be counted. */
export function countCollections(): CollectionCounter {
  const collect = minorCollection();
  const seen: { readonly startTime: number; readonly duration: number }[] = [];
  /** Times of `performance.now()`: start, end, start, … */
  const edges: number[] = [];
  const observer = new PerformanceObserver((list) => seen.push(...list.getEntries()));
  observer.observe({ entryTypes: ['gc'] });

  /** In a round if an odd number of edges lies before it. */
  function isInRound(timeMs: number): boolean {
    let from = 0;
    let to = edges.length;
    while (from < to) {
      const middle = (from + to) >> 1;
      if ((edges[middle] as number) <= timeMs) from = middle + 1;
      else to = middle;
    }
    return (from & 1) === 1;
  }

  return {
    roundStarted: () => void edges.push(performance.now()),
    roundEnded: () => void edges.push(performance.now()),
    settle() {
      if (youngBytes() > FILLED_BYTES) collect({ type: 'minor', execution: 'sync' });
    },
    async end() {
      for (let i = 0; i < TURNS; i++) await turn();
      observer.disconnect();
      const within = seen.filter((e) => isInRound(e.startTime));
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
