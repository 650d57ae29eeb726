/** A protocol that is an object of the caller's is explored as it is when it is asked about. */
import { expect, test } from 'vitest';
import { runExploration } from '../../src/exploration/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import { explorePlan } from '../../src/request/explore.ts';
import type { ExploreRun } from '../../src/result/explore.ts';

async function explored(protocol: Protocol): Promise<ExploreRun> {
  const plan = await explorePlan({ protocols: [protocol], vcpus: [1] });
  const { runs } = await runExploration(plan, {
    signal: new AbortController().signal,
    argv: [],
    onProgress: () => {},
    onRun: () => {},
    onFailure: () => {},
  });
  expect(runs).toHaveLength(1);
  return runs[0] as ExploreRun;
}

/** `entriesMin`: does nothing of what it should in tables with so many entries. */
function idleFrom(entriesMin: { value: number }): Protocol {
  const run: Protocol['run'] = (cpu, t, tables) => {
    if (tables.entries < entriesMin.value) bbmEarly.run(cpu, t, tables);
    else cpu.write(t.entry, t.wanted);
  };
  return { ...bbmEarly, name: 'idle', run };
}

test('what it does in the tables of a search', async () => {
  const entriesMin = { value: Infinity };
  const protocol = idleFrom(entriesMin);
  expect((await explored(protocol)).verdict).toBe('safe');
  entriesMin.value = 0;
  expect((await explored(protocol)).verdict).toBe('violated');
  entriesMin.value = Infinity;
  expect((await explored(protocol)).verdict).toBe('safe');
});

test('what it does in the real granules', async () => {
  const entriesMin = { value: Infinity };
  const protocol = idleFrom(entriesMin);
  expect((await explored(protocol)).verdict).toBe('safe');
  entriesMin.value = 512;
  const { verdict, violation } = await explored(protocol);
  expect([verdict, violation?.by]).toEqual(['violated', 'operations']);
  entriesMin.value = Infinity;
  expect((await explored(protocol)).verdict).toBe('safe');
});
