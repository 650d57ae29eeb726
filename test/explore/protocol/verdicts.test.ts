/**
 * Every protocol on every kind of CPU that makes a difference to it: the verdict, the rules broken
 * (by a schedule, or * by the operations alone), and what else may happen.
 */
import { describe, expect, it } from 'vitest';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { builtin, exploreLoads, oddities } from './fixtures.ts';

const CPUS = {
  'bbm=0': { bbm: [0] },
  'bbm=0 amalgamate': { bbm: [0], multihit: 'amalgamate' },
  'bbm=1 translate': { bbm: [1] },
  'bbm=1 conflict': { bbm: [1], nt: 'conflict' },
  'bbm=1 fault': { bbm: [1], nt: 'fault' },
  'bbm=1 ignored': { bbm: [1], nt: 'ignored' },
  'bbm=2 abort': { bbm: [2] },
  'bbm=2 old': { bbm: [2], multihit: 'old' },
  'bbm=3': { bbm: [3], multihit: 'new' },
  'bbm=1/2': { bbm: [1, 2] },
} as const satisfies Record<string, Partial<CpuModel>>;
type CpuName = keyof typeof CPUS;

const CPU_NAMES = Object.keys(CPUS) as CpuName[];

/** `safe`, or the rules; then what is not plainly good. */
function verdictText(run: ExploreRun): string {
  const rules = run.violations.map(({ rule, by }) => `${rule}${by === 'schedule' ? '' : '*'}`);
  const verdict = run.verdict === 'violated' ? rules.join(' ') : run.verdict;
  return [verdict, ...oddities(run)].join(' | ');
}

const WINDOW = 'safe | spurious fault';
const CLAIM = 'claim | spurious fault';
const CONFLICT = 'tlb-conflict | conflict';
const DIRECT = 'break-before-make* tlb-conflict | conflict';
const MIXED = 'break-before-make* wrong-output-address | amalgamation';

const sameOnAll = (text: string): Record<CpuName, string> =>
  Object.fromEntries(CPU_NAMES.map((name) => [name, text])) as Record<CpuName, string>;

const EXPECTED: Readonly<Record<string, Record<CpuName, string>>> = {
  'bbm-late': sameOnAll(WINDOW),
  'bbm-late-cmo': sameOnAll(WINDOW),
  'bbm-early': sameOnAll(WINDOW),
  'bbm-early-locked': sameOnAll(WINDOW),
  'bbm-early-range': sameOnAll(WINDOW),
  'rfc-l0': sameOnAll(WINDOW),
  'split-lazy': sameOnAll(WINDOW),
  'split-eager': sameOnAll(WINDOW),
  'rfc-nt-posted': {
    ...sameOnAll(CLAIM),
    'bbm=1 conflict': 'tlb-conflict claim | conflict | spurious fault',
    'bbm=1 fault': 'claim | nT fault | spurious fault',
    'bbm=1 ignored': 'tlb-conflict claim | conflict | spurious fault',
    // Defect D2: it returns with the entry invalid and nothing flushed.
    'bbm=3':
      'break-before-make* stale-translation claim table-leak* refcount* | ' +
      'spurious fault | stale old',
  },
  'rfc-nt-intended': {
    ...sameOnAll('safe'),
    // Without FEAT_BBM it breaks before it makes, whatever it claims.
    'bbm=0': CLAIM,
    'bbm=0 amalgamate': CLAIM,
    'bbm=1 conflict': CONFLICT,
    'bbm=1 fault': 'safe | nT fault',
    'bbm=1 ignored': CONFLICT,
  },
  'nt-spec': {
    ...sameOnAll('safe'),
    'bbm=0': DIRECT,
    'bbm=0 amalgamate': MIXED,
    'bbm=1 conflict': CONFLICT,
    'bbm=1 fault': 'safe | nT fault',
    'bbm=1 ignored': CONFLICT,
  },
  'nt-split': {
    ...sameOnAll('safe'),
    'bbm=0': DIRECT,
    'bbm=0 amalgamate': MIXED,
    // nT first, then the flush: no page entry stands beside the nT block.
    'bbm=1 conflict': 'safe',
    'bbm=1 fault': 'safe | nT fault',
    'bbm=1 ignored': CONFLICT,
  },
  'bbml2-direct': {
    ...sameOnAll('break-before-make* | conflict'),
    'bbm=0 amalgamate': MIXED,
    'bbm=2 abort': 'safe | conflict',
    'bbm=2 old': 'safe',
    'bbm=3': 'safe',
  },
  'bbml3-direct': {
    ...sameOnAll(DIRECT),
    'bbm=0 amalgamate': MIXED,
    'bbm=2 abort': CONFLICT,
    'bbm=2 old': 'safe',
    'bbm=3': 'safe',
  },
};

describe.each(Object.keys(EXPECTED))('%s', (name) => {
  it.each(CPU_NAMES)('on a CPU of %s', (cpuName) => {
    // The CPU is given in full, so that what a protocol was written for does not hide it.
    const cpu = { nt: 'translate', multihit: 'abort', ...CPUS[cpuName] } as const;
    const run = exploreLoads(builtin(name), cpu);
    expect(verdictText(run)).toBe(EXPECTED[name]?.[cpuName]);
    expect(run.stoppedBy).toBeNull();
    expect(run.states).toBeGreaterThan(0);
    expect(run.executions).toBeGreaterThan(0);
  });
});

describe('with loads and stores', () => {
  it.each([
    ['bbm-early', WINDOW],
    ['rfc-nt-intended', 'safe'],
    ['rfc-nt-posted', CLAIM],
    ['bbml2-direct', 'safe | conflict'],
  ])('%s is judged the same', (name, text) => {
    expect(verdictText(exploreProtocol({ protocol: builtin(name) }))).toBe(text);
  });
});

describe('with a level-1 entry over two tables of pages', () => {
  it.each([
    ['bbm-late', WINDOW],
    ['bbm-early-range', WINDOW],
    ['rfc-nt-intended', 'safe'],
    ['rfc-nt-posted', CLAIM],
    ['split-eager', WINDOW],
    ['nt-split', 'safe'],
  ])('%s is judged the same', (name, text) => {
    const run = exploreProtocol({ protocol: builtin(name), level: 1, kinds: ['load'] });
    expect(verdictText(run)).toBe(text);
  });
});

describe('with two vCPUs', () => {
  it.each([
    ['bbm-early', []],
    ['rfc-nt-intended', []],
    ['rfc-nt-posted', ['claim']],
    ['bbml3-direct', []],
  ])('%s is judged the same', (name, rules) => {
    const run = exploreProtocol({ protocol: builtin(name), vcpus: 2, kinds: ['load'] });
    expect(run.violations.map(({ rule }) => rule)).toEqual(rules);
    expect(run.outcomes.every(({ id }) => id.includes('vcpu 0') && id.includes('vcpu 1'))).toBe(
      true,
    );
    expect(run.stoppedBy).toBeNull();
  });
});

describe('FEAT_ETS2', () => {
  const late = (ets: 'none' | 'ets2'): boolean =>
    exploreLoads(builtin('bbm-early'), { ets }).outcomes.some(({ id }) =>
      id.includes('after: spurious fault'),
    );

  it('orders the walk of a fault after the load that saw the lock free', () => {
    expect(late('ets2')).toBe(false);
    expect(late('none')).toBe(true);
  });
});
