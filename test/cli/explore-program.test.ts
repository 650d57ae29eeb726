/** `explore` as a user runs it: verdicts, the shortest schedule, bad input, JSON. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import type { ExploreResult, ExploreRun } from '../../src/result/explore.ts';
import type { ReplayResult } from '../../src/result/replay.ts';
import { PROTOCOL } from '../stress/e2e/stress.ts';
import { emptyFolder, MAIN, program, typed } from './program.ts';

/** Wrong: pages may still be stored to between the merge and the break. Imports nothing. */
const MERGES_EARLY = `export default {
  name: 'mine',
  kind: 'coalesce',
  summary: 'merge, clear, flush, block, tear down',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    const block = tables.mergeState(t.wanted, child, t.level + 1);
    cpu.write(t.entry, 0n);
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'vmalls12e1is' });
    cpu.dsb('ish');
    cpu.isb();
    cpu.writeRelease(t.entry, block);
    tables.tearDown(child, t.level + 1);
    cpu.dsb('ishst');
  },
};
`;

const resultIn = (folder: string): ExploreResult =>
  JSON.parse(readFileSync(path.join(folder, 'x.json'), 'utf8')) as ExploreResult;

test('the RFC as intended is safe, as posted it breaks its claim in three steps', () => {
  const folder = emptyFolder();
  const seen = program(
    ['explore', '--protocol', 'rfc-nt-intended,rfc-nt-posted', '--json', 'x.json'],
    folder,
  );
  expect(seen.code).toBe(1);
  const result = resultIn(folder);
  expect(
    result.runs.map((run) => [run.protocol, run.verdict, run.violation?.rule ?? null]),
  ).toEqual([
    ['rfc-nt-intended', 'safe', null],
    ['rfc-nt-posted', 'violated', 'claim'],
  ]);
  expect(result.runs[1]?.violation?.steps.map((step) => step.thread)).toEqual([
    'hypervisor',
    'vcpu 0',
    'vcpu 0',
  ]);
  expect(result.runs[0]?.outcomes.some((outcome) => outcome.grade !== 'acceptable')).toBe(false);
  expect([result.command, result.verdict, result.exitCode]).toEqual(['explore', 'fail', 1]);
});

test('without names the exhibit does not turn the verdict', async () => {
  const seen = await typed(['explore']);
  expect(seen.out).toContain('shown on purpose');
  expect(seen.code).toBe(0);
});

test("a seeded bug and a user's broken protocol are found, a correct one is safe", async () => {
  expect((await typed(['explore', '--mutant', 'no-tlbi'])).out).toContain(
    'VIOLATION stale-translation',
  );
  expect((await typed(['explore', '--protocol', PROTOCOL('frees-early')])).code).toBe(1);
  expect((await typed(['explore', '--protocol', PROTOCOL('my-bbm')])).code).toBe(0);
});

test('a search that meets its bound is inconclusive', async () => {
  const large = ['--level', '1', '--vcpus', '4'];
  const seen = await typed(['explore', '--protocol', 'nt-split', ...large, '--time', '100ms']);
  expect(seen.out).toMatch(
    /reason: nt-split: the bound on time was met \(--time\): \d+ of \d+ guest programs were gone through/,
  );
  expect(seen.code).toBe(3);
  // Of several searches of one protocol it is said which.
  const two = ['--level', '1', '--vcpus', '3,4', '--time', '100ms'];
  const both = await typed(['explore', '--protocol', 'nt-split', ...two]);
  expect(both.out).toMatch(
    /reason: nt-split, level 1, 3 vCPUs, bbm=1 nt=translate: the bound on time/,
  );
});

test('tables of four entries are asked for, said, and kept apart from those of two', async () => {
  const folder = emptyFolder();
  const args = ['explore', '--mutant', 'no-tlbi', '--granule', 'tiny4', '--json', 'x.json'];
  const four = await typed(args, folder);
  expect(four.code).toBe(1);
  expect(four.out).toContain('tiny4, level 2, 1 vCPU');
  const [run] = resultIn(folder).runs;
  expect([run?.granule, run?.level, run?.bounds.programs]).toEqual(['tiny4', 2, 72]);
  const token = run?.violation?.token ?? '';
  const again = await typed(['replay', token, '--json', 'again.json'], folder);
  expect([again.code, again.out]).toEqual([1, expect.stringContaining('tiny4, level 2, 1 vCPU')]);
  const replayed = JSON.parse(
    readFileSync(path.join(folder, 'again.json'), 'utf8'),
  ) as ReplayResult;
  expect(replayed.runs[0].granule).toBe('tiny4');
  const two = await typed(['explore', '--mutant', 'no-tlbi', '--json', 'two.json'], folder);
  expect(two.out).not.toContain('tiny');
  const merged = await typed(['merge', 'x.json', 'two.json', '--json', 'both.json'], folder);
  expect(merged.out).toMatch(/no-tlbi +tiny4 +2 +violated/);
  expect(merged.out).toMatch(/no-tlbi +tiny +2 +violated/);
  const compared = await typed(['compare', 'two.json', 'x.json'], folder);
  expect([compared.code, compared.err]).toEqual([2, expect.stringContaining('no row in common')]);
});

test('two regions are asked for, said, and kept apart from one', async () => {
  const folder = emptyFolder();
  const args = ['explore', '--mutant', 'hint-from-address', '--regions', '2', '--json', 'x.json'];
  const two = await typed(args, folder);
  expect([two.code, two.out]).toEqual([1, expect.stringContaining('2 regions, level 2, 1 vCPU')]);
  const [run] = resultIn(folder).runs;
  expect([run?.regions, run?.violation?.rule]).toEqual([2, 'stale-translation']);
  const token = run?.violation?.token ?? '';
  const again = await typed(['replay', token, '--json', 'again.json'], folder);
  expect([again.code, again.out]).toEqual([1, expect.stringContaining('2 regions, level 2')]);
  // What names no place says which entry it is for.
  for (const entry of [0, 1]) {
    expect(again.out).toMatch(
      new RegExp(`TLBI IPAS2E1IS .* takes effect at vcpu 0 \\(entry ${entry}\\)`),
    );
    expect(again.out).toMatch(new RegExp(`DSB ISH \\(entry ${entry}\\)`));
  }
  const replayed = JSON.parse(
    readFileSync(path.join(folder, 'again.json'), 'utf8'),
  ) as ReplayResult;
  expect([replayed.runs[0].regions, replayed.runs[0].granule]).toEqual([2, 'tiny']);
  const one = ['explore', '--mutant', 'hint-from-address', '--json', 'one.json'];
  expect((await typed(one, folder)).out).not.toContain('regions');
  const merged = await typed(['merge', 'x.json', 'one.json', '--json', 'both.json'], folder);
  expect(merged.out).toMatch(/hint-from-address +2 +2 +violated/);
  expect(merged.out).toMatch(/hint-from-address +1 +2 +violated/);
  const four = ['--granule', 'tiny4', '--regions', '2', '--matrix', '--protocol', 'bbm-late'];
  const matrix = await typed(['explore', ...four], folder);
  expect(matrix.out).toContain('states and time: of the row; all: 2 regions, tiny4, level 2');
  expect((await typed(['merge', 'x.json'], folder)).out).toMatch(
    /hint-from-address +2 +2 +violated/,
  );
  const compared = await typed(['compare', 'one.json', 'x.json'], folder);
  expect([compared.code, compared.err]).toEqual([2, expect.stringContaining('no row in common')]);
});

test('a changed step has a token in tables of four, too', async () => {
  const folder = emptyFolder();
  const args = ['--ablate', '--protocol', 'unmap-leafwise', '--cpu', 'bbm=1', '--accesses', '1'];
  await typed(['explore', ...args, '--granule', 'tiny4', '--json', 'x.json'], folder);
  const [run] = resultIn(folder).runs;
  const shown = run?.ablation?.find(({ token }) => token !== null);
  const again = await typed(['replay', shown?.token ?? ''], folder);
  expect([again.code, again.out]).toEqual([1, expect.stringContaining('tiny4, level 2')]);
});

test.each([
  ['--granule 4k', '--granule'],
  ['--vcpus 5', '--vcpus'],
  ['--accesses 4', '--accesses'],
  ['--matrix --cpu bbm=1', '--cpu bbm does not go with --matrix'],
  ['--errata --cpu tlbi=ipi', '--cpu tlbi does not go with --errata'],
  ['--mutant entry-unfenced', 'is a bug of the machine'],
  [
    '--cpu hdbss=on',
    "--cpu: hdbss=on is for stress; the model has the walker's updates and no log of them",
  ],
  ['--scenario two-vms --cpu tlb=0', '--scenario two-vms does not go with --cpu tlb=0'],
  [
    '--protocol bbm-late --regions 2 --against bbm-late',
    '--against does not go with --regions 2: both change one and the same entry',
  ],
  ['--regions 3', '--regions'],
  ['--scenario relocate', 'there are adjust-populated, two-vms'],
  ['--protocol bbm-latte', 'did you mean bbm-late?'],
])('%s is refused with one line', async (args, answer) => {
  const seen = await typed(['explore', ...args.split(' ')]);
  expect(seen.code).toBe(2);
  expect(seen.err.trimEnd().split('\n')).toHaveLength(1);
  expect(seen.err).toContain(answer);
  expect(seen.out).toBe('');
});

test('one vCPU runs on each PE that is named, or as many as are asked for', async () => {
  const folder = emptyFolder();
  const args = ['explore', '--protocol', 'nt-spec', '--quiet', '--json', 'x.json'];
  const vcpusOf = async (...more: string[]): Promise<number[]> => {
    await typed([...args, ...more], folder);
    return resultIn(folder).runs.map(({ vcpus }) => vcpus);
  };
  expect(await vcpusOf()).toEqual([1]);
  expect(await vcpusOf('--cpu', 'bbm=2/1,multihit=abort')).toEqual([2]);
  expect(await vcpusOf('--vcpus', '2,3')).toEqual([2, 3]);
});

/** By protocol, in the order of the CPUs: what is violated first, `safe`, or `-` where it is not meant to run. */
const MATRIX: Readonly<Record<string, string>> = {
  'bbm-late': 'safe safe safe safe safe safe safe safe safe safe',
  'bbm-late-cmo': 'safe safe safe safe safe safe safe safe safe safe',
  'bbm-early': 'safe safe safe safe safe safe safe safe safe safe',
  'bbm-early-locked': 'safe safe safe safe safe safe safe safe safe safe',
  'bbm-early-range': 'safe safe safe safe safe safe safe safe safe safe',
  'rfc-l0': 'safe safe safe safe safe safe safe safe safe safe',
  'rfc-nt-posted': '- - claim tlb-conflict claim tlb-conflict claim claim break-before-make claim',
  'rfc-nt-intended': '- - safe tlb-conflict safe tlb-conflict safe safe safe safe',
  'nt-spec': '- - safe tlb-conflict safe tlb-conflict safe safe safe safe',
  'bbml2-direct': '- - - - - - safe safe safe -',
  'bbml3-direct': '- - - - - - - - safe -',
  'split-lazy': 'safe safe safe safe safe safe safe safe safe safe',
  'split-eager': 'safe safe safe safe safe safe safe safe safe safe',
  'nt-split': '- - safe safe safe tlb-conflict safe safe safe safe',
};
const MATRIX_CPUS = [
  ...['0 translate abort', '0 translate amalgamate'],
  ...['1 translate abort', '1 conflict abort', '1 fault abort', '1 ignored abort'],
  ...['2 translate abort', '2 translate old', '3 translate new', '2/1 translate abort'],
];

test('who names more PEs than vCPUs is told where they run', async () => {
  const args = ['explore', '--protocol', 'bbm-late', '--cpu', 'bbm=2/1', '--quiet'];
  const said = 'note: bbm=2/1: the one vCPU runs on the first PE; of the others protocols see';
  expect((await typed([...args, '--vcpus', '1'])).out).toContain(said);
  expect((await typed(args)).out).not.toContain('note:');
});

test('--matrix is every protocol on every CPU it is meant for', async () => {
  const folder = emptyFolder();
  const seen = await typed(['explore', '--matrix', '--json', 'x.json'], folder);
  expect(seen.code).toBe(1);
  const { runs } = resultIn(folder);
  const found = Object.keys(MATRIX).map((protocol) => {
    const cells = MATRIX_CPUS.map((cpu) => {
      const isCell = (run: ExploreRun): boolean =>
        run.protocol === protocol && `${run.cpu.bbm} ${run.cpu.nt} ${run.cpu.multihit}` === cpu;
      const cell = runs.filter(isCell);
      expect(cell.length).toBeLessThanOrEqual(1);
      return cell[0] === undefined ? '-' : (cell[0].violations[0]?.rule ?? cell[0].verdict);
    });
    return [protocol, cells.join(' ')];
  });
  expect(Object.fromEntries(found)).toEqual(MATRIX);
  const cells = Object.values(MATRIX).flatMap((row) => row.split(' '));
  expect(runs).toHaveLength(cells.filter((cell) => cell !== '-').length);
  expect(runs.every(({ stoppedBy, states }) => stoppedBy === null && states > 0)).toBe(true);
  for (const [protocol, row] of Object.entries(MATRIX)) {
    const line = seen.out.split('\n').find((text) => text.startsWith(`${protocol} `)) ?? '';
    const printed = line
      .replaceAll(/ (?:\+\d+|†)/g, '')
      .split(/ +/)
      .slice(1, 11);
    expect(printed.join(' ')).toBe(row);
  }
  expect(seen.out).toContain('† rfc-nt-posted is shown on purpose');
});

test('Ctrl-C ends with 130, and what is done is printed and written', async () => {
  const folder = emptyFolder();
  const args = ['explore', '--protocol', 'bbm-late,nt-split', '--level', '1', '--vcpus', '4'];
  const child = spawn(process.execPath, ['--import', ...MAIN, ...args, '--json', 'x.json'], {
    cwd: folder,
  });
  let out = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => (out += text));
  // The first search is done, and the second takes far longer than a signal does.
  child.stdout.once('data', () => child.kill('SIGINT'));
  expect(await once(child, 'close')).toEqual([130, null]);
  const { exitCode, verdict, interrupted, reasons, runs } = resultIn(folder);
  expect({ exitCode, verdict, interrupted }).toEqual({
    exitCode: 130,
    verdict: 'inconclusive',
    interrupted: true,
  });
  expect(reasons).toEqual(['1 of 2 searches done']);
  expect(runs[0]).toMatchObject({ protocol: 'bbm-late', verdict: 'safe', stoppedBy: null });
  expect(runs.slice(1).every((run) => run.stoppedBy === 'interrupt')).toBe(true);
  expect(out).toContain('INCONCLUSIVE interrupted after');
});

test('with hafdbs=on a protocol that merges dirty state too early loses some', async () => {
  const folder = emptyFolder();
  writeFileSync(path.join(folder, 'mine.ts'), MERGES_EARLY);
  const args = ['explore', '--protocol', './mine.ts', '--json', 'x.json', '--cpu'];
  expect((await typed([...args, 'hafdbs=off'], folder)).code).toBe(0);
  const seen = await typed([...args, 'hafdbs=on'], folder);
  expect(seen.code).toBe(1);
  expect(seen.out).toContain('VIOLATION lost-dirty: store of page 0 by vcpu 0');
  expect(resultIn(folder).runs[0]?.cpu.hafdbs).toBe('on');
  const token = resultIn(folder).runs[0]?.violation?.token ?? '';
  expect((await typed(['replay', token], folder)).out).toContain(
    'VIOLATION lost-dirty: store of page 0',
  );
});

test('--accesses makes the programs of vCPUs longer or shorter', async () => {
  const folder = emptyFolder();
  const boundsOf = async (...more: string[]) => {
    const args = ['explore', '--protocol', 'bbm-early', '--quiet', '--json', 'x.json', ...more];
    expect((await typed(args, folder)).code).toBe(0);
    return resultIn(folder).runs.map(({ bounds }) => [bounds.accesses, bounds.programs]);
  };
  expect(await boundsOf('--accesses', '1')).toEqual([[1, 4]]);
  expect(await boundsOf()).toEqual([[2, 20]]);
  expect(await boundsOf('--accesses', '3')).toEqual([[3, 84]]);
});

test('--scenario two-vms puts a second VM beside the transition', async () => {
  const folder = emptyFolder();
  const args = ['explore', '--mutant', 'neighbour-flushed', '--json', 'x.json'];
  const seen = await typed([...args, '--scenario', 'adjust-populated,two-vms'], folder);
  expect(seen.code).toBe(1);
  expect(seen.out).toContain('neighbour-flushed (mutant), two-vms, level 2');
  expect(
    resultIn(folder).runs.map(({ scenario, violations }) => [
      scenario ?? null,
      violations.map(({ rule }) => rule),
    ]),
  ).toEqual([
    [null, []],
    ['two-vms', ['vmid-isolation']],
  ]);
  expect(
    (await typed(['explore', '--protocol', 'bbm-early', '--scenario', 'two-vms'])).out,
  ).toContain('interesting: the second VM still used its own TLB entry');
});

test('a protocol that throws takes nothing from the others, and is told by name', () => {
  const folder = emptyFolder();
  const throws = MERGES_EARLY.replace("'mine'", "'throws'").replace(
    'const child',
    "if (t.level === 2) throw new Error('no');\n    const child",
  );
  writeFileSync(path.join(folder, 'throws.js'), throws);
  const late = MERGES_EARLY.replace("'mine'", "'late'").replace(
    'const child',
    'void Promise.resolve().then(() => cpu.write(t.entry, 0n));\n    const child',
  );
  writeFileSync(path.join(folder, 'late.js'), late);
  const seen = program(
    ['explore', '--protocol', 'bbm-early,./throws.js,./late.js,bbm-late', '--json', 'x.json'],
    folder,
  );
  const result = resultIn(folder);
  expect([seen.code, result.exitCode, result.verdict]).toEqual([70, 70, 'inconclusive']);
  expect(result.runs.map(({ protocol }) => protocol)).toEqual(['bbm-early', 'bbm-late']);
  expect(result.failures?.map(({ protocol }) => protocol)).toEqual(['throws', 'late']);
  expect(seen.err).toMatch(/protocol throws threw: no/);
  expect(seen.err).toMatch(/protocol late: write after run\(\) had returned/);
});
