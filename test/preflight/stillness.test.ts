/** Who is said not to get on, and who is merely on a busy machine. */
import { expect, it } from 'vitest';
import { STAGE } from '../../src/preflight/progress-words.ts';
import { Stillness } from '../../src/preflight/stillness.ts';

interface Seen {
  readonly ms: number;
  readonly cpu: number | null;
  readonly operations?: number;
  readonly stage?: number;
}

function verdicts(seen: readonly Seen[], knowsCpu = true): (string | null)[] {
  const stillness = new Stillness(knowsCpu);
  return seen.map(({ ms, cpu, operations = 0, stage = STAGE.alone }) =>
    stillness.look({ stage, operations, nowMs: ms, cpuMs: cpu }),
  );
}

const every100ms = (count: number, at: (i: number) => Omit<Seen, 'ms'>): Seen[] =>
  Array.from({ length: count }, (_, i) => ({ ms: i * 100, ...at(i) }));

it('a thread that takes its time and does no operation is in a loop', () => {
  expect(verdicts(every100ms(10, (i) => ({ cpu: 300 + i * 100 }))).at(-1)).toMatch(/a loop/);
});

it('a thread that gets little time on a busy machine is not accused, however long it takes', () => {
  const seen = every100ms(1000, (i) => ({ cpu: i * 0.45 }));
  expect(verdicts(seen).every((said) => said === null)).toBe(true);
});

it('a thread that does operations gets on, whatever time they take', () => {
  const seen = every100ms(500, (i) => ({ cpu: i * 100, operations: Math.floor(i / 4) }));
  expect(verdicts(seen).every((said) => said === null)).toBe(true);
});

it('a thread that takes no time waits for ever', () => {
  expect(verdicts(every100ms(30, () => ({ cpu: 300 }))).at(-1)).toMatch(/it waits/);
  expect(verdicts(every100ms(30, () => ({ cpu: null }))).at(-1)).toMatch(/it waits/);
});

it('a file may wait longer while it is loaded, and not for ever', () => {
  const seen = every100ms(150, () => ({ cpu: 300, stage: STAGE.loading }));
  expect(verdicts(seen)[90]).toBeNull();
  expect(verdicts(seen).at(-1)).toMatch(/it waits/);
});

it('our own modules may take any processor time to load', () => {
  const seen = every100ms(300, (i) => ({ cpu: i * 100, stage: STAGE.starting }));
  expect(verdicts(seen).every((said) => said === null)).toBe(true);
});

it('more operations than any transition has are a loop', () => {
  expect(verdicts([{ ms: 0, cpu: 0, operations: 2 ** 23 }])).toEqual([
    expect.stringMatching(/8388608 operations/),
  ]);
});

it('where Node does not tell the time of a thread, ten times as much wall time stands for it', () => {
  const seen = every100ms(60, () => ({ cpu: null }));
  expect(verdicts(seen, false)[45]).toBeNull();
  expect(verdicts(seen, false).at(-1)).toBe('does not return');
});
