/**
 * Tables of four entries: what goes wrong behind the second page is shown by a schedule, and everything
 * else is as it is with two.
 */
import { expect, it } from 'vitest';
import { decodeToken, exploreProtocol, replayToken } from '../../../src/explore/protocol/index.ts';
import { variantOn, variantsOn } from '../../../src/exploration/ablate.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import { defineProtocol, EMPTY, isTable, type Protocol } from '../../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../../src/protocols/index.ts';
import { parseCpu } from '../../../src/request/cpu-knobs.ts';
import { builtin, differingIn, shownRules } from './fixtures.ts';

/** Clears every page of a table, and of what TLBs hold of stage 2 flushes the first two alone. */
const HALF_FLUSHED = defineProtocol({
  name: 'half-flushed',
  kind: 'unmap',
  summary: 'unmap page by page, and flush two of them',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    if (!isTable(t.old, t.level)) return builtin('unmap-leafwise').run(cpu, t, tables);
    const child = tables.follow(t.old);
    const page = t.size / tables.entries;
    for (let index = 0; index < tables.entries; index++) {
      cpu.write(tables.entryOf(child, index), EMPTY);
    }
    cpu.dsb('ishst');
    for (const index of [0, 1]) cpu.tlbi({ kind: 'ipas2e1is', ipa: t.ipa + index * page });
    cpu.dsb('ish');
    cpu.tlbi({ kind: 'vmalle1is' });
    cpu.dsb('ish');
    cpu.isb();
  },
});

it.each(['bbm=0', 'bbm=2,multihit=amalgamate'])('protocols are what they are, %s', (knobs) => {
  expect(differingIn({ granule: 'tiny4' }, ALL_PROTOCOLS, parseCpu(knobs))).toEqual([]);
});

it('seeded bugs are found as with two', () => {
  const seeded = MUTANTS.flatMap(({ seed }) => (seed.kind === 'protocol' ? [seed.protocol] : []));
  expect(seeded.length).toBeGreaterThan(50);
  expect(differingIn({ granule: 'tiny4' }, seeded)).toEqual([]);
}, 120_000);

it('a page behind the second is reached', () => {
  const asked = { protocol: HALF_FLUSHED, kinds: ['load'], realGranules: false } as const;
  expect(shownRules(exploreProtocol(asked))).toEqual([]);
  const run = exploreProtocol({ ...asked, granule: 'tiny4' });
  expect(shownRules(run)).toEqual(['stale-translation']);
  expect(run.violation?.why).toContain('load of page 2 by vcpu 0');
  expect(run.granule).toBe('tiny4');
  expect(run.bounds.programs).toBe(4 * (1 + 4));
});

it('a token says so, and is followed', () => {
  const { violation } = exploreProtocol({
    protocol: HALF_FLUSHED,
    kinds: ['load'],
    granule: 'tiny4',
    realGranules: false,
  });
  const token = decodeToken(violation?.token ?? '');
  if (token === null) throw new Error('no token');
  expect(token.granule).toBe('tiny4');
  const cpu = parseCpu(token.cpu);
  const again = replayToken(token, HALF_FLUSHED, '', cpu);
  expect(again.violation.why).toContain('load of page 2 by vcpu 0');
  expect(violation?.why).toContain(again.violation.why);
  expect(() => replayToken({ ...token, granule: 'tiny' }, HALF_FLUSHED, '', cpu)).toThrow(
    'half-flushed has changed since the token was made',
  );
});

it('whether a store is kept is known of all sixteen pages of level 1', () => {
  const lost = builtin('relax-local');
  const loses = defineProtocol({
    ...builtin('bbm-early'),
    name: 'merges-nothing',
    run: (cpu, t, tables) =>
      builtin('bbm-early').run(cpu, t, { ...tables, mergeState: (block) => block & ~(1n << 7n) }),
  });
  const of = (protocol: Protocol, page: number): readonly string[] =>
    shownRules(
      exploreProtocol({
        protocol,
        cpu: { hafdbs: true },
        granule: 'tiny4',
        level: 1,
        programs: [{ early: [{ kind: 'store', page }], late: [] }],
        realGranules: false,
      }),
    );
  for (const page of [0, 9, 15]) {
    expect([page, of(loses, page)]).toEqual([page, ['lost-dirty']]);
    expect([page, of(lost, page)]).toEqual([page, []]);
  }
});

it('a step that only tables of four come to is one to leave out', () => {
  const most = defineProtocol({
    ...HALF_FLUSHED,
    name: 'four-pages',
    run(cpu, t, tables) {
      HALF_FLUSHED.run(cpu, t, tables);
      if (tables.entries > 2) cpu.dsb('ish');
    },
  });
  const two = new Set(variantsOn(most, 2).map(({ code }) => code));
  const more = variantsOn(most, 2, 'tiny4').filter(({ code }) => !two.has(code));
  expect(more.map(({ step }) => step.operation)).toContain('dsb ish');
  const code = more[0]?.code ?? '';
  expect(variantOn(most, 2, code, 'tiny4')?.name).toBe(`four-pages-${code}`);
  expect(variantOn(most, 2, code)).toBeNull();
});
