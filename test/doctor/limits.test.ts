/** From facts to words: each sentence appears for its fact, and for that alone. */
import { describe, expect, test } from 'vitest';
import { limitsOf, memoryOf, obstacles, speedupOf } from '../../src/doctor/limits.ts';
import type { DoctorFacts } from '../../src/result/doctor.ts';
import { but, GOOD } from './facts.ts';

const always = limitsOf(GOOD, 'arm64');

test('a good Arm machine: only what is simulated', () => {
  expect(obstacles(GOOD)).toEqual([]);
  expect(always).toEqual([expect.stringContaining('both are simulated')]);
});

test('x86 keeps stores in order', () => {
  expect(limitsOf(GOOD, 'x64')[0]).toContain('Use --reorder');
});

const { ordering } = GOOD;
if (ordering === null) throw new Error('the good machine has two cores');

describe('one more sentence', () => {
  test.each<[string, DoctorFacts]>([
    ['Any race at all', { ...GOOD, ordering: null }],
    ['entry-unfenced', but('ordering', { storeBuffering: { seen: 0, trials: 9 } })],
    ['this build is broken', but('ordering', { storeBufferingAtomics: { seen: 1, trials: 9 } })],
    ['plain moves tear', but('ordering', { torn: { seen: 1, trials: 9 } })],
    ['not even two halves', but('ordering', { tornHalves: { seen: 0, trials: 9 } })],
    ['2 CPUs hold the hypervisor and one vCPU', but('cores', { usable: 2 })],
    ['2.5 CPUs hold', but('cores', { usable: 2.5 })],
    ['grants 3.5 CPUs', but('cores', { quota: 3.5 })],
    ['CPUs 0+1, 2+3 are hyperthreads', but('cores', { siblings: [[0, 1], [2, 3]] })], // prettier-ignore
    ['pinning does not work (taskset', but('pins', { verified: [], failed: [0, 1] })],
    ['pinning does not work (no /proc)', but('pins', { verified: [], why: 'no /proc' })],
    ['3.2 threads wanted to run', but('cores', { load: 3.2 })],
    ['Preemption by the host', but('cores', { virtual: true, stolen: null })],
    ['Windows below 4000 ns', but('clock', { stepNs: 4000 })],
    ['Windows below 1800 ns', but('clock', { readNs: 900 })],
    ['only 2.0 times as fast', but('tiers', { interpretedNs: 10 })],
    ['Whether the vCPU loop is compiled: bad option', but('tiers', { interpretedNs: null, why: 'bad option' })], // prettier-ignore
  ])('%s', (text, facts) => {
    const limits = limitsOf(facts, 'arm64');
    expect(limits).toHaveLength(always.length + 1);
    expect(limits.join('\n')).toContain(text);
  });

  test('a host that steals a tenth of the time costs the tails', () => {
    const limits = limitsOf(but('cores', { virtual: true, stolen: 0.1 }), 'arm64');
    expect(limits.join('\n')).toContain('10.0 % while the doctor ran');
    expect(limits.join('\n')).toContain('p99 and max');
  });

  test('a quota above the machine is none', () => {
    expect(limitsOf(but('cores', { quota: 8 }), 'arm64')).toEqual(always);
  });
});

describe('what stops stress', () => {
  test.each<[string, DoctorFacts]>([
    ['1 CPU can be used', but('cores', { usable: 1 })],
    ['1.5 CPUs can be used', but('cores', { usable: 1.5 })],
    ['use explore and litmus', but('cores', { usable: 1 })],
    ['the engine failed: no threads', { ...GOOD, collections: { failed: 'no threads' } }],
    ['100 MiB of memory', but('memory', { limitBytes: 100 * 2 ** 20 })],
    ['100 MiB of memory', but('memory', { availableBytes: 100 * 2 ** 20 })],
  ])('%s', (text, facts) => {
    expect(obstacles(facts)).toEqual([expect.stringContaining(text)]);
  });

  test('two CPUs are enough', () => {
    expect(obstacles(but('cores', { usable: 2 }))).toEqual([]);
  });
});

test('memory to be had is the least of the machine and the control group', () => {
  const memory = { ...GOOD.memory, availableBytes: 5 };
  expect(memoryOf(memory)).toBe(5);
  expect(memoryOf({ ...memory, limitBytes: 3 })).toBe(3);
  expect(memoryOf({ ...memory, limitBytes: 7 })).toBe(5);
});

test('speedup: interpreted to compiled, or unknown', () => {
  expect(speedupOf(GOOD.tiers)).toBe(50);
  expect(speedupOf({ ...GOOD.tiers, optimisedNs: null })).toBeNull();
});
