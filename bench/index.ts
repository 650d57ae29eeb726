/**
 * All benchmarks, one after the other, as one result.
 *
 * Interrupted, it ends after the question under way, with the rows it has.
 */
import { readFileSync } from 'node:fs';
import type { BenchResult, BenchRun } from '../src/result/bench.ts';
import { EXIT } from '../src/result/exit-code.ts';
import { machineInfo } from '../src/stress/machine-info.ts';
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
].map((name) => new URL(`${name}.bench.ts`, import.meta.url).href);

export interface BenchOptions {
  readonly argv: readonly string[];
  readonly signal: AbortSignal;
  /** One line for people, before each question. */
  readonly onProgress: (text: string) => void;
  readonly pace?: Pace;
}

export async function runBench(options: BenchOptions): Promise<BenchResult> {
  const { argv, signal, onProgress, pace = PACE } = options;
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
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'bench',
    // Aims are for people: on a shared machine a missed one must not fail a build.
    verdict: interrupted ? 'inconclusive' : 'pass',
    exitCode: interrupted ? EXIT.interrupted : EXIT.pass,
    reasons: reasonsOf(runs, peer.kind === 'none' ? peer.why : null),
    seed: 1,
    argv,
    version: packageVersion(),
    machine: machineInfo(),
    startedAt,
    elapsedMs: performance.now() - startedMs,
    interrupted,
    conclusions,
    runs,
  };
}

function packageVersion(): string {
  const url = new URL('../package.json', import.meta.url);
  return (JSON.parse(readFileSync(url, 'utf8')) as { version: string }).version;
}
