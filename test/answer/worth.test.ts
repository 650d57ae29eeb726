import { describe, expect, test } from 'vitest';
import { ownAnswer } from '../../src/answer/own.ts';
import { blocksOf, shareLost, worthOf } from '../../src/answer/worth.ts';

const MIB = 2 ** 20;
const GIB = 2 ** 30;

test('blocks of a guest', () => {
  expect(blocksOf({ gib: 64, vcpus: 1 }, 2 * MIB)).toBe(32_768);
  expect(blocksOf({ gib: 64, vcpus: 1 }, GIB)).toBe(64);
  expect(blocksOf({ gib: 1, vcpus: 1 }, 512 * GIB)).toBe(1);
});

describe('what a loss per block comes to', () => {
  test('per cancel, and how many cost 1 %', () => {
    const guest = { gib: 20, vcpus: 4 };
    // 20 blocks of 9 ms: 0.18 s of the 4 h that 4 vCPUs have in an hour.
    const { perCancelNs, cancelsForOnePercent } = worthOf(9e6, GIB, guest);
    expect(perCancelNs).toBe(0.18e9);
    expect(cancelsForOnePercent).toBeCloseTo(800, 9);
    expect(shareLost(perCancelNs, 800, guest)).toBeCloseTo(0.01, 12);
  });

  test('nothing lost: no number of them does', () => {
    expect(worthOf(0, GIB, { gib: 1, vcpus: 1 }).cancelsForOnePercent).toBe(Infinity);
  });
});

describe('with figures of one’s own', () => {
  const own = { windowNs: 1000, rate: 1e6, exitNs: 0, cancels: 3, blockBytes: 2 * MIB };
  const guest = { gib: 1, vcpus: 2 };

  test('faults, waiting, and their sums', () => {
    const answer = ownAnswer({ ...own, guest });
    expect(answer.blocks).toBe(512);
    expect(answer.hitShare).toBeCloseTo(1 - Math.exp(-2), 12);
    expect(answer.faults).toBeCloseTo(2 * (1 - Math.exp(-1)), 12);
    expect(answer.lostNs).toBeCloseTo(2 * 1000 * Math.exp(-1), 9);
    expect(answer.perCancelNs).toBeCloseTo(512 * answer.lostNs, 6);
    expect(answer.perHourNs).toBeCloseTo(3 * answer.perCancelNs, 6);
    expect(answer.shareLost).toBeCloseTo(answer.perHourNs / (2 * 3600e9), 15);
  });

  test('an exit is paid once per fault', () => {
    const free = ownAnswer({ ...own, guest });
    const dear = ownAnswer({ ...own, exitNs: 5000, guest });
    expect(dear.lostNs - free.lostNs).toBeCloseTo(5000 * free.faults, 6);
  });

  test('the published 1 GiB clean: every vCPU faults and waits for nearly all of it', () => {
    const answer = ownAnswer({ ...own, windowNs: 0.13e9, blockBytes: GIB, guest: { gib: 20, vcpus: 20 } }); // prettier-ignore
    expect(answer.faults).toBeCloseTo(20, 9);
    expect(answer.perCancelNs / 1e9).toBeCloseTo(20 * 20 * 0.13, 3);
  });
});
