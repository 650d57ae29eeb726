/** Allocations that fail: each of them is a start of its own, and what may be left then. */
import { expect, it } from 'vitest';
import {
  decodeToken,
  exploreProtocol,
  installChanceGuards,
  replayToken,
} from '../../../src/explore/protocol/index.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import {
  childLevel,
  defineProtocol,
  flushIpa,
  LOCKED,
  type Protocol,
} from '../../../src/port/index.ts';
import splitOrKeep from '../../../src/protocols/split-or-keep.ts';

installChanceGuards();

const programs = [
  { early: [{ kind: 'load', page: 0 }], late: [{ kind: 'load', page: 0 }] },
] as const;

/** Breaks the block first; `giveUp` is what it does where there is no memory then. */
function breaksFirst(giveUp: Protocol['run']): Protocol {
  return defineProtocol({
    name: 'breaks-first',
    kind: 'split',
    summary: 'a split',
    origin: 'a test',
    claims: {},
    run(cpu, t, tables) {
      cpu.write(t.entry, LOCKED);
      flushIpa(cpu, t.ipa, t.level);
      tables.put(t.entry);
      const table = tables.tryAllocate(childLevel(t.level));
      if (table === null) return giveUp(cpu, t, tables);
      tables.get(t.entry);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    },
  });
}

it('the block that stays is as good as the table, also put back after a break', () => {
  const back = breaksFirst((cpu, t, tables) => {
    tables.get(t.entry);
    cpu.writeRelease(t.entry, t.old);
    cpu.dsb('ishst');
  });
  for (const protocol of [splitOrKeep, back]) {
    const { verdict, violations } = exploreProtocol({ protocol, programs });
    expect([verdict, violations]).toEqual(['safe', []]);
  }
});

it('a hole is none, nor another block', () => {
  const hole = exploreProtocol({ protocol: breaksFirst(() => {}), programs });
  expect(hole.violations[0]?.why).toMatch(
    /when its first allocation fails: .*entry invalid.*no more/,
  );
  const other = breaksFirst((cpu, t, tables) => {
    tables.get(t.entry);
    cpu.writeRelease(t.entry, t.old ^ (1n << 30n));
  });
  expect(exploreProtocol({ protocol: other, programs }).verdict).toBe('violated');
});

it('without a call that may fail there is no other start', () => {
  const mayNot = breaksFirst(() => {});
  const run: Protocol['run'] = (cpu, t, tables) =>
    mayNot.run(cpu, t, { ...tables, tryAllocate: (level) => tables.allocate(level) });
  expect(exploreProtocol({ protocol: { ...mayNot, run }, programs }).verdict).toBe('safe');
});

it('its token says which allocation failed, and replays', () => {
  const mutant = MUTANTS.find(({ name }) => name === 'oom-leak');
  const protocol = mutant?.seed.kind === 'protocol' ? mutant.seed.protocol : splitOrKeep;
  const { violations } = exploreProtocol({ protocol, mutant: 'oom-leak', programs });
  const token = decodeToken(violations[0]?.token ?? '');
  if (token === null) throw new Error('no token');
  expect(token.failing).toBe(2);
  expect(replayToken(token, protocol, '', {}).violation.rule).toBe('table-leak');
});
