/** A search that several share comes to what one alone comes to, however its parts fall. */
import fc from 'fast-check';
import { expect, test } from 'vitest';
import {
  conclude,
  type ExploreOptions,
  exploreProtocol,
  exploreShare,
  type Found,
  searchesOf,
  type Share,
  startExploration,
} from '../../../src/explore/protocol/index.ts';
import splitOrKeep from '../../../src/protocols/split-or-keep.ts';
import { generated, protocolOf } from './generated.ts';

/** Whoever has these takes them in their order. */
function shareOf(numbers: readonly number[]): Share {
  const left = [...numbers];
  let states = 0;
  return {
    take: () => left.shift() ?? null,
    count: (more) => (states += more),
    end: () => void left.splice(0),
    elapsedMs: () => 0,
  };
}

/** `whose`: of each search, which of the shares. Each has a start of its own, as on a thread of its own. */
function shared(options: ExploreOptions, whose: (number: number) => number, shares: number) {
  const founds = Array.from({ length: shares }, (_, share): Found => {
    const started = startExploration(options);
    const numbers = [...Array(searchesOf(started)).keys()].filter((n) => whose(n) === share);
    const steps = exploreShare(started, shareOf(numbers), () => false);
    for (let step = steps.next(); ; step = steps.next()) {
      // As a message is.
      if (step.done === true) return structuredClone(step.value);
    }
  });
  return { founds, run: conclude(startExploration(options), founds, 0) };
}

const wholeOf = (options: ExploreOptions) => ({ ...exploreProtocol(options), elapsedMs: 0 });

test('the same verdict, counts, outcomes and shortest schedules', () => {
  let violated = 0;
  fc.assert(
    fc.property(
      generated,
      fc.array(fc.nat(2), { minLength: 8, maxLength: 8 }),
      (sequence, whose) => {
        const multihit = sequence.bbm === 3 ? 'new' : 'abort';
        const cpu = { bbm: [sequence.bbm], multihit } as const;
        const options = { protocol: protocolOf(sequence), cpu };
        const { run } = shared(options, (number) => whose[number % whose.length] ?? 0, 3);
        expect(run).toEqual(wholeOf(options));
        if (run.violations.some(({ by }) => by === 'schedule')) violated++;
      },
    ),
    { numRuns: 100 },
  );
  expect(violated).toBeGreaterThan(0);
}, 600_000);

test('with allocations that fail, each of which is another start', () => {
  const options = { protocol: splitOrKeep, accesses: 1 };
  const { founds, run } = shared(options, (number) => number % 2, 2);
  expect(run).toEqual(wholeOf(options));
  expect(founds.every(({ done }) => done > 0)).toBe(true);
  // Which search came to an outcome first is no part of the result.
  const keys = new Set(run.outcomes.flatMap((outcome) => Object.keys(outcome)));
  expect([...keys].toSorted()).toEqual(['count', 'grade', 'id', 'why']);
});

test('a bound that they pass together only, and what they have gone through by then', () => {
  const options = { protocol: splitOrKeep, accesses: 1 };
  const { states } = exploreProtocol(options);
  const bounded = { ...options, bounds: { states: states - 1 } };
  const { founds, run } = shared(bounded, (number) => number % 2, 2);
  expect(founds.map(({ stoppedBy }) => stoppedBy)).toEqual([null, null]);
  expect([run.verdict, run.stoppedBy]).toEqual(['bounded', 'states']);

  const loads = exploreProtocol({ ...options, kinds: ['load'] }).states;
  const short = { ...options, bounds: { states: Math.ceil(loads / 2) } };
  const stopped = shared(short, () => 0, 1).run;
  expect(stopped.stoppedWhy).toMatch(/^\d+ of \d+ guest programs were gone through to the end$/);
  expect(stopped).toEqual(wholeOf(short));
});
