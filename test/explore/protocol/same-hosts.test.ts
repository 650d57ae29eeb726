/** A protocol that does the same on two CPUs is run on the first of them. */
import { expect, test } from 'vitest';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { type ExploreOptions, startExploration } from '../../../src/explore/protocol/index.ts';
import type { ChangeName, Protocol } from '../../../src/port/index.ts';
import unmapLeafwise from '../../../src/protocols/unmap-leafwise.ts';
import { builtin } from './fixtures.ts';

/** And how often it has been run. */
function counted(protocol: Protocol): { readonly protocol: Protocol; readonly runs: () => number } {
  let runs = 0;
  const run: Protocol['run'] = (...given) => {
    runs++;
    return protocol.run(...given);
  };
  return { protocol: { ...protocol, run }, runs: () => runs };
}

/** Of each search in turn: was the protocol run for it? */
function ran(given: Protocol, all: readonly Partial<ExploreOptions>[]): readonly boolean[] {
  const { protocol, runs } = counted(given);
  return all.map((more) => {
    const before = runs();
    const { hosts, bbm } = startExploration({ protocol, ...more });
    expect(hosts.map((host) => host.bbm)).toEqual(hosts.map(() => bbm));
    return runs() > before;
  });
}

const on = (cpu: Partial<CpuModel>): Partial<ExploreOptions> => ({ cpu });

test('it is not run again for another CPU that it does not look at', () => {
  const all = [
    on({ bbm: [0] }),
    on({ bbm: [1] }),
    on({ bbm: [2], nt: 'conflict' }),
    on({ bbm: [0] }),
  ];
  expect(ran(builtin('bbm-early'), all)).toEqual([true, false, false, false]);
});

test('one that looks at the level that it is told is', () => {
  const early = builtin('bbm-early');
  const looks: Protocol = {
    ...early,
    run: (cpu, t, tables) => (t.bbm < 4 ? early.run(cpu, t, tables) : undefined),
  };
  const all = [on({ bbm: [1] }), on({ bbm: [1], multihit: 'old' }), on({ bbm: [2] })];
  expect(ran(looks, all)).toEqual([true, false, true]);
});

test('one that looks there only when it is run again is noticed', () => {
  let runs = 0;
  const early = builtin('bbm-early');
  const late: Protocol = {
    ...early,
    run: (cpu, t, tables) => {
      runs++;
      if (runs > 20 && t.bbm === 2) cpu.write(t.entry, t.wanted);
      else early.run(cpu, t, tables);
    },
  };
  startExploration({ protocol: late, cpu: { bbm: [1] } });
  expect(() => startExploration({ protocol: late, cpu: { bbm: [2] } })).not.toThrow();
  expect(
    startExploration({ protocol: late, cpu: { bbm: [2] } }).hosts[0]?.paths[0]?.trace.length,
  ).toBe(
    startExploration({ protocol: { ...late }, cpu: { bbm: [2] } }).hosts[0]?.paths[0]?.trace.length,
  );
});

test('an object that has become another protocol is one', () => {
  const protocol: { form?: ChangeName } & Omit<Protocol, 'form'> = {
    ...unmapLeafwise,
    form: 'unmap-leaf',
  };
  const formsOf = (): readonly ChangeName[] =>
    startExploration({ protocol }).hosts.map(({ map }) => map.changeName);
  expect(formsOf()).toEqual(['unmap-leaf']);
  protocol.form = 'unmap-table';
  expect(formsOf()).toEqual(['unmap-table']);
});

test('what it is run in tells searches apart', () => {
  const early = builtin('bbm-early');
  const differ: readonly Partial<ExploreOptions>[] = [
    { level: 1 },
    { vcpus: 2 },
    { scenario: 'two-vms' },
    { cpu: { hafdbs: true } },
    { bounds: { operations: 150 } },
  ];
  for (const more of differ) expect(ran(early, [{}, more])).toEqual([true, true]);
  // How long a search may take is no part of it.
  expect(ran(early, [{}, { bounds: { timeMs: 1000 } }])).toEqual([true, false]);
});

test('what a bound has stopped is run again', () => {
  const bounds = { operations: 3 };
  expect(ran(builtin('bbm-early'), [{ bounds }, { bounds }])).toEqual([true, true]);
});

test('another protocol in between is another', () => {
  const [a, b] = [counted(builtin('bbm-early')), counted(builtin('bbm-early'))];
  for (const { protocol, runs } of [a, b, a]) {
    const before = runs();
    startExploration({ protocol });
    expect(runs()).toBeGreaterThan(before);
  }
});
