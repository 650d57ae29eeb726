/**
 * All benchmarks, one after the other, as one result.
 *
 * Interrupted, it ends after the question under way, with the rows it has.
 */
import { ownModule } from '../src/package/root.ts';
import type { BenchComparison, BenchResult, BenchRun } from '../src/result/bench.ts';
import { EXIT, type ExitCode, type Verdict } from '../src/result/exit-code.ts';
import { machineInfo } from '../src/stress/process/machine-info.ts';
import { compareRuns } from './against.ts';
import { measure, PACE, type Pace } from './measure.ts';
import { buildPeer } from './peer.ts';
import type { Question } from './question.ts';
import { reasonsOf } from './rows.ts';

/** In the order of the table: those with a peer first. */
const FILES = [
  'tlb-hit',
  'walk',
  'coalesce-cycle',
  'mixed',
  'descriptor-load',
  'recorder-event',
  'second-vcpu',
  'explore-states',
  'litmus-suite',
].map((name) => ownModule(`${name}.bench`, import.meta.url).href);

export interface BenchOptions {
  readonly argv: readonly string[];
  readonly version: string;
  /** An earlier result, and the name of its file. */
  readonly against: { readonly file: string; readonly runs: readonly BenchRun[] } | null;
  readonly signal: AbortSignal;
  /** One line for people, before each question. */
  readonly onProgress: (text: string) => void;
  readonly pace?: Pace;
}

export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { argv, version, against, signal, onProgress, pace = PACE } = options;
  const startedAt = new Date().toISOString();
  const startedMs = performance.now();
  const peer = await buildPeer();
  const runs: BenchRun[] = [];
  const conclusions: string[] = [];
  try {
    for (const file of FILES) {
      if (signal.aborted) break;
      const { question } = (await import(file)) as { question: Question };
      onProgress(`${question.name}: ${question.asks}`);
      const rows = await measure(question, file, peer, pace);
      runs.push(...rows);
      conclusions.push(question.conclude(rows));
    }
  } finally {
    if (peer.kind === 'peer') await peer.remove();
  }
  const interrupted = signal.aborted;
  const comparison = against === null ? null : compareRuns(against.file, against.runs, runs);
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'bench',
    ...gradeOf(interrupted, comparison),
    reasons: [
      ...reasonsOf(runs, peer.kind === 'none' ? peer.why : null),
      ...slowerReasons(comparison),
    ],
    seed: 1,
    argv,
    version,
    machine: machineInfo(),
    startedAt,
    elapsedMs: performance.now() - startedMs,
    interrupted,
    conclusions,
    runs,
    ...(comparison === null ? {} : { against: comparison }),
  };
}

/**
 * Aims are for people: on a shared machine a missed one must not fail a build. A ratio that fell
 * beyond its interval does, and a comparison that compared nothing is none.
 */
export function gradeOf(
  interrupted: boolean,
  comparison: BenchComparison | null,
): { readonly verdict: Verdict; readonly exitCode: ExitCode } {
  if (comparison?.changes.some(({ moved }) => moved === 'slower'))
    return { verdict: 'fail', exitCode: EXIT.fail };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted };
  if (comparison?.changes.length === 0)
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive };
  return { verdict: 'pass', exitCode: EXIT.pass };
}

function slowerReasons(comparison: BenchComparison | null): string[] {
  if (comparison === null) return [];
  const { file, changes } = comparison;
  if (changes.length === 0) return [`nothing could be compared with ${file}`];
  return changes
    .filter(({ moved }) => moved === 'slower')
    .map(({ name }) => `${name}: slower than in ${file}, relative to C`);
}
