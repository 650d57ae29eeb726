import { describe, expect, it } from 'vitest';
import { protocolProblem } from '../../src/request/protocol-shape.ts';
import { BUILT_IN } from '../../src/request/registry.ts';

const RIGHT = {
  name: 'mine',
  kind: 'coalesce',
  summary: 's',
  origin: 'me',
  claims: {},
  run: () => {},
};

describe('protocolProblem', () => {
  it('finds nothing wrong with what is right', () => {
    const full = {
      ...RIGHT,
      lock: 'shared',
      cpu: { bbm: [2, 1], spec: true, tlb: 0 },
      exhibit: 'why',
    };
    expect(protocolProblem(RIGHT)).toBeNull();
    expect(
      protocolProblem({ ...full, claims: { neverInvalid: true, handlesConflict: false } }),
    ).toBeNull();
    for (const protocol of BUILT_IN.protocols) expect(protocolProblem(protocol)).toBeNull();
  });

  const wrong: readonly (readonly [field: string, value: unknown, answer: string])[] = [
    ['name', undefined, 'has no field "name"; it must be lower-case words joined by hyphens'],
    ['name', 'My Protocol', 'has name = "My Protocol"; it must be lower-case words'],
    ['kind', 'merge', 'has kind = "merge"; it must be one of coalesce|split'],
    ['summary', 1, 'has summary = 1; it must be one line of text'],
    ['summary', 'two\nlines', 'it must be one line of text'],
    ['origin', undefined, 'has no field "origin"'],
    [
      'claims',
      undefined,
      'has no field "claims"; it must be an object such as {} or { neverInvalid: true }',
    ],
    ['claims', { neverinvalid: true }, 'unknown claim "neverinvalid" (did you mean neverInvalid?)'],
    ['claims', { neverInvalid: 1 }, 'must say true or false for neverInvalid'],
    ['lock', 'none', 'it must be one of exclusive|shared'],
    ['cpu', 'bbm=1', 'must be an object such as { bbm: [2] }'],
    ['cpu', { bmb: [1] }, 'unknown knob "bmb" (did you mean bbm?)'],
    ['cpu', { bbm: 1 }, 'must have bbm: [1] here'],
    ['cpu', { spec: 'on' }, 'must have spec: true here'],
    ['cpu', { tlb: 3 }, 'must have a right tlb: "3" is not 0 or a power of two'],
    ['exhibit', true, 'it must be one line of text'],
    ['run', undefined, 'has no field "run"; it must be a function run(cpu, transition, tables)'],
    ['run', async () => {}, 'must be a plain synchronous function'],
    ['run', function* () {}, 'must be a plain synchronous function'],
    ['lokc', 'shared', 'unknown field "lokc" (did you mean lock?)'],
  ];

  it.each(wrong)('%s = %s', (field, value, answer) => {
    expect(protocolProblem({ ...RIGHT, [field]: value })).toContain(answer);
  });
});
