/** What the catalogue claims of itself: names, twins, rules, and every engine accounted for. */
import { readdirSync } from 'node:fs';
import { basename } from 'node:path';
import { describe, expect, it, test } from 'vitest';
import { IMPLEMENTED_RULES } from '../../src/checker/rules/index.ts';
import { type Catch, ENGINES, type Engine, MUTANTS } from '../../src/mutants/index.ts';
import { MACHINE_BUGS } from '../../src/port/index.ts';
import { ALL_PROTOCOLS, PROTOCOLS } from '../../src/protocols/index.ts';
import { SCENARIOS } from '../../src/scenarios/index.ts';
import { twinOf } from './subjects.ts';

const RULES = IMPLEMENTED_RULES.map(({ rule }) => rule);
const named = MUTANTS.map((mutant) => [mutant.name, mutant] as const);

/** Mutants that only one engine, of all those that look at what happened, can catch. */
function onlyBy(engine: Engine): string[] {
  return MUTANTS.filter(({ caughtBy }) => {
    const engines = new Set(caughtBy.filter(isObservation).map((c) => c.engine));
    return engines.has(engine) && !engines.has('stress');
  }).map(({ name }) => name);
}

const isObservation = ({ by = 'observation' }: Catch): boolean => by === 'observation';

describe('each mutant', () => {
  it.each(named)('%s accounts for every engine exactly once', (_, { caughtBy, missedBy }) => {
    // An engine may have to catch it in several settings, and is then one that catches it.
    const caught = new Set(caughtBy.map(({ engine }) => engine));
    const engines = [...caught, ...missedBy.map(({ engine }) => engine)];
    expect(engines.toSorted()).toEqual([...ENGINES].toSorted());
    expect(caught.size, 'somebody has to catch it').toBeGreaterThan(0);
  });

  it.each(named)('%s names rules that can fire, the best one among them', (_, mutant) => {
    expect(RULES).toContain(mutant.rule);
    const expected = mutant.caughtBy.flatMap(({ rules }) => rules);
    for (const rule of expected) expect(RULES).toContain(rule);
    expect(expected).toContain(mutant.rule);
  });

  it.each(named)('%s is made from a protocol there is, and named after its bug', (name, mutant) => {
    const { seed } = mutant;
    const { kind, lock } = twinOf(mutant);
    expect(PROTOCOLS.map((p) => p.name)).not.toContain(name);
    expect(seed.kind === 'machine' ? seed.bug : seed.protocol.name).toBe(name);
    const made = seed.kind === 'machine' ? { kind, lock } : seed.protocol;
    expect([made.kind, made.lock]).toEqual([kind, lock]);
    const { explored } = mutant;
    if (explored === undefined) return;
    const model = ALL_PROTOCOLS.find((p) => p.name === explored.twin);
    expect(explored.protocol.name).toBe(name);
    expect([explored.protocol.kind, explored.protocol.lock]).toEqual([model?.kind, model?.lock]);
  });

  it.each(named)('%s is caught under settings that exist', (_, { caughtBy }) => {
    for (const { scenario = 'adjust-populated' } of caughtBy) {
      expect(SCENARIOS.map((s) => s.name)).toContain(scenario);
    }
  });

  it.each(named)('%s says why nothing is seen only where nothing is', (_, { caughtBy }) => {
    const said = caughtBy.filter(({ unseen }) => unseen !== undefined);
    expect(said.filter(isObservation)).toEqual([]);
  });

  it.each(named)('%s says in one line each what, on what evidence, and why missed', (_, mutant) => {
    const { what, evidence, missedBy, caughtBy } = mutant;
    const unseen = caughtBy.flatMap((c) => c.unseen ?? []);
    for (const text of [what, evidence, ...missedBy.map(({ why }) => why), ...unseen]) {
      expect(text).toMatch(/^\S[^\n]+[^\s.]$/);
    }
  });
});

test('names are unique, one file each', () => {
  const names = MUTANTS.map(({ name }) => name);
  expect(new Set(names).size).toBe(names.length);
  const helpers = [
    'catches.ts',
    'clear-pages.ts',
    'control.ts',
    'index.ts',
    'load.ts',
    'misses.ts',
    'mutant.ts',
  ];
  const there = readdirSync(new URL('../../src/mutants/', import.meta.url), { recursive: true });
  const files = there.map((path) => basename(String(path))).filter((name) => name.endsWith('.ts'));
  expect(files.toSorted()).toEqual([...names.map((n) => `${n}.ts`), ...helpers].toSorted());
});

test('every seeded bug of the machine has its mutant', () => {
  const seeded = MUTANTS.flatMap(({ seed }) => (seed.kind === 'machine' ? [seed.bug] : []));
  expect(seeded.toSorted()).toEqual([...MACHINE_BUGS].toSorted());
});

test('every rule of the checker has a mutant that it must catch', () => {
  const caught = new Set(MUTANTS.map(({ rule }) => rule));
  expect([...caught].toSorted()).toEqual(RULES.toSorted());
});

test('which memory-ordering bugs which engine shows', () => {
  expect(onlyBy('stress-reorder')).toEqual([
    'no-dsb-before-tlbi',
    'local-dsb-before-tlbi',
    'no-dsb-between-stages',
    'nt-flush-unordered',
    'table-published-plain',
    'release-on-children',
  ]);
  const races = MUTANTS.filter(({ caughtBy }) =>
    caughtBy.some(({ engine, racesEntry }) => engine === 'stress' && racesEntry === true),
  );
  expect(races.map(({ name }) => name)).toEqual([
    'entry-unfenced',
    'tlbi-unfenced',
    'ack-before-invalidate',
  ]);
});
