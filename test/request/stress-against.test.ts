/** `stress --against`: what is refused, what is left out of all, and what is planned of the rest. */
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { BUILT_IN } from '../../src/request/registry.ts';
import { type StressRequest, stressOptions } from '../../src/request/stress.ts';
import { protocolFiles } from '../../src/stress/plan/plan.ts';
import { parallelVcpus, planGroups, requestOf } from '../../src/stress/plan/portfolio.ts';

const LOCKED = 'bbm-early-locked';
const SPLIT = path.resolve(import.meta.dirname, '../stress/fixtures/beside/split-locked.ts');

const beside = (against: string, more: StressRequest = {}): ReturnType<typeof stressOptions> =>
  stressOptions({ protocols: [LOCKED], against, seed: 1, vcpus: [1], ...more }, BUILT_IN);

describe('is refused', () => {
  it.each<[against: string, more: StressRequest, why: string]>([
    [LOCKED, { protocols: [] }, 'against names the second of two protocols: protocols or mutants'],
    ['bbm-late', {}, 'against bbm-late: protocol bbm-late holds the lock exclusively'],
    [LOCKED, { protocols: ['bbm-late'] }, `against ${LOCKED}: protocol bbm-late holds the lock`],
    ['map-hole', {}, 'protocol map-hole is of kind map; beside another one stress runs coalesce'],
    [
      SPLIT,
      {},
      'split-locked is of kind split, and bbm-early-locked of kind coalesce; stress runs',
    ],
    ['split-halves', {}, 'against: split-halves is a bug of the machine, which both hypervisors'],
    [
      'bbm-erly',
      {},
      'against: there is no protocol or mutant "bbm-erly" (did you mean bbm-early?)',
    ],
    [LOCKED, { scenarios: ['two-vms'] }, 'against does not go with scenarios two-vms: two'],
    [LOCKED, { scenarios: ['unmap-under-walk'] }, 'in adjust-populated and adjust-half'],
    [LOCKED, { protocols: [], mutants: ['split-halves'] }, 'holds the lock exclusively'],
    ['./nothing.ts', {}, './nothing.ts: there is no such file'],
  ])('%s with %j', async (against, more, why) => {
    await expect(beside(against, more)).rejects.toThrow(why);
  });
});

it('of all protocols leaves out those that cannot be beside another', async () => {
  const { protocols } = await beside(LOCKED, { protocols: ['all'] });
  expect(protocols.map(({ name }) => name)).toEqual([LOCKED, 'bbm-early-range']);
});

it('of all mutants, too', async () => {
  const { mutants } = await beside(LOCKED, { protocols: [], mutants: ['all'] });
  expect(mutants).toContain('lost-race-ignored');
  expect(mutants).not.toContain('no-tlbi');
});

it('is a thread more in the plan, and in the name of its groups', async () => {
  const options = await beside('lost-race-ignored', { vcpus: [64] });
  const [group] = await planGroups(options);
  expect(group?.label).toBe('adjust-populated, level 2, 64 vCPUs, against lost-race-ignored');
  if (group === undefined) throw new Error('no group is planned');
  const { against, tokens } = requestOf(group, options, 1, null, null);
  expect(against).toEqual({ from: 'mutant', name: 'lost-race-ignored' });
  expect(tokens).toBe(Math.min(64, parallelVcpus(2)));
});

it('is a file of the campaign where it comes from one, once', async () => {
  const request = { protocols: [SPLIT], against: SPLIT, seed: 1 };
  const options = await stressOptions(request, BUILT_IN);
  expect(protocolFiles(options).map((file) => file.path)).toEqual([SPLIT]);
  const { protocols } = options;
  expect(
    protocolFiles({ protocols: [], against: { from: 'file', name: 'x', path: SPLIT } }),
  ).toHaveLength(1);
  expect(protocolFiles({ protocols })).toHaveLength(1);
});
