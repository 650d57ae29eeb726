/** `--faults` as a user types it: what is refused, and what it comes to. */
import { expect, it } from 'vitest';
import { explorePlan } from '../../src/request/explore.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { stressOptions } from '../../src/request/stress.ts';
import { planGroups } from '../../src/stress/plan/portfolio.ts';
import { typed } from './program.ts';

const LOCKED = 'explore --protocol bbm-early-locked --faults';
const LATE = 'stress --protocol bbm-late --faults';
const BAD: readonly (readonly [args: string, answer: string])[] = [
  [
    `${LOCKED} bbm-late`,
    '--faults: protocol bbm-late is of kind coalesce; what a fault is served with is',
  ],
  [`${LOCKED} kernel`, '--faults kernel is the handler of a kernel tree: --kernel says which one'],
  [`${LOCKED} kernel:map-hole`, 'kernel:map-hole is of a kernel tree: --kernel says which one'],
  [
    `${LOCKED} map-hole --against map-hole`,
    '--faults does not go with --against: both are the second',
  ],
  [`${LOCKED} map-hole --matrix`, '--faults does not go with --matrix'],
  [`${LOCKED} map-hole --scenario two-vms`, '--faults does not go with --scenario two-vms'],
  [
    `${LOCKED} maphole`,
    '--faults: there is no protocol or mutant "maphole" (did you mean map-hole?)',
  ],
  [
    `${LOCKED} map-hole --kernel ./linux --kernel-tlb nvhe`,
    "--faults does not go with --kernel-tlb nvhe: its flushes begin in the host's context",
  ],
  ['explore --protocol write-protect --faults map-hole', 'is of kind protect; beside another one'],
  ['explore --faults map-hole', '--faults names the second of two protocols: --protocol'],
  [
    'stress --protocol bbm-early-locked --against bbm-early-locked --faults map-hole',
    '--faults does not go with --against: both are the second',
  ],
  [`${LATE} maphole`, '--faults: there is no protocol "maphole" (did you mean map-hole?)'],
  [
    `${LATE} bbm-early`,
    '--faults: protocol bbm-early is of kind coalesce; what a fault is served with',
  ],
  [`${LATE} kernel`, '--faults kernel is the handler of a kernel tree: --kernel says which one'],
  [
    `${LATE} map-hole --scenario relocate`,
    '--faults map-hole does not go with --scenario relocate: it goes',
  ],
  [`${LATE} map-hole --mutant no-tlbi`, '--faults map-hole does not go with --mutant'],
  ['stress --faults map-hole', '--faults map-hole takes --protocol that coalesce or unmap'],
  [
    'stress --protocol split-eager --faults map-hole',
    '--faults map-hole takes --protocol that coalesce or unmap',
  ],
];

it.each(BAD)('%s', async (args, answer) => {
  const seen = await typed(args.split(' '));
  expect(seen.err).toContain(answer);
  expect(seen.err).toMatch(/^stage2-stress: [^\n]+\n$/);
  expect([seen.out, seen.code]).toEqual(['', 2]);
});

it('model is what there is without it', async () => {
  const { searches } = await explorePlan({ protocols: ['bbm-late'], faults: 'model' });
  expect(searches.map(({ subject }) => subject.against)).toEqual([undefined]);
  const options = await stressOptions({ protocols: ['bbm-late'], faults: 'model' }, BUILT_IN);
  expect(options.faults).toBeUndefined();
});

it('serves the faults beside whatever coalesces or unmaps, and nothing else', async () => {
  const protocols = ['bbm-late', 'split-eager', 'unmap-leafwise'];
  const options = await stressOptions({ protocols, faults: 'map-hole' }, BUILT_IN);
  const items = (await planGroups(options)).flatMap((group) => group.items);
  const served = new Map(items.map(({ protocol, item }) => [protocol.name, item.faults]));
  expect(served.get('bbm-late')).toEqual({ from: 'built-in', name: 'map-hole' });
  expect(served.get('unmap-leafwise')).toEqual({ from: 'built-in', name: 'map-hole' });
  expect(served.get('split-eager')).toBeUndefined();
});
