/** Protocols of the kinds that change no size, on real threads, each in the scenario of its kind. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { changeNamed, changesOf } from '../../../src/port/kinds.ts';
import { OTHER_PROTOCOLS } from '../../../src/protocols/index.ts';
import { scenarioOfKind } from '../../../src/scenarios/index.ts';
import { balanceOf, CLEAN, rowsOf, rulesOfKind } from './groups.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../../examples/kinds');

describe.each(OTHER_PROTOCOLS)('$name', (protocol) => {
  const scenario = scenarioOfKind(protocol.kind);

  test.each([
    [1, 6],
    [3, 3],
  ])('loses nothing with %i vCPUs', async (vcpus, rounds) => {
    const [run] = await rowsOf([protocol.name], { scenario, vcpus, rounds, transitions: 8 });
    expect(run && balanceOf(run)).toEqual(CLEAN);
    // What vCPUs make comes as often as they fault.
    const isByHost = changesOf(protocol).every((name) => changeNamed(name).by === undefined);
    expect(run?.transitions).toBeGreaterThanOrEqual(isByHost ? rounds * 8 : 1);
  });
});

test.each(['unmap', 'map', 'protect', 'relocate'] as const)(
  'the example of %s, as a user names it',
  async (kind) => {
    const file = path.join(EXAMPLES, `${kind}.ts`);
    const [run] = await rowsOf([file], {
      ...{ scenario: scenarioOfKind(kind), vcpus: 2, rounds: 3, transitions: 8 },
    });
    expect(run && balanceOf(run)).toEqual(CLEAN);
  },
);

test('with granule 64k, and at level 1', async () => {
  const scenario = scenarioOfKind('unmap');
  const file = path.join(EXAMPLES, 'unmap.ts');
  for (const choice of [{ granule: '64k' }, { level: 1 }] as const) {
    const [run] = await rowsOf([file], { scenario, rounds: 1, transitions: 2, ...choice });
    expect(run && balanceOf(run)).toEqual(CLEAN);
  }
});

describe('a seeded bug as a protocol of its kind', () => {
  test.each([
    ['unmap-hinted', 'freed-table', 600],
    ['protect-unflushed', 'lost-dirty', 600],
    // The store is seen as it is made, before anybody compares what was sent.
    ['protect-without-dsb', 'stale-translation', 2000],
    ['relax-unflushed', 'progress', 300],
    ['nt-relocated', 'lost-access', 2000],
    ['locked-taken', 'refcount', 2000],
  ] as const)('%s is seen to break %s', async (name, rule, rounds) => {
    expect(await rulesOfKind(name, rounds, rule)).toContain(rule);
  });
});
