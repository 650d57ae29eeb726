/** The exhibits of `examples/field`: each file, and the verdict that its opening lines name. */
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { exploreProtocol, installChanceGuards } from '../../src/explore/protocol/index.ts';
import { loadProtocolFile } from '../../src/request/protocol-file.ts';

installChanceGuards();

const FOLDER = path.resolve(import.meta.dirname, '../../examples/field');

const VERDICTS: Readonly<Record<string, readonly string[]>> = {
  'hafnium-replace-old.ts': ['freed-table'],
  'hafnium-replace.ts': [],
  'kvm-unmap-v6-8.ts': ['freed-table'],
  'kvm-unmap-v6-9.ts': [],
  'xen-oom-split-old.ts': ['refcount'],
  'xen-oom-split.ts': [],
  'kvm-gather-no-clause.ts': ['stale-translation', 'freed-table'],
  'kvm-gather.ts': [],
};

/** An access around the transition and one after it, on each page: enough for all of these. */
const programs = [0, 1].flatMap((page) =>
  (['load', 'store'] as const).map((kind) => ({
    early: [{ kind, page }],
    late: [{ kind, page }],
  })),
);

it('has all of the folder', () => {
  expect(readdirSync(FOLDER).toSorted()).toEqual(Object.keys(VERDICTS).toSorted());
});

it.each(Object.entries(VERDICTS))('%s breaks %j', async (file, rules) => {
  const { protocol } = await loadProtocolFile(path.join(FOLDER, file));
  const run = exploreProtocol({ protocol, programs });
  const broken = new Set<string>(run.violations.map(({ rule }) => rule));
  const isSafe = rules.length === 0;
  expect({ verdict: run.verdict, missing: rules.filter((rule) => !broken.has(rule)) }).toEqual({
    verdict: isSafe ? 'safe' : 'violated',
    missing: [],
  });
  const said = isSafe ? 'safe' : `violated: ${rules.join(', ')}`;
  expect(readFileSync(path.join(FOLDER, file), 'utf8')).toMatch(new RegExp(` ${said}\n`));
});
