/** A second hypervisor's thread at the same entries, on real threads. */
import { existsSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { configurationOf } from '../../../src/result/compare/configuration.ts';
import { balanceOf, besideRow, CLEAN, endBeside } from './groups.ts';

/** A protocol of this test by its path, any other by its name. */
function at(name: string): string {
  const file = path.resolve(import.meta.dirname, `../fixtures/beside/${name}.ts`);
  return existsSync(file) ? file : name;
}

const GAVE_WAY = /^gave way: another agent had changed the entry/;

const COUNTS = /^table page 0x\w+ has count \d, but 1 \+ its valid entries is \d: /;

const HANGS = { hangMs: 1000, startMs: 10_000 };

describe('beside another that looks whether it has lost', () => {
  it.each([
    ['bbm-early-locked', 'bbm-early-locked', { rounds: 6, vcpus: 2 }],
    ['bbm-early-range', 'bbm-early-locked', { rounds: 4, blocks: 2, scenario: 'adjust-half' }],
    ['split-locked', 'split-locked', { rounds: 4 }],
    // Nor is a table freed under a walk that has found it.
    ['loser-looks', 'loser-looks', { rounds: 4 }],
  ])('%s is not accused beside %s', async (first, second, choice) => {
    const run = await besideRow(at(first), at(second), choice);
    expect(balanceOf(run)).toEqual(CLEAN);
    // They have met: one of them has lost.
    expect(run.notes.some((note) => GAVE_WAY.test(note))).toBe(true);
  });
});

describe('who does not is convicted within a few rounds', () => {
  it.each([
    ['lost-race-ignored', 'bbm-early-locked', /^hypervisor 1: store-release/],
    ['bbm-early-locked', 'lost-race-ignored', /^hypervisor 2: store-release/],
  ])('%s beside %s', async (first, second, why) => {
    const run = await besideRow(at(first), at(second), { rounds: 4 });
    const rules = run.violations.map(({ rule }) => rule);
    expect([...new Set(rules)]).toEqual(['break-before-make', 'freed-table', 'refcount']);
    const [taken, doubled, freed, ...counts] = run.violations;
    // Now and then a store falls between the winner's and its put: then counts are wrong as well.
    expect([doubled?.rule, freed?.rule]).toEqual(['freed-table', 'refcount']);
    expect(counts.map((violation) => violation.why).filter((text) => !COUNTS.test(text))).toEqual(
      [],
    );
    expect(taken?.why).toMatch(why);
    expect(taken?.exploreCommand).toContain(`${first} --against ${second}`);
    expect(taken?.events.some(({ text }) => text.endsWith('it failed'))).toBe(true);
    expect(freed?.why).toContain('is freed twice');
    expect([run.verdict, run.against]).toEqual(['fail', second]);
    expect(configurationOf(run)).toContain(`, against ${second}, `);
  });

  it('of what it has made and forgotten the audit tells', async () => {
    const run = await besideRow(at('split-leaks'), at('split-locked'), { rounds: 4 });
    expect(run.violations.map(({ rule }) => rule)).toContain('table-leak');
  });
});

describe('a second hypervisor that fails ends the group', () => {
  it.each([
    ['throws', /protocol loser-throws threw: boom of the loser/],
    ['exits', /exit/i],
    ['hangs', /made no progress.*in a transition of bbm-early-locked beside loser-hangs/],
  ])('and is reported: it %s', async (how, why) => {
    const end = await endBeside('bbm-early-locked', at(`loser-${how}`), HANGS);
    expect(end).toEqual({ kind: 'failed', why: expect.stringMatching(why) as string });
  });
});
