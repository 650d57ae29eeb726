import { expect, test } from 'vitest';
import { reportProblems } from '../../src/selftest/report-quality.ts';
import type { Violation, ViolationEvent } from '../../src/result/stress.ts';

const event = (thread: string): ViolationEvent => ({
  thread,
  generation: 1,
  sequence: 1,
  text: 'write entry',
});

function aViolation(overrides: Partial<Violation> = {}): Violation {
  return {
    rule: 'stale-translation',
    why: 'vCPU 0 used a translation of version 3',
    vcpu: 0,
    ipa: '0x1000',
    round: 2,
    count: 1,
    events: [event('hypervisor'), event('vcpu 0')],
    exploreCommand: 'npm run explore -- --protocol bbm-early',
    ...overrides,
  };
}

const takesAll = (): Promise<null> => Promise.resolve(null);

test('a complete report has no problem', async () => {
  expect(await reportProblems(aViolation(), takesAll)).toEqual([]);
});

test.each([
  ['no reason', { why: ' ' }, 'it does not say why'],
  ['no event of its vCPU', { events: [event('hypervisor')] }, 'no event of vcpu 0'],
  ['another vCPU', { vcpu: 1 }, 'no event of vcpu 1'],
  ['nothing at all of the threads', { events: [] }, 'no event of hypervisor and vcpu 0'],
  ['no next step', { exploreCommand: '' }, 'no explore command'],
  [
    'the order of operations without an event',
    { rule: 'break-before-make', vcpu: null, events: [] },
    'no event of hypervisor',
  ],
] as const)('%s', async (_, overrides, problem) => {
  expect(await reportProblems(aViolation(overrides), takesAll)).toEqual([problem]);
});

test('a command that explore refuses', async () => {
  const problems = await reportProblems(aViolation(), () => Promise.resolve('no such protocol'));
  expect(problems).toEqual([
    '"npm run explore -- --protocol bbm-early" is refused: no such protocol',
  ]);
});

test('before its first transition the hypervisor has nothing to show', async () => {
  const early = { round: 1, events: [event('vcpu 0')] };
  expect(await reportProblems(aViolation(early), takesAll)).toEqual([]);
});

test('sums and audits concern no thread', async () => {
  for (const rule of ['table-leak', 'refcount', 'lost-access', 'claim'] as const) {
    expect(await reportProblems(aViolation({ rule, vcpu: null, events: [] }), takesAll)).toEqual(
      [],
    );
  }
});
