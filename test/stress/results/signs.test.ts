import { expect, test } from 'vitest';
import { createArena } from '../../../src/machine/arena.ts';
import { createRecorder, EVIDENCE } from '../../../src/machine/recorder.ts';
import { RULES } from '../../../src/result/rule.ts';
import { ROW } from '../../../src/stress/results/results-area.ts';
import { countedSigns, recordedSigns, signsOf } from '../../../src/stress/results/signs.ts';

test('every rule but those of the operations can be seen while it happens', () => {
  const unseen = RULES.filter((rule) => signsOf([rule]).length === 0);
  expect(unseen).toEqual(['break-before-make']);
  expect(signsOf(['stale-translation', 'wrong-output-address'])).toEqual(['version', 'address']);
});

test('evidence is counted over all threads, for one plan item and the kinds asked for', () => {
  const arena = createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 2, transitionsMax: 4 });
  createRecorder(arena, 0).evidence(EVIDENCE.freed, 1, 0, 0, 0, 0, 0);
  for (const thread of [1, 2]) {
    const recorder = createRecorder(arena, thread);
    // More than are kept.
    for (let i = 0; i < 9; i++) recorder.evidence(EVIDENCE.version, 1, 2, 3, 4, 0, 3);
  }
  expect(recordedSigns(arena, 0, ['version'])).toBe(18);
  expect(recordedSigns(arena, 0, ['version', 'freed'])).toBe(19);
  expect(recordedSigns(arena, 0, ['torn'])).toBe(0);
  expect(recordedSigns(arena, 1, ['version'])).toBe(0);
  expect(recordedSigns(arena, 0, ['leak', 'imbalance'])).toBe(0);
});

test('counts of a round are signs where they do not balance, or where a fault is one', () => {
  const rows = new Float64Array(2 * ROW.fields);
  const at = ROW.fields;
  rows[at + ROW.issued] = 100;
  rows[at + ROW.completed] = 97;
  rows[at + ROW.inFlight] = 2;
  rows[at + ROW.spurious] = 5;
  expect(countedSigns(rows, at, ['imbalance'])).toBe(1);
  expect(countedSigns(rows, at, ['spurious'])).toBe(5);
  expect(countedSigns(rows, at, ['version'])).toBe(0);
  expect(countedSigns(rows, 0, ['imbalance', 'spurious'])).toBe(0);
  rows[at + ROW.completed] = 99;
  expect(countedSigns(rows, at, ['imbalance'])).toBe(1);
});
