/** Which scenario protocols of a kind run in, and with whom they share a group of threads. */
import { expect, test } from 'vitest';
import { stressOptions } from '../../../src/request/stress.ts';
import { BUILT_IN } from '../../../src/request/registry.ts';
import { planGroups } from '../../../src/stress/plan/portfolio.ts';

async function groupsOf(request: Parameters<typeof stressOptions>[0]): Promise<unknown> {
  const groups = await planGroups(await stressOptions({ vcpus: [1], ...request }, BUILT_IN));
  return groups.map(({ scenario, items }) => [scenario, ...items.map((i) => i.protocol.name)]);
}

test('a protocol of a kind runs in the scenario of its kind, those that change sizes where they did', async () => {
  const protocols = ['bbm-early', 'unmap-leafwise', 'map-hole', 'relax-local', 'relocate-break'];
  expect(await groupsOf({ protocols })).toEqual([
    ['adjust-populated', 'bbm-early'],
    ['unmap-under-walk', 'unmap-leafwise'],
    ['parallel-faults', 'map-hole'],
    ['permission-ping-pong', 'relax-local'],
    ['relocate', 'relocate-break'],
  ]);
});

test('in a scenario that is named it has threads of its own', async () => {
  const scenarios = ['unmap-under-walk'];
  expect(await groupsOf({ scenarios, protocols: ['bbm-early', 'unmap-leafwise'] })).toEqual([
    ['unmap-under-walk', 'bbm-early'],
    ['unmap-under-walk', 'unmap-leafwise'],
  ]);
});

test('nobody asks for it by asking for all, or for nothing', async () => {
  for (const request of [{ protocols: ['all'] }, {}, { scenarios: ['unmap-under-walk'] }]) {
    expect(JSON.stringify(await groupsOf(request))).not.toContain('unmap-leafwise');
  }
});
