/**
 * The stress command over an engine that only waits to be interrupted: run as a process of its own,
 * sent signals.
 */
import { aResult } from '../report/results.ts';
import { STRESS_FLAGS } from '../../src/cli/commands/stress/flags.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { type RunStress, stress } from '../../src/cli/commands/stress/command.ts';
import { processTerminal } from '../../src/cli/terminal.ts';
import type { StressResult } from '../../src/result/stress.ts';

const stubborn = process.argv[2] === 'stubborn';
const input = parseCommandLine('stress', STRESS_FLAGS, process.argv.slice(3));

const waiting: RunStress = (_options, { signal }) => {
  const { promise, resolve } = Promise.withResolvers<StressResult>();
  const alive = setInterval(() => {}, 1000);
  signal.addEventListener('abort', () => {
    if (stubborn) return;
    clearInterval(alive);
    resolve(aResult({ interrupted: true, verdict: 'inconclusive', exitCode: 130 }));
  });
  process.stderr.write('running\n');
  return promise;
};

process.exitCode = await stress(input, processTerminal(true), BUILT_IN, () => waiting);
