/** Which CPUs and settings one `explore` command runs a protocol or a mutant under. */
import { expect, test } from 'vitest';
import { searchesOf, type Subject, subjectsOf } from '../../src/request/explore.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';

function subject(cpu: NonNullable<(typeof PROTOCOLS)[number]['cpu']>): Subject {
  const [first] = PROTOCOLS;
  if (first === undefined) throw new Error('there are protocols');
  const source = { kind: 'built-in', name: first.name, text: '' } as const;
  return {
    protocol: { ...first, cpu },
    source,
    mutant: null,
    sequence: null,
    settings: {},
    exhibit: null,
  };
}

test('the matrix keeps what a protocol declares, and other knobs combine with it', () => {
  const declared = searchesOf({ matrix: true }, [subject({ hafdbs: true })]);
  expect(declared.length).toBeGreaterThan(5);
  expect(declared.every(({ cpu }) => cpu.hafdbs)).toBe(true);
  const given = searchesOf({ matrix: true, cpu: { hafdbs: true } }, [subject({})]);
  expect(given.every(({ cpu }) => cpu.hafdbs)).toBe(true);
  expect(() => searchesOf({ matrix: true, cpu: { nt: 'fault' } }, [subject({})])).toThrow(
    /^cpu nt does not go with matrix/,
  );
});

test('errata are each CPU without one and with each', () => {
  const of = (...[request, own = {}]: [Parameters<typeof searchesOf>[0], object?]): string[] =>
    searchesOf(request, [subject(own)]).map(({ cpu }) => `${cpu.bbm.join('/')} ${cpu.tlbi}`);
  const errata = ['ok', 'late-writes', 'repeat', 'ipi'];
  expect(of({ errata: true }, { bbm: [2] })).toEqual(errata.map((tlbi) => `2 ${tlbi}`));
  expect(of({ errata: true, cpu: { bbm: [1] } })).toEqual(errata.map((tlbi) => `1 ${tlbi}`));
  const matrix = of({ matrix: true });
  expect(of({ matrix: true, errata: true })).toHaveLength(4 * matrix.length);
  expect(() => of({ errata: true, cpu: { tlbi: 'repeat' } })).toThrow(
    /^cpu tlbi does not go with errata, which is every value of it$/,
  );
});

test('a mutant brings the settings under which it must be caught, flags override them', async () => {
  const request = { mutants: ['dirty-not-merged', 'defragmented-in-place'] };
  const subjects = await subjectsOf(request);
  const [dirty, nested] = searchesOf(request, subjects);
  expect([dirty?.cpu.hafdbs, dirty?.level]).toEqual([true, 2]);
  expect([nested?.cpu.hafdbs, nested?.level]).toEqual([false, 1]);
  const off = searchesOf({ ...request, cpu: { hafdbs: false } }, subjects);
  expect(off[0]?.cpu.hafdbs).toBe(false);
});
