/** What threads came to together: the same as every choice of one end per column, one by one. */
import fc from 'fast-check';
import { expect, test, vi } from 'vitest';
import { type End, Joint } from '../../../src/explore/protocol/judge/joint.ts';
import type { Judgement } from '../../../src/explore/protocol/judge/judge-access.ts';
import { worse } from '../../../src/explore/protocol/judge/judge-end.ts';
import {
  exploreShare,
  type Found,
  searchesOf,
  startExploration,
  wholeShare,
} from '../../../src/explore/protocol/index.ts';
import { OUTCOME_GRADES } from '../../../src/result/explore.ts';
import { builtin } from './fixtures.ts';

interface Row {
  readonly columns: readonly (readonly End[])[];
  readonly times: number;
  readonly search: number;
}

interface Said {
  readonly grade: string;
  readonly why: string;
  readonly at: number;
  count: number;
}

const judgements: readonly Judgement[] = OUTCOME_GRADES.flatMap((grade) =>
  ['one', 'another'].map((why) => ({ grade, rule: null, word: '', why: `${grade}: ${why}` })),
);

const end = fc.record({
  word: fc.constantFrom('a', 'b', 'c', null),
  worst: fc.constantFrom(null, ...judgements),
  count: fc.integer({ min: 1, max: 5 }),
});

const rows: fc.Arbitrary<Row[]> = fc.integer({ min: 1, max: 4 }).chain((columns) =>
  fc
    .array(
      fc.record({
        columns: fc.array(fc.array(end, { minLength: 1, maxLength: 4 }), {
          minLength: columns,
          maxLength: columns,
        }),
        times: fc.integer({ min: 1, max: 3 }),
        search: fc.nat(3),
      }),
      { minLength: 1, maxLength: 8 },
    )
    .map((all) => all.toSorted((a, b) => a.search - b.search)),
);

/** A word of one column is none of another's, as a vCPU has its name in front. */
const named = ({ columns, ...row }: Row): Row => ({
  ...row,
  columns: columns.map((ends, column) =>
    ends.map(({ word, ...rest }) => ({ ...rest, word: word === null ? null : `${column}${word}` })),
  ),
});

function oneByOne(all: readonly Row[]): Map<string, Said> {
  const said = new Map<string, Said>();
  for (const { columns, times, search } of all) {
    let joint: { words: string[]; worst: Judgement | null; count: number }[] = [
      { words: [], worst: null, count: times },
    ];
    for (const ends of columns) {
      joint = joint.flatMap(({ words, worst, count }) =>
        ends.map((next) => ({
          words: [...words, ...(next.word === null ? [] : [next.word])],
          worst: worse(worst, next.worst),
          count: count * next.count,
        })),
      );
    }
    for (const { words, worst, count } of joint) {
      const id = words.join(' | ');
      const known = said.get(id);
      if (known !== undefined) known.count += count;
      else {
        const why = worst?.why ?? 'no access was made';
        said.set(id, { grade: worst?.grade ?? 'acceptable', why, at: search, count });
      }
    }
  }
  return said;
}

test('outcomes, counts, and of each the first judgement and search', () => {
  fc.assert(
    fc.property(rows, (given) => {
      const all = given.map(named);
      const joint = new Joint();
      for (const { columns, times, search } of all) {
        joint.add(
          columns.map((ends, column) => joint.part(column, ends)),
          times,
          search,
        );
      }
      for (const _ of joint.settle()) continue;
      const found = joint.outcomes.map(({ id, ...said }) => [id, said] as const);
      expect(new Set(found.map(([id]) => id)).size).toBe(found.length);
      expect(new Map<string, Said>(found)).toEqual(oneByOne(all));
    }),
    { numRuns: 300 },
  );
});

/** A search whose time is up, or that nobody waits for, once it has gone through everything. */
function endedWhileWriting(isInterrupted: boolean, patienceMs: number): Found {
  const started = startExploration({ protocol: builtin('bbm-early'), vcpus: 2 });
  const whole = wholeShare(searchesOf(started));
  let isOver = false;
  const share = {
    ...whole,
    take: () => {
      const next = whole.take();
      isOver = next === null;
      return next;
    },
    elapsedMs: () => (isOver && !isInterrupted ? Number.POSITIVE_INFINITY : 0),
  };
  let nowMs = performance.now();
  const clock = vi.spyOn(performance, 'now').mockImplementation(() => {
    if (isOver) nowMs += patienceMs;
    return nowMs;
  });
  try {
    const steps = exploreShare(started, share, () => isOver && isInterrupted);
    for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
  } finally {
    clock.mockRestore();
  }
}

test('a table that takes longer than anybody waits is cut short, and said to be', () => {
  const whole = endedWhileWriting(true, 0);
  expect(whole.stoppedBy).toBeNull();
  for (const isInterrupted of [true, false]) {
    const cut = endedWhileWriting(isInterrupted, 300);
    expect(cut.stoppedBy).toBe(isInterrupted ? 'interrupt' : 'timeMs');
    expect(cut.stoppedWhy).toMatch(/not all that was found is told$/);
    expect(cut.outcomes.length).toBeLessThan(whole.outcomes.length);
    expect([cut.executions, cut.states]).toEqual([whole.executions, whole.states]);
  }
});
