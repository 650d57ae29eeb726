/** The C twins in examples/c do what the TypeScript protocols do, on every CPU of the matrix. */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { searchesOf, subjectsOf } from '../../src/request/explore.ts';
import { EXPLORE_FLAGS, exploreRequestOf } from '../../src/cli/commands/explore/flags.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { loadC } from '../../src/native/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { noCompiler } from './compiled.ts';

const TWINS = [
  'bbm-late',
  'bbm-early',
  'bbm-early-locked',
  'rfc-nt-posted',
  'rfc-nt-intended',
  'nt-spec',
  'bbml2-direct',
  'split-lazy',
];

/** Everything but names, times and tokens. */
const seenOf = ({ verdict, states, executions, outcomes, violations, notes }: ExploreRun) => ({
  verdict,
  states,
  executions,
  outcomes,
  notes,
  violations: violations.map(({ rule, why, steps }) => ({ rule, why, steps })),
});

async function cellsOf(name: string, ...flags: string[]) {
  const input = parseCommandLine('explore', EXPLORE_FLAGS, ['--protocol', name, ...flags]);
  const request = exploreRequestOf(input);
  return searchesOf(request, await subjectsOf(request));
}

describe.skipIf(noCompiler !== null).each(TWINS)('%s in C', (name) => {
  const file = path.resolve(import.meta.dirname, `../../examples/c/${name}.c`);
  const built = PROTOCOLS.find((protocol) => protocol.name === name) as Protocol;

  test('says of itself what the other one says', async () => {
    const { protocol, warnings } = await loadC(file);
    const { kind, claims, lock, cpu } = built;
    expect(warnings).toEqual([]);
    expect(protocol).toEqual({
      name: `c-${name}`,
      kind,
      claims,
      summary: built.summary,
      origin: expect.stringMatching(/in C$/) as string,
      run: expect.any(Function) as Protocol['run'],
      ...(lock === undefined ? {} : { lock }),
      ...(cpu === undefined ? {} : { cpu }),
    });
  });

  test('has the same result in every cell of the matrix, at level 1 and with hafdbs=on', async () => {
    const protocol = (await loadC(file)).protocol as Protocol;
    const cells = [
      ...(await cellsOf(name, '--matrix')),
      ...(await cellsOf(name, '--cpu', 'hafdbs=on')),
      ...(name === 'bbm-late' ? await cellsOf(name, '--level', '1') : []),
    ];
    expect(cells.length).toBeGreaterThan(1);
    for (const { cpu, level, vcpus } of cells) {
      const [ours, theirs] = [protocol, built].map((each) =>
        seenOf(exploreProtocol({ protocol: each, cpu, level, vcpus })),
      );
      expect({ cpu, ...ours }).toEqual({ cpu, ...theirs });
    }
  });
});
