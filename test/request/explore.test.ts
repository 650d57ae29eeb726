/** Which CPUs and settings one `explore` command runs a protocol or a mutant under. */
import { expect, test } from 'vitest';
import { explorePlan, searchesOf, type Subject, subjectsOf } from '../../src/request/explore.ts';
import { MUTANTS, subjectOf } from '../../src/mutants/index.ts';
import { ALL_PROTOCOLS, PROTOCOLS } from '../../src/protocols/index.ts';

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

test('errata are each CPU without one and with each, with each once more repaired', () => {
  const of = (...[request, own = {}]: [Parameters<typeof searchesOf>[0], object?]): string[] =>
    searchesOf(request, [subject(own)]).map(
      ({ cpu, subject: { repaired } }) =>
        `${cpu.bbm.join('/')} ${cpu.tlbi}${repaired === undefined ? '' : ` by ${repaired.by}`}`,
    );
  const repaired = ['late-writes by repeat', 'repeat by repeat', 'ipi by interrupt'];
  const errata = ['ok', 'late-writes', 'repeat', 'ipi', ...repaired];
  expect(of({ errata: true }, { bbm: [2] })).toEqual(errata.map((tlbi) => `2 ${tlbi}`));
  expect(of({ errata: true, cpu: { bbm: [1] } })).toEqual(errata.map((tlbi) => `1 ${tlbi}`));
  const matrix = of({ matrix: true });
  expect(of({ matrix: true, errata: true })).toHaveLength(7 * matrix.length);
  // What a step is for is asked of the protocol as it is.
  expect(of({ errata: true, ablate: true, cpu: { bbm: [1] } })).toHaveLength(4);
  expect(() => of({ errata: true, cpu: { tlbi: 'repeat' } })).toThrow(
    /^cpu tlbi does not go with errata, which is every value of it$/,
  );
});

test('two protocols at once are repaired both, as tokens say', async () => {
  const request = { errata: true, protocols: ['bbm-early-locked'], against: 'lost-race-ignored' };
  const searches = searchesOf(request, await subjectsOf(request));
  const names = searches.map(({ subject: { source, against } }) =>
    [source, against?.source].map((each) => each?.name).join(' '),
  );
  expect(names.slice(-3)).toEqual(
    ['r', 'r', 'i'].map((by) => `bbm-early-locked@${by} lost-race-ignored@${by}`),
  );
  expect(searches.at(-1)?.subject.against?.protocol.name).toBe('lost-race-ignored-interrupt');
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

test('of all seeded bugs those of the machine are left out by name; of named ones none', async () => {
  const { remarks, searches } = await explorePlan({ mutants: ['all'] });
  const left = MUTANTS.filter((mutant) => subjectOf(mutant, 'explore').protocol === null);
  expect(left.length).toBeGreaterThan(0);
  const [remark = '', ...others] = remarks;
  expect(others).toEqual([]);
  expect(remark).toContain(`${left.length} of ${MUTANTS.length} seeded bugs`);
  expect(remark.split(': ').at(-1)?.split(', ')).toEqual(left.map(({ name }) => name));
  const explored = new Set(searches.map(({ subject: { mutant } }) => mutant));
  for (const { name } of left) expect(explored.has(name)).toBe(false);
  expect((await explorePlan({ mutants: ['no-dsb-after-tlbi'] })).remarks).toEqual([]);
  expect((await explorePlan({})).remarks).toEqual([]);
});

test('of a matrix of all protocols those that it leaves out are said, and of named ones none', async () => {
  const { remarks, searches } = await explorePlan({ matrix: true });
  const shown = new Set(searches.map(({ subject: { protocol } }) => protocol.name));
  const left = ALL_PROTOCOLS.filter(({ name }) => !shown.has(name)).map(({ name }) => name);
  expect(left.length).toBeGreaterThan(0);
  expect(remarks.map((remark) => remark.split(': ').at(-1)?.split(', '))).toEqual([left]);
  expect((await explorePlan({ matrix: true, protocols: ['all'] })).remarks).toEqual(remarks);
  expect((await explorePlan({ matrix: true, protocols: left })).remarks).toEqual([]);
  expect((await explorePlan({ matrix: true, mutants: ['no-tlbi'] })).remarks).toEqual([]);
});
