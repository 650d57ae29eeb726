/** Faults of vCPUs in the window of a coalesce, served by a protocol of their own. */
import path from 'node:path';
import { expect, test } from 'vitest';
import { noCompiler } from '../../native/compiled.ts';
import { TREE } from '../../kernel/trees.ts';
import { scenarioOfKind } from '../../../src/scenarios/index.ts';
import { balanceOf, CLEAN, rowsOf, rulesServed } from './groups.ts';

const WALKING = path.join(import.meta.dirname, 'fixtures/map-walking.ts');
const CHOICE = { scenario: 'adjust-populated', vcpus: 2, rounds: 4, transitions: 32 };

test.each([
  ['bbm-early-locked', 'map-hole', 'map-hole'],
  ['bbm-late', WALKING, 'map-walking'],
  ['bbm-late', 'map-hole', 'map-hole'],
])('%s loses nothing, and the row says how often', async (name, faults, called) => {
  const [run] = await rowsOf([name], { ...CHOICE, faults });
  expect(run && balanceOf(run)).toEqual(CLEAN);
  // As many as the host makes: what is served is none of the protocol's transitions.
  expect(run?.transitions).toBe(CHOICE.rounds * CHOICE.transitions);
  expect([0, null]).toContain(run?.faults.genuine);
  expect(run?.notes.join()).toMatch(new RegExp(`${called} served (?:\\d+ of the faults|no fault)`));
});

test('what was unmapped is mapped by it again, and counted as what was really gone', async () => {
  const choice = { scenario: scenarioOfKind('unmap'), vcpus: 2, rounds: 4, transitions: 8 };
  for (const faults of ['map-hole', WALKING]) {
    const [run] = await rowsOf(['unmap-leafwise'], { ...choice, faults });
    expect(run && balanceOf(run)).toEqual(CLEAN);
    expect(run?.transitions).toBe(choice.rounds * choice.transitions);
  }
});

test('one that takes what the host has LOCKED is convicted', async () => {
  const taken = { from: 'mutant', name: 'locked-taken', explored: true } as const;
  const rules = await rulesServed('bbm-early-locked', taken, 2000, 'refcount');
  expect(rules).toContain('refcount');
});

test.skipIf(noCompiler !== null)(
  'functions of a kernel tree, one by the host, one by vCPUs',
  async () => {
    const faults = path.join(TREE, 'kernel:map-hole-shared');
    const [run] = await rowsOf([path.join(TREE, 'kernel:map-shared')], { ...CHOICE, faults });
    expect(run && balanceOf(run)).toEqual(CLEAN);
  },
);
