/**
 * What results of any command are made of, for a comparison: named rows, each with a verdict, what it is
 * blamed for, and figures that are known within an interval. Higher figures cost more.
 */
import { configurationOf } from './configuration.ts';
import type { Estimate, Percentiles } from '../estimate.ts';
import { ResultError, type ResultFile } from '../read.ts';
import { type ExploreRun, levelText } from '../explore.ts';
import type { StressRun } from '../stress.ts';

export interface Subject {
  /** The same in both results. */
  readonly name: string;
  readonly verdict: string;
  /** 0 is what one wants; null: neither good nor bad. */
  readonly badness: number | null;
  /** Rules, or causes, that speak against it. */
  readonly blamed: readonly string[];
  readonly figures: readonly Figure[];
}

export interface Figure {
  readonly name: string;
  readonly unit: 'share' | 'ns';
  /** Null: not measured, or not known within an interval. */
  readonly value: Estimate | null;
}

const BADNESS = { pass: 0, inconclusive: 1, fail: 2, safe: 0, bounded: 1, violated: 2 } as const;
const TRACE_BADNESS = { clean: 0, 'not-judged': 1, violated: 2 } as const;

export function subjectsOf(result: ResultFile): readonly Subject[] {
  switch (result.command) {
    case 'stress':
      return result.runs.map(stressSubject);
    case 'explore':
      return result.runs.map(exploreSubject);
    case 'selftest':
      return result.runs.map((run) => ({
        ...plain(`${run.mutant} by ${run.column}${run.setting === '' ? '' : ` ${run.setting}`}`),
        verdict: run.observed,
        badness: run.expected === 'missed' ? null : run.observed === 'missed' ? 1 : 0,
      }));
    case 'litmus':
      return result.runs.map((run) => ({
        ...plain(`${run.name}, ${run.arch}`),
        verdict: run.verdict,
        badness: run.agrees === undefined ? null : run.agrees ? 0 : 1,
      }));
    case 'check-trace':
      return result.runs.map((run) => ({
        ...plain(run.file),
        verdict: run.verdict,
        badness: TRACE_BADNESS[run.verdict],
        blamed: run.violations.map(({ rule, place }) => `${rule} at ${place}`),
      }));
    case 'bench':
      throw new ResultError('results of bench are compared by bench -- --against FILE');
    default:
      return result satisfies never;
  }
}

const plain = (name: string): Subject => ({
  name,
  verdict: '',
  badness: 0,
  blamed: [],
  figures: [],
});

function stressSubject(run: StressRun): Subject {
  const who = run.mutant === null ? run.protocol : `${run.mutant} (mutant)`;
  const time = (name: string, of: Percentiles | null): Figure[] => [
    { name: `${name} p50`, unit: 'ns', value: within(of?.p50, of?.p50Interval) },
    { name: `${name} p99`, unit: 'ns', value: within(of?.p99, of?.p99Interval) },
  ];
  return {
    name: `${who}, ${configurationOf(run)}`,
    verdict: run.verdict,
    badness: BADNESS[run.verdict],
    // What is shown on purpose is no news.
    blamed: run.exhibit === null ? run.violations.map(({ rule }) => rule) : [],
    figures: [
      { name: 'hit', unit: 'share', value: run.hitShare },
      ...time('window', run.windowNs),
      ...time('episode', run.episodeNs),
      ...time('flush', run.flushNs),
      { name: 'guest time lost per block', unit: 'ns', value: run.answer.lostNs },
    ],
  };
}

function within(
  value: number | null | undefined,
  interval: readonly [number, number] | undefined,
): Estimate | null {
  if (value === null || value === undefined || interval === undefined) return null;
  return { value, lo: interval[0], hi: interval[1] };
}

function exploreSubject(run: ExploreRun): Subject {
  const { mutant, protocol, against = null, scenario, vcpus, cpu, part } = run;
  const knobs = Object.entries(cpu).map(([knob, value]) => `${knob}=${value}`);
  const parts = [
    mutant === null ? protocol : `${mutant} (mutant)`,
    ...(against === null ? [] : [`against ${against}`]),
    ...(scenario === undefined ? [] : [scenario]),
    levelText(run),
    `${vcpus} vCPU${vcpus === 1 ? '' : 's'}`,
    knobs.join(' '),
    ...(part === undefined ? [] : [`parts ${part.from + 1} to ${part.to} of ${part.of}`]),
  ];
  return {
    name: parts.join(', '),
    verdict: run.verdict,
    // Shown on purpose: whether it is violated is judged, not that.
    badness: run.exhibit === undefined ? BADNESS[run.verdict] : null,
    blamed: run.violations.map(({ rule }) => rule),
    figures: [],
  };
}
