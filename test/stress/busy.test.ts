/** The one sentence about a machine that others use too. */
import { describe, expect, it } from 'vitest';
import { busySentence, watchOthers } from '../../src/stress/busy.ts';

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
    expect(busySentence(quiet, [row(100, 40, 'parallel')], once)).toContain('busy');
  });

  it('says how many starts were left out', () => {
    const some = busySentence(busy, [row(10, 10, 'parallel')], { made: 1, wanted: 4 });
    expect(some).toContain('each configuration was started once instead of 4 times');
  });
});

it('others have a share of the time between 0 and 1', () => {
  const { share, cpus } = watchOthers()();
  expect(share).toBeGreaterThanOrEqual(0);
  expect(share).toBeLessThanOrEqual(1);
  expect(cpus).toBeGreaterThan(0);
});
