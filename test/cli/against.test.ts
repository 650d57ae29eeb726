/** `explore --against` as a user runs it: what is refused, what is printed, and the schedule again. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import type { ExploreResult } from '../../src/result/explore.ts';
import { emptyFolder, typed } from './program.ts';

const FIRST = 'explore --protocol bbm-early-locked --against';
const BAD: readonly (readonly [args: string, answer: string])[] = [
  ['explore --against bbm-early-locked', '--against names the second of two protocols: --protocol'],
  [`${FIRST} bbm-late`, '--against bbm-late: protocol bbm-late holds the lock exclusively'],
  [
    `${FIRST} bbm-erly-locked`,
    '--against: there is no protocol or mutant "bbm-erly-locked" (did you',
  ],
  [
    'explore --protocol map-hole --against bbm-early-locked',
    'bbm-early-locked begins where the entry holds a table; beside map-hole it',
  ],
  [`${FIRST} relax-local`, 'protocol relax-local is of kind protect; beside another one coalesce'],
  [
    `${FIRST} split-halves`,
    '--against: split-halves is a bug of the machine, which explore does not',
  ],
  [`${FIRST} bbm-early-range --matrix`, '--against does not go with --matrix'],
  [`${FIRST} bbm-early-range --ablate`, '--against does not go with --ablate'],
  [`${FIRST} bbm-early-range --scenario two-vms`, '--against does not go with --scenario two-vms'],
  [`${FIRST} ./nothing.ts`, './nothing.ts: there is no such file'],
];

describe('--against', () => {
  it.each(BAD)('%s', async (args, answer) => {
    const seen = await typed(args.split(' '));
    expect(seen.err).toContain(answer);
    expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
    expect([seen.out, seen.code]).toEqual(['', 2]);
  });

  it('of all protocols leaves out those that cannot be beside another', async () => {
    const folder = emptyFolder();
    const args = '--protocol all --against bbm-early-locked --accesses 1 --quiet --json x.json';
    const seen = await typed(['explore', ...args.split(' ')], folder);
    expect(seen.code).toBe(0);
    const { runs } = resultIn(folder);
    const said = runs.map(({ protocol, against, verdict }) => [protocol, against, verdict]);
    expect(said).toEqual([
      ['bbm-early-locked', 'bbm-early-locked', 'safe'],
      ['bbm-early-range', 'bbm-early-locked', 'safe'],
    ]);
  });

  it('names both hypervisors, and replay shows the schedule again', async () => {
    const folder = emptyFolder();
    const args = '--protocol map-hole --against locked-taken --accesses 1 --json x.json';
    const seen = await typed(['explore', ...args.split(' ')], folder);
    expect(seen.code).toBe(1);
    expect(seen.out).toContain('map-hole, against locked-taken, level 2');
    expect(seen.out).toContain('a vCPU serves its fault by map-hole, a 2nd one by locked-taken');
    const [run] = resultIn(folder).runs;
    const { token = null, rule } = run?.violation ?? {};
    const again = await typed(['replay', token ?? '']);
    expect(again.code).toBe(1);
    expect(again.out).toContain('map-hole, against locked-taken, level 2');
    expect(again.out).toContain(`VIOLATION ${rule}`);
  });

  it('is null where nobody asked for it', async () => {
    const folder = emptyFolder();
    const args = '--protocol bbm-late --accesses 1 --quiet --json x.json';
    await typed(['explore', ...args.split(' ')], folder);
    expect(resultIn(folder).runs.map(({ against }) => against)).toEqual([null]);
  });
});

function resultIn(folder: string): ExploreResult {
  return JSON.parse(readFileSync(path.join(folder, 'x.json'), 'utf8')) as ExploreResult;
}
