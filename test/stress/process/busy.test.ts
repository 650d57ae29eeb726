/** The one sentence about a machine that others use too. */
import { describe, expect, it } from 'vitest';
import { busySentence, watchOthers, whyDisturbed } from '../../../src/stress/process/busy.ts';

const quiet = { share: 0.02, load1: 0.8, cpus: 2 };
const busy = { share: 0.71, load1: 12.34, cpus: 2 };
const once = { made: 1, wanted: 1 };
const row = (rounds: number, roundsDropped: number, scheduling: 'parallel' | 'scheduled') => ({
  rounds,
  roundsDropped,
  scheduling,
});

describe('busySentence', () => {
  it('is none of a quiet machine, where vCPUs that take turns are preempted all the same', () => {
    expect(busySentence(quiet, [row(100, 3, 'parallel')], once)).toBeNull();
    expect(busySentence(quiet, [row(100, 100, 'scheduled')], once)).toBeNull();
    expect(busySentence(quiet, [], once)).toBeNull();
  });

  it('says load, what others had, and the share of rounds with a preemption', () => {
    expect(busySentence(busy, [row(60, 30, 'parallel'), row(40, 35, 'parallel')], once)).toBe(
      'the machine was busy: load 12.3 on 2 CPUs, other programs had 71 % of their time, ' +
        'a thread lost its CPU in 65 % of rounds',
    );
  });

  it('is told by preemptions alone, as in a container that sees no other programs', () => {
    expect(busySentence(quiet, [row(100, 70, 'parallel')], once)).toContain('busy');
  });

  it('says how many starts were left out', () => {
    const some = busySentence(busy, [row(10, 10, 'parallel')], { made: 1, wanted: 4 });
    expect(some).toContain('each configuration was started once instead of 4 times');
    // On a slow machine, too, and there nobody is called busy.
    expect(busySentence(quiet, [row(10, 1, 'parallel')], { made: 2, wanted: 4 })).toBe(
      'threads start slowly here: each configuration was started 2 times instead of 4 times',
    );
  });
});

it('others have a share of the time between 0 and 1', () => {
  const { share, cpus } = watchOthers()();
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
  expect(cpus).toBeGreaterThan(0);
});

describe('figures of a row', () => {
  const few = { rounds: 100, dropped: 5, threadsKept: false };
  const many = { rounds: 100, dropped: 80, threadsKept: false };

  it('are measured while others leave the CPUs alone, however often own threads meet', () => {
    expect(whyDisturbed({ ...many, othersShare: 0.15 })).toBeNull();
    expect(whyDisturbed({ ...few, rounds: 0, dropped: 0, othersShare: 0.9 })).toBeNull();
  });

  it('are measured while no thread loses its CPU, however much others do elsewhere', () => {
    expect(whyDisturbed({ ...few, othersShare: 0.6 })).toBeNull();
  });

  it('are not where others took CPUs away, which is said', () => {
    expect(whyDisturbed({ ...many, othersShare: 0.6 })).toBe(
      'other programs had 60 % of the CPUs, and a thread lost its CPU in 80 of 100 rounds',
    );
  });

  it('nor are they in threads of another group, however quiet it has become', () => {
    const kept = { ...few, dropped: 0, othersShare: 0, threadsKept: true };
    expect(whyDisturbed(kept)).toMatch(/in the threads of another group$/);
    expect(whyDisturbed({ ...many, threadsKept: true, othersShare: 0.6 })).toMatch(/^other.* 60 %/);
  });
});
