import { describe, expect, it } from 'vitest';
import { ENGINES, MUTANTS } from '../../src/mutants/index.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import bbmEarly from '../../src/protocols/bbm-early.ts';
import { casesOf, flagsOf } from '../../src/selftest/cases.ts';
import { innocentGroups } from '../../src/selftest/innocents.ts';
import { HUNT_SETTING } from '../../src/stress/campaign/hunt.ts';
import { aCase, aMutant } from './builders.ts';

describe('casesOf', () => {
  it('is one case per line of both lists, of the engines asked for', () => {
    const mutant = aMutant('m', {
      caughtBy: [
        { engine: 'stress', rules: ['claim'] },
        { engine: 'stress', rules: ['break-before-make'], by: 'operations' },
        { engine: 'explore', rules: ['claim'], level: 1 },
      ],
      missedBy: [{ engine: 'stress-reorder', why: 'the buffer hides it' }],
    });
    expect(
      casesOf([mutant], ENGINES).map((c) => [c.column, c.engine, c.by, c.why, c.flags]),
    ).toEqual([
      ['stress', 'stress', 'observation', null, ''],
      ['stress', 'stress', 'operations', null, ''],
      ['explore', 'explore', 'observation', null, '--level 1'],
      ['stress-reorder', 'stress', 'observation', 'the buffer hides it', '--reorder'],
    ]);
    expect(casesOf([mutant], ['explore']).map((c) => c.column)).toEqual(['explore']);
  });

  it('has every line of every mutant of the catalogue', () => {
    const lines = MUTANTS.reduce((n, m) => n + m.caughtBy.length + m.missedBy.length, 0);
    expect(casesOf(MUTANTS, ENGINES)).toHaveLength(lines);
  });

  it('puts the CPU of the case over that of its protocol, and that over the one of the twin', () => {
    const [first] = casesOf(
      [
        aMutant('m', {
          twin: 'bbml2-direct',
          seed: { kind: 'protocol', protocol: { ...bbmEarly, cpu: { nt: 'fault', tlb: 16 } } },
          caughtBy: [{ engine: 'stress', rules: ['claim'], cpu: { tlb: 0 } }],
        }),
      ],
      ENGINES,
    );
    expect(first?.cpu).toMatchObject({ bbm: [2], nt: 'fault', tlb: 0 });
    expect(first?.flags).toBe('--cpu tlb=0');
  });

  it('injects only what the engine is for', () => {
    const caughtBy = ENGINES.map((engine) => ({ engine, rules: ['claim'] }));
    const cases = casesOf([aMutant('m', { caughtBy })], ENGINES);
    expect(cases.map(({ column, setting }) => [column, setting.reorder])).toEqual([
      ['stress', false],
      ['stress-reorder', true],
      ['explore', false],
    ]);
  });
});

describe('flagsOf', () => {
  it('spells every part of a setting, and nothing of the default one', () => {
    expect(flagsOf(HUNT_SETTING)).toBe('');
    const setting = {
      scenario: 'adjust-half',
      level: 1,
      vcpus: 2,
      reorder: true,
      delays: [{ site: 'tlbi', ns: 50 }],
      racesEntry: true,
      against: 'bbm-early-locked',
    } as const;
    expect(flagsOf(setting, { bbm: [2, 1], spec: true })).toBe(
      '--reorder --delay tlbi=50 --scenario adjust-half --level 1 --vcpus 2 ' +
        '--against bbm-early-locked --cpu bbm=2/1,spec=on (racing entries)',
    );
  });
});

describe('innocentGroups', () => {
  it('asks of nobody what no protocol of its kind can do: to move memory without a break', () => {
    const mutant = aMutant('m', {
      caughtBy: [{ engine: 'stress', rules: ['lost-access'], scenario: 'relocate' }],
    });
    const names = innocentGroups(casesOf([mutant], ENGINES), PROTOCOLS).flatMap((group) =>
      group.innocents.map(({ protocol }) => protocol.name),
    );
    expect(names).toContain('bbm-early-range');
    for (const other of ['rfc-nt-intended', 'bbml3-direct', 'split-eager']) {
      expect(names).not.toContain(other);
    }
  });

  it('has the twin alone where a second hypervisor is at it: few can be beside another', () => {
    const mutant = aMutant('m', {
      twin: 'bbm-early-locked',
      caughtBy: [{ engine: 'stress', rules: ['refcount'], against: 'bbm-early-locked' }],
    });
    const [group, ...others] = innocentGroups(casesOf([mutant], ENGINES), PROTOCOLS);
    expect(others).toEqual([]);
    expect(group?.innocents.map(({ protocol }) => protocol.name)).toEqual(['bbm-early-locked']);
    expect([group?.setting.against, group?.flags]).toEqual([
      'bbm-early-locked',
      '--against bbm-early-locked',
    ]);
  });

  const members = (groups: ReturnType<typeof innocentGroups>): string[][] =>
    groups.map((group) => group.innocents.map(({ protocol }) => protocol.name));

  it('is every protocol and every twin, once per setting', () => {
    const cases = [
      aCase('a'),
      aCase('b', { cpu: { ...aCase('b').cpu, nt: 'fault' } }),
      aCase('c', { setting: { ...HUNT_SETTING, reorder: true } }),
    ];
    const groups = innocentGroups(cases, PROTOCOLS);
    const names = PROTOCOLS.map((p) => p.name);
    expect(groups.map((group) => group.flags)).toEqual(['', '--reorder']);
    expect(members(groups)[0]).toEqual([...names, 'bbm-early']);
    expect(members(groups)[1]).toEqual(names);
    expect(groups[0]?.innocents.at(-1)?.cpu.nt).toBe('fault');
  });

  it('of some mutants only the twins', () => {
    expect(members(innocentGroups([aCase('a')], []))).toEqual([['bbm-early']]);
  });

  it('parts those that need another machine, since threads serve one', () => {
    const small = { ...aCase('b').cpu, tlb: 0 };
    expect(members(innocentGroups([aCase('a'), aCase('b', { cpu: small })], []))).toEqual([
      ['bbm-early'],
      ['bbm-early'],
    ]);
  });

  it('an engine that need not catch a mutant accuses nobody with its setting', () => {
    expect(innocentGroups([aCase('a', { why: 'it cannot' })], PROTOCOLS)).toEqual([]);
  });

  it('the explorer runs them all where it is small, and the twins elsewhere', () => {
    const explore = { column: 'explore', engine: 'explore' } as const;
    const large = { ...HUNT_SETTING, level: 1 as const };
    const groups = innocentGroups(
      [aCase('a', explore), aCase('b', { ...explore, setting: large })],
      PROTOCOLS,
    );
    expect(members(groups).map((names) => names.length)).toEqual([PROTOCOLS.length, 1]);
  });
});
