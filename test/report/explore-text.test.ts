/** Text of explore results: what a search came to, the matrix, schedules with and without reasons. */
import { describe, expect, it } from 'vitest';
import { type CpuModel, cpuFor, cpuResultOf } from '../../src/arch/cpu-model.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { errataLines } from '../../src/report/text/errata-text.ts';
import {
  endLines,
  belowTable,
  matrixLines,
  runText,
  searchText,
  tableLines,
} from '../../src/report/text/explore-text.ts';
import { PLAIN } from '../../src/report/paint.ts';
import { formatSchedule, toComeLines } from '../../src/report/text/schedule-text.ts';
import { ALL_PROTOCOLS } from '../../src/protocols/index.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { builtin } from '../explore/protocol/fixtures.ts';

const explored = (name: string, cpu = {}) =>
  exploreProtocol({ protocol: builtin(name), cpu, kinds: ['load'] });

const STEPS = [
  { thread: 'hypervisor', op: 'write', detail: 'entry = invalid', why: 'the break' },
  { thread: 'hypervisor', op: 'dsb', detail: 'DSB ISH' },
  {
    thread: 'vcpu 0',
    op: 'fault',
    detail: 'load page 0',
    why: 'a page that was mapped before and after, and the protocol claims to keep it so',
  },
];

describe('a schedule', () => {
  it('has one column per thread', () => {
    expect(formatSchedule(STEPS).split('\n')).toEqual([
      '  #  hypervisor             vcpu 0',
      '  1  write entry = invalid',
      '  2  DSB ISH',
      '  3                         fault load page 0',
    ]);
  });

  it('has reasons beside its steps where they are wanted, and the broken step is marked', () => {
    expect(formatSchedule(STEPS, { columns: 90, broken: 2, reasons: true }).split('\n')).toEqual([
      '  #  hypervisor             vcpu 0             why',
      '  1  write entry = invalid                     the break',
      '  2  DSB ISH',
      '! 3                         fault load page 0  a page that was mapped before and after,',
      '                                               and the protocol claims to keep it so',
    ]);
  });
});

describe('what is still to come', () => {
  const dsb = { thread: 'hypervisor', op: 'dsb', detail: 'DSB ISH' };

  it('is one line of at most 76 columns', () => {
    expect(toComeLines([])).toEqual([]);
    expect(toComeLines([STEPS[0] ?? dsb, dsb])).toEqual([
      'still to come: write entry = invalid, DSB ISH',
    ]);
    const many = Array.from({ length: 20 }, () => dsb);
    expect(toComeLines(many)).toEqual([
      'still to come: DSB ISH, DSB ISH, DSB ISH, DSB ISH, DSB ISH, DSB ISH, 14 more',
    ]);
    expect(toComeLines(many, 40)).toEqual(['still to come: DSB ISH, DSB ISH, 18 more']);
  });

  it('is a line for each thread that has more to do', () => {
    const other = { ...dsb, thread: 'hypervisor 2' };
    expect(toComeLines([other])).toEqual(['still to come of hypervisor 2: DSB ISH']);
    expect(toComeLines([{ ...dsb, thread: 'hypervisor 1' }, other])).toEqual([
      'still to come of hypervisor 1: DSB ISH',
      'still to come of hypervisor 2: DSB ISH',
    ]);
  });
});

describe('a search', () => {
  const run = explored('rfc-nt-posted', { bbm: [1], nt: 'conflict' });

  it('shows every violation with its own whole schedule and how to replay it', () => {
    const text = runText(run, PLAIN);
    expect(run.violations.length).toBeGreaterThan(1);
    for (const violation of run.violations) {
      expect(text).toContain(`VIOLATION ${violation.rule}`);
      expect(text).toContain(`npm run replay -- ${violation.token}\n`);
      for (const line of formatSchedule(violation.steps).split('\n')) expect(text).toContain(line);
    }
    // What the hypervisor does behind the fault.
    expect(text).toMatch(/\n    still to come: \S/);
    expect(text.split('\n').filter((line) => line.includes('#  hypervisor'))).toHaveLength(
      run.violations.length,
    );
  });

  it('says of operations that they are', () => {
    const direct = explored('bbml2-direct', { bbm: [0], multihit: 'abort' });
    expect(runText(direct, PLAIN)).toContain(
      'VIOLATION break-before-make, by the operations themselves: ',
    );
  });

  it('is one row, with columns for what differs only', () => {
    const rows = tableLines([run, explored('bbm-early', { bbm: [1], nt: 'conflict' })], 160, PLAIN);
    expect(rows).toHaveLength(3);
    expect(rows[0]).toMatch(/^protocol +verdict +rules +states +time$/);
    const more = tableLines([run, explored('bbm-early')], 160, PLAIN);
    expect(more[0]).toMatch(/^protocol +cpu +verdict/);
    expect(tableLines([], 160, PLAIN)).toEqual([]);
  });
});

describe('a matrix', () => {
  const conflict = { bbm: [1], nt: 'conflict' };
  const safe = explored('nt-split', conflict);
  const shown = { ...explored('rfc-nt-posted'), exhibit: 'on purpose' };
  const lines = matrixLines([safe, shown, explored('rfc-nt-posted', conflict)], 160, PLAIN);

  it('has a column per CPU and a row per protocol', () => {
    expect(lines[0]?.trim()).toBe('bbm=1');
    expect(lines[1]).toMatch(/^protocol +conflict +translate +states +time$/);
    expect(lines[2]).toMatch(/^nt-split +safe +- +/);
    expect(lines[3]).toMatch(/^rfc-nt-posted +tlb-conflict \+1 +claim † +/);
  });

  it('says what its marks are, of those that it has', () => {
    expect(lines[4]).toBe(
      '  - not meant for this CPU; +N and N rules more; states and time: of the row',
    );
    expect(matrixLines([safe], 160, PLAIN)[3]).toBe('  states and time: of the row');
  });

  it('explains exhibits, and replays the rest', () => {
    expect(lines[5]).toBe('  † rfc-nt-posted is shown on purpose: on purpose');
    expect(lines[6]).toMatch(
      /^ {2}rfc-nt-posted, bbm=1 nt=conflict: tlb-conflict: npm run replay -- r1:/,
    );
    expect(lines).toHaveLength(7);
  });

  it('has its columns in the order of levels, whichever protocol is first', () => {
    const cpus: readonly Partial<CpuModel>[] = [
      { bbm: [2, 1] },
      { bbm: [3], multihit: 'new' },
      { bbm: [1] },
      { bbm: [0] },
    ];
    const runs = cpus.map((cpu) => ({
      ...safe,
      cpu: cpuResultOf(cpuFor(builtin('bbm-early'), cpu)),
    }));
    const [groups] = matrixLines(runs, 160, PLAIN);
    expect(groups?.trim().split(/ {2,}/)).toEqual(['bbm=0', 'bbm=1', 'bbm=3', 'bbm=2/1']);
  });

  it('says how many vCPUs a replay has where that differs', () => {
    const run = explored('rfc-nt-posted', conflict);
    const replays = belowTable([run, { ...run, vcpus: 2 }]);
    expect(replays.map((line) => line.split(': ')[0])).toEqual([
      '  rfc-nt-posted, bbm=1 nt=conflict, 1 vCPU',
      '  rfc-nt-posted, bbm=1 nt=conflict, 2 vCPUs',
    ]);
  });
});

describe('errata', () => {
  // Of unmapping a load sees what is wrong.
  const unmapped = (cpu: object): ExploreRun => {
    const protocol = ALL_PROTOCOLS.find(({ name }) => name === 'unmap-leafwise');
    if (protocol === undefined) throw new Error('it is not there');
    return exploreProtocol({ protocol, cpu, kinds: ['load'] });
  };
  const cpus = [{ bbm: [1] }, { bbm: [1], tlbi: 'ipi' }];
  const runs = [...cpus.map((cpu) => explored('nt-split', cpu)), ...cpus.map(unmapped)];
  const lines = errataLines(runs, 100, PLAIN);

  it('have a column each, and what they are below', () => {
    expect(lines[0]).toMatch(/^protocol +no erratum +ipi$/);
    expect(lines[1]).toMatch(/^nt-split +safe +safe$/);
    expect(lines[2]).toMatch(/^unmap-leafwise +safe +stale-translation$/);
    expect(lines[3]).toBe('  all: level 2, 1 vCPU, bbm=1, nt=translate');
    expect(lines[4]).toMatch(/^ {2}ipi: TLBI and DSB remove the entries, /);
    expect(lines.at(-1)).toMatch(
      /^ {2}unmap-leafwise, bbm=1 nt=translate tlbi=ipi: stale-translation: npm run replay -- r1:/,
    );
    expect(lines.every((line) => line.length <= 100 || line.includes('npm run'))).toBe(true);
  });

  it('have a row for each CPU of a protocol, and none where there is one erratum only', () => {
    const more = [...runs, explored('nt-split', { bbm: [2] })];
    const rows = errataLines(more, 100, PLAIN).slice(1, 4);
    expect(rows.map((row) => row.replaceAll(/ {2,}/g, '|').trim())).toEqual([
      'nt-split bbm=1|safe|safe',
      'unmap-leafwise|safe|stale-translation',
      'nt-split bbm=2|safe',
    ]);
    expect(errataLines(runs.slice(1, 2), 100, PLAIN)[0]).toMatch(/^protocol +verdict /);
  });

  it('have one column for what makes up for them, whose row is that of the protocol as it is', () => {
    const [, , , broken] = runs;
    const repaired = (name: string, run: ExploreRun, by: 'repeat' | 'interrupt'): ExploreRun => ({
      ...{ ...run, protocol: `${name}-${by}`, repaired: { protocol: name, by } },
      ...(by === 'repeat' && { cpu: { ...run.cpu, tlbi: 'repeat' } }),
    });
    const ipi = runs[1] as ExploreRun;
    const all = [
      ...runs,
      repaired('nt-split', ipi, 'interrupt'),
      repaired('nt-split', ipi, 'repeat'),
      repaired('unmap-leafwise', ipi, 'interrupt'),
      repaired('unmap-leafwise', broken as ExploreRun, 'repeat'),
    ];
    const text = errataLines(all, 100, PLAIN);
    expect(text.slice(0, 3).map((row) => row.replaceAll(/ {2,}/g, '|').trim())).toEqual([
      'protocol|no erratum|ipi|repaired',
      'nt-split|safe|safe|safe',
      'unmap-leafwise|safe|stale-translation|repeat: stale-translation',
    ]);
    expect(text.join(' ')).toContain('  repaired: the protocol on all of these cores, with ');
    expect(text.at(-1)).toMatch(/^ {2}unmap-leafwise \(repaired\), .*tlbi=repeat: stale-/);
  });

  it('are named where a search is', () => {
    expect(searchText(runs[1] as ExploreRun)).toBe('level 2, 1 vCPU, bbm=1 nt=translate tlbi=ipi');
  });
});

it('says what was left out before the verdict', () => {
  const end = { runs: [], verdict: 'pass', exitCode: 0, reasons: [], elapsedMs: 1000 } as const;
  const remarks = ['some were left out'];
  expect(endLines({ ...end, interrupted: false, remarks }, PLAIN)).toEqual([
    'note: some were left out',
    'PASS in 1.0 s; exit 0: every check passed',
  ]);
});
