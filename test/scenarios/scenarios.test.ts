/** Scenarios are data: names, and which pages are mapped while a region is a table. */
import { describe, expect, test } from 'vitest';
import { geometryOf } from '../../src/arch/geometry.ts';
import { scenarioNamed, SCENARIOS } from '../../src/scenarios/index.ts';

const mappedOf = (name: string, entries: number): number[] =>
  Array.from({ length: entries }, (_, i) => i).filter((i) =>
    scenarioNamed(name).isMapped(i, entries),
  );

test('names are unique and lead back to their scenario', () => {
  expect(new Set(SCENARIOS.map((s) => s.name)).size).toBe(SCENARIOS.length);
  for (const scenario of SCENARIOS) expect(scenarioNamed(scenario.name)).toBe(scenario);
  expect(() => scenarioNamed('adjust')).toThrow('no scenario is called adjust');
});

describe.each(SCENARIOS)('$name', (scenario) => {
  // With the two entries of `tiny`, page 0 and the second half are all there is.
  test.each(['4k', '16k', '64k'] as const)(
    'has holes in a %s table exactly if it says so',
    (granule) => {
      const { entriesPerTable: n } = geometryOf(granule);
      expect(mappedOf(scenario.name, n).length < n).toBe(scenario.partial);
    },
  );

  test('maps the second half of every table: there vCPUs stay until the transition', () => {
    const { entriesPerTable: n } = geometryOf('4k');
    const mapped = mappedOf(scenario.name, n);
    for (let i = n / 2; i < n; i++) expect(mapped).toContain(i);
  });
});

test('adjust-half leaves page 0 and the second half, as UPDATE of kvm_page_table_test does', () => {
  expect(mappedOf('adjust-half', 8)).toEqual([0, 4, 5, 6, 7]);
  expect(mappedOf('adjust-populated', 4)).toEqual([0, 1, 2, 3]);
});
