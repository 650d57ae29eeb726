/** What the table of `--ablate` says of a protocol that is right, and of one that is wrong already. */
import { expect, test } from 'vitest';
import { typed } from './program.ts';

const MINUTES = { timeout: 180_000 };

/** Spaces are the table's. */
async function ablated(...args: readonly string[]): Promise<string> {
  const { out } = await typed(['explore', '--ablate', ...args]);
  return out.replaceAll(/\s+/g, ' ');
}

test('what the books alone say does not hide what is wrong with the entry', MINUTES, async () => {
  const out = await ablated('--protocol', 'bbm-early', '--cpu', 'bbm=1');
  expect(out).toContain('stlr block left out needed: without it break-before-make, refcount,');
  expect(out).toContain(
    'tlbi vmalls12e1is left out needed: without it stale-translation, freed-table',
  );
  expect(out).not.toContain('as it is it breaks');
});

test('of one that is wrong it is said first', MINUTES, async () => {
  const out = await ablated(
    '--sequence',
    'str 0; dsb ish; tlbi vmalls12e1is; str block',
    '--cpu',
    'bbm=1',
  );
  expect(out).toMatch(
    /as it is it breaks [a-z, -]*break-before-make[a-z, -]*; needed: without the step/,
  );
  // What the DSB is for is broken with it as well: no other barrier does its part.
  expect(out).toContain('as dsb ishst cannot be told: what it is for is broken already');
  expect(out).not.toContain('not needed on any');
});

test('each rule is told with the CPUs on which it is broken', MINUTES, async () => {
  const all = await ablated('--protocol', 'rfc-nt-intended');
  expect(all).toContain(
    'stale-translation, freed-table, on every CPU; tlb-conflict, on bbm=1 and bbm=2',
  );
  const one = await ablated('--protocol', 'rfc-nt-intended', '--cpu', 'bbm=2');
  expect(one).toContain('stale-translation, freed-table, tlb-conflict, on bbm=2');
  expect(one).not.toContain('every CPU');
});

test('CPUs that differ in nT alone are told apart', MINUTES, async () => {
  const out = await ablated('--protocol', 'nt-spec', '--matrix');
  expect(out).toContain('on bbm=1 nt=translate, bbm=1 nt=conflict, bbm=1 nt=fault');
});
