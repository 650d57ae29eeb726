/** Every field of a result of `stress`: missing or of another type, it is refused by its name. */
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { mergeResults } from '../../src/result/merge/index.ts';
import { formatJson } from '../../src/report/json.ts';
import { readResult, type StressFile } from '../../src/result/read.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { aResult, aRun, aViolation, exactly } from '../report/results.ts';

const TIME = {
  p50: 10,
  p99: 20,
  max: 30,
  count: 100,
  p50Interval: [9, 11],
  p99Interval: [19, 21],
  histogram: '10x98 20x1 30x1',
} as const;

/** A row with everything that a row may have. */
const FULL: StressRun = aRun({
  machine: 0,
  repeats: 2,
  windowNs: TIME,
  stages: [{ name: 'CREATE', ns: exactly(1), faults: { spurious: 0, genuine: 1, retry: 0 } }],
  migration: {
    count: 1,
    pagesSent: 2,
    loggingFaults: 3,
    cancel: { coalesceNs: exactly(1), faults: exactly(1), accessesLost: exactly(-1) },
  },
  neighbour: { accesses: 1, refills: 2, rollovers: 3 },
  answer: {
    kind: 'coalesce',
    lostNs: exactly(1),
    walkRate: exactly(2),
    cost: { lines: 1, needs: ['FEAT_BBM level 1'] },
  },
  violations: [aViolation({ seen: 400 })],
  exhibit: 'shown on purpose',
  notes: ['a note'],
});

const RESULT: StressFile = {
  ...(mergeResults([
    aResult({ runs: [FULL], shard: { index: 1, count: 1 }, reasons: ['a reason'] }),
  ]) as StressFile),
  shard: { index: 1, count: 1 },
  remarks: ['a remark'],
  controls: aResult().controls.map((control) => ({ ...control, standsFor: 'what it is for' })),
  runs: [FULL],
  campaign: {
    groups: [{ label: 'a', rows: 1, state: 'cut', shareMs: 1, spentMs: 1, notes: ['a note'] }],
    leftMs: 1,
    files: [{ path: '/a.ts', sha256: '00' }],
    parts: [{ startedAt: '2026-11-23T02:00:00.000Z', elapsedMs: 1, exitCode: 130 }],
    repeats: [FULL],
  },
};
const TEXT = formatJson(RESULT);

/** Fields that a result need not have. */
const OPTIONAL = [
  /^(?:shard|remarks|merged|campaign|campaign\.repeats|merged\.sources\[0\]\.parts)$/,
  /(?<!sources\[0\])\.(?:standsFor|machine|repeats|stages|migration|neighbour|seen|p50Interval|p99Interval)$/,
];
const isOptional = (name: string): boolean => OPTIONAL.some((pattern) => pattern.test(name));

interface Field {
  /** As a message has it. */
  readonly name: string;
  readonly value: unknown;
  /** The same result with this field set to something else, or gone. */
  with(value: unknown): string;
}

function fieldsOf(value: unknown, name: string, set: (value: unknown) => unknown): Field[] {
  const own: Field[] =
    name === '' ? [] : [{ name, value, with: (other) => JSON.stringify(set(other)) }];
  if (typeof value !== 'object' || value === null) return own;
  const inner = Object.entries(value).flatMap(([key, field]) => {
    const isItem = Array.isArray(value);
    const place = isItem ? `${name}[${key}]` : name === '' ? key : `${name}.${key}`;
    return fieldsOf(field, place, (other) =>
      set(
        isItem
          ? value.with(Number(key), other)
          : Object.fromEntries(
              Object.entries(value).flatMap(([k, v]) =>
                k !== key ? [[k, v]] : other === undefined ? [] : [[k, other]],
              ),
            ),
      ),
    );
  });
  return [...own, ...inner];
}

const FIELDS = fieldsOf(JSON.parse(TEXT), '', (value) => value).filter(
  // Named before it is looked at.
  ({ name }) => !['tool', 'schema', 'command'].includes(name),
);

const problemWith = (text: string): string => {
  try {
    readResult(text);
  } catch (error) {
    return (error as Error).message;
  }
  return 'nothing';
};

const typeOf = (value: unknown): string => (Array.isArray(value) ? 'array' : typeof value);

test('the result is read as it is', () => {
  expect(problemWith(TEXT)).toBe('nothing');
  expect(FIELDS.length).toBeGreaterThan(300);
});

test('a missing one', () => {
  const kept = FIELDS.filter(({ name }) => !name.endsWith(']')).flatMap((field) => {
    const problem = problemWith(field.with(undefined));
    const wanted = isOptional(field.name) ? 'nothing' : `${field.name} is missing`;
    return problem === wanted ? [] : [`${field.name}: ${problem}`];
  });
  expect(kept).toEqual([]);
});

describe('one of another type', () => {
  const others = fc
    .oneof(
      fc.string(),
      fc.integer(),
      fc.boolean(),
      fc.array(fc.string()),
      fc.dictionary(fc.string(), fc.string()),
    )
    .filter((value) => value !== '');

  test('whatever it is', () => {
    fc.assert(
      fc.property(others, (other) => {
        const taken = FIELDS.filter(
          ({ value }) => value !== null && typeOf(value) !== typeOf(other),
        )
          .map((field) => [field.name, problemWith(field.with(other))] as const)
          .filter(([name, problem]) => !problem.startsWith(name));
        expect(taken).toEqual([]);
      }),
      { numRuns: 12 },
    );
  });

  test('null, where there must be something', () => {
    const numbers = FIELDS.filter(
      ({ name, value }) =>
        typeof value === 'number' &&
        !/\.(?:hi|p50|p99|max|vcpu|round)$|Ms$|seed$|during$|baseline$|cost\.lines$/.test(name),
    );
    const taken = numbers.filter((field) => !problemWith(field.with(null)).startsWith(field.name));
    expect(taken.map(({ name }) => name)).toEqual([]);
  });

  test.each([
    ['runs[0].roundsWarmUp', '"many"'],
    ['runs[0].refills', '"x"'],
    ['runs[0].windowNs.p50Interval[0]', 'null'],
    ['runs[0].windowNs.p99Interval', '"no"'],
    ['runs[0].means.refills.value', '[]'],
  ])('%s: %s', (name, value) => {
    const field = FIELDS.find((one) => one.name === name);
    expect(problemWith(field?.with(JSON.parse(value)) ?? '')).toContain(`${name}: expected `);
  });
});

test('an end that JSON has no word for is infinite again', () => {
  const hi = Number.POSITIVE_INFINITY;
  const run = aRun({ hitShare: { value: 0, lo: 0, hi } });
  const back = readResult(formatJson(aResult({ runs: [run] }))) as StressFile;
  expect(back.runs[0]?.hitShare?.hi).toBe(hi);
});
