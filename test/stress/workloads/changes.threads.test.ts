/**
 * Protocols of the kinds that change no size, on real threads, each in the scenario of its kind, and those
 * whose allocations may fail; and what is seen of seeded bugs of theirs. selftest has all of them.
 */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { changeNamed, changesOf } from '../../../src/port/kinds.ts';
import { OTHER_PROTOCOLS } from '../../../src/protocols/index.ts';
import { scenarioOfKind } from '../../../src/scenarios/index.ts';
import { balanceOf, CLEAN, rowsOf, rulesOfKind, rulesOfMutant } from './groups.ts';

const EXAMPLES = path.resolve(import.meta.dirname, '../../../examples/kinds');

test.each(OTHER_PROTOCOLS)('$name loses nothing', async (protocol) => {
  const choice = { scenario: scenarioOfKind(protocol.kind), vcpus: 2, rounds: 3, transitions: 8 };
  const [run] = await rowsOf([protocol.name], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
  // What vCPUs make comes as often as they fault.
  const isByHost = changesOf(protocol).every((name) => changeNamed(name).by === undefined);
  expect(run?.transitions).toBeGreaterThanOrEqual(isByHost ? 3 * 8 : 1);
});

test.each([
  ['unmap', { granule: '64k' }],
  ['unmap', { level: 1 }],
  ['protect', {}],
] as const)("a user's protocol of kind %s, %j", async (kind, over) => {
  const file = path.join(EXAMPLES, `${kind}.ts`);
  const choice = { scenario: scenarioOfKind(kind), rounds: 1, transitions: 3, ...over };
  const [run] = await rowsOf([file], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
});

test('a sequence that gathers what it clears loses nothing', async () => {
  const file = path.join(EXAMPLES, '../seq/gathered-unmap.seq');
  const choice = { scenario: 'unmap-under-walk', vcpus: 2, rounds: 1, transitions: 6 };
  const [run] = await rowsOf([file], choice);
  expect(run && balanceOf(run)).toEqual(CLEAN);
  expect(run?.transitions).toBe(6);
});

test('bits left in an unmapped entry are a hole where the VM takes it for one, and a violation elsewhere', async () => {
  const fixture = (name: string): string => path.join(import.meta.dirname, `fixtures/${name}.ts`);
  const choice = { scenario: 'unmap-under-walk', rounds: 2, transitions: 8 };
  const [kept] = await rowsOf([fixture('unmap-keeps-bits')], choice);
  expect(kept && balanceOf(kept)).toEqual(CLEAN);
  expect(kept?.transitions).toBe(16);
  const [odd] = await rowsOf([fixture('unmap-leaves-bits')], { ...choice, rounds: 1 });
  expect(odd?.violations.map(({ why }) => why).join()).toContain('leaves bits in the entry');
});

describe('a seeded bug as a protocol of its kind', () => {
  test.each([
    ['unmap-hinted', 'freed-table', 600],
    ['protect-unflushed', 'lost-dirty', 600],
    // The store is seen as it is made, before anybody compares what was sent.
    ['protect-without-dsb', 'stale-translation', 2000],
    ['relax-unflushed', 'progress', 300],
    ['nt-relocated', 'lost-access', 2000],
  ] as const)('%s is seen to break %s', async (name, rule, rounds) => {
    expect(await rulesOfKind(name, rounds, rule)).toContain(rule);
  });

  test('locked-taken is seen to break refcount', async () => {
    // So long that who has LOCKED it is preempted meanwhile, where there is one CPU for all of them.
    const delays = [{ site: 'dsb', ns: 4_000_000 }] as const;
    expect(await rulesOfKind('locked-taken', 200, 'refcount', delays)).toContain('refcount');
  });
});

test.each([
  // How stale it is when it is seen is chance.
  ['gather-short', /stale-translation|wrong-output-address|lost-access/],
  ['gather-stops-at-gap', /stale-translation|wrong-output-address|lost-access/],
  ['gather-freed-early', /freed-table/],
  ['oom-live-put', /refcount/],
  ['oom-leak', /table-leak/],
] as const)('%s is seen to break %s', async (name, rules) => {
  expect((await rulesOfMutant(name, 1000)).join()).toMatch(rules);
});

test('what leaks until there is no memory for its own reset is convicted, and nothing throws', async () => {
  const file = path.join(import.meta.dirname, 'fixtures/leaks-for-want.ts');
  const choice = { scenario: 'adjust-populated', rounds: 3, transitions: 400 };
  const [run] = await rowsOf([file], choice);
  expect(run?.violations.map(({ rule }) => rule)).toContain('table-leak');
});
