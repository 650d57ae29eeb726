/** The sequences of examples/seq: what each is worth on which CPU, and what it lacks. */
import { readdirSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { parseCpu } from '../../src/request/cpu-knobs.ts';
import type { Search } from '../../src/request/explore.ts';
import { MissingSteps } from '../../src/exploration/missing-steps.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { SEQUENCE } from '../../src/loaders/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { cpuFor } from '../../src/arch/cpu-model.ts';
import { parseSequence, sequenceFile } from '../../src/sequence/index.ts';

const FOLDER = path.resolve(import.meta.dirname, '../../examples/seq');

function searched(file: string, knobs: string): ExploreRun {
  const protocol: Protocol = sequenceFile(file);
  const cpu = cpuFor({}, parseCpu(knobs));
  const where = {
    cpu,
    level: 2,
    granule: 'tiny',
    regions: 1,
    vcpus: 1,
    scenario: 'adjust-populated',
    accesses: 2,
  } as const;
  const sequence = parseSequence(SEQUENCE.text(file));
  const source = { kind: 'file', name: file, text: '' } as const;
  const subject: Search['subject'] = {
    protocol,
    source,
    sequence,
    mutant: null,
    settings: {},
    exhibit: null,
  };
  const run = exploreProtocol({ protocol, ...where });
  return new MissingSteps(sequence).addTo({ subject, ...where }, run);
}

const BETWEEN = 'dsb ishst -> dsb ish';

/** By file and CPU: the changes that make it safe; `safe` if it is; null if no such changes are known. */
const VERDICTS: Readonly<
  Record<string, Readonly<Record<string, 'safe' | readonly string[] | null>>>
> = {
  'xen-range-v1': {
    'bbm=1': ['dsb nshst -> dsb ish', 'tlbi vmalle1 -> tlbi vmalle1is', BETWEEN],
  },
  'xen-range-v2': { 'bbm=0': [BETWEEN], 'bbm=1': [BETWEEN], 'bbm=3,multihit=new': [BETWEEN] },
  'xen-range-v3': { 'bbm=1': [BETWEEN] },
  'xen-range-ntlbpa': {
    'bbm=1': ['dsb ish; tlbi vmalle1is; dsb ish, after each page {'],
  },
  'xen-tree': { 'bbm=0': 'safe', 'bbm=1': 'safe', 'bbm=2': 'safe', 'bbm=3,multihit=new': 'safe' },
  'zircon-split': {
    'bbm=0': ['str 0; dsb ish; tlbi vmalls12e1is; dsb ish, before str table'],
    'bbm=1': ['str 0; dsb ish; tlbi vmalls12e1is; dsb ish, before str table'],
    'bbm=2,multihit=old': 'safe',
    'bbm=3,multihit=new': 'safe',
  },
  // On a block, a table and a table with holes.
  'gathered-unmap': { 'bbm=0': 'safe', 'bbm=1': 'safe' },
  // A count is no step that could be missing.
  'xen-oom-split': { 'bbm=1': null },
  'hafnium-replace': { 'bbm=0': 'safe', 'bbm=1': 'safe' },
  'hafnium-old': { 'bbm=0': ['dsb ish; tlbi vmalls12e1is; dsb ish, after str 0'] },
  'bhyve-range': { 'bbm=0': 'safe', 'bbm=1': 'safe' },
  'bhyve-range-nvhe': { 'bbm=0': ['dsb ish, after str 0'] },
  // It claims that the entry is never invalid, so nothing can be broken first.
  'bbml3-split': { 'bbm=0': null, 'bbm=1': null, 'bbm=3,multihit=new': 'safe' },
};

test('each exhibit has a verdict here', () => {
  const files = readdirSync(FOLDER).map((name) => path.basename(name, '.seq'));
  expect(files.toSorted()).toEqual(Object.keys(VERDICTS).toSorted());
});

const CASES = Object.entries(VERDICTS).flatMap(([name, cpus]) =>
  Object.entries(cpus).map(([cpu, verdict]) => [name, cpu, verdict] as const),
);

test.each(CASES)('%s on %s', { timeout: 120_000 }, (name, cpu, verdict) => {
  const run = searched(path.join(FOLDER, `${name}.seq`), cpu);
  expect(run.protocol).toBe(name);
  expect(run.verdict).toBe(verdict === 'safe' ? 'safe' : 'violated');
  if (verdict === 'safe') return;
  expect(run.missing?.map(({ fix }) => fix) ?? null).toEqual(verdict);
  for (const { why, rule, line } of run.missing ?? []) {
    expect(why).not.toBe('');
    expect(rule).not.toBeNull();
    expect(line).toBeGreaterThan(4);
  }
});

test('the finding names the rule of the architecture', () => {
  const run = searched(path.join(FOLDER, 'xen-range-v2.seq'), 'bbm=1');
  expect(run.missing).toMatchObject([{ line: 12, column: 1, rule: 'break-before-make' }]);
  expect(run.missing?.[0]?.why).toContain('DSB ISHST does not complete a TLBI, R_PSMWS');
});
