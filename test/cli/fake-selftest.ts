/**
 * The selftest command over engines that only wait to be interrupted: run as a process of its own,
 * sent signals.
 */
import { parseCommandLine } from '../../src/cli/parse.ts';
import { command, type RunSelftest, selftest } from '../../src/cli/commands/selftest.ts';
import { processTerminal } from '../../src/cli/terminal.ts';
import type { Outcome } from '../../src/selftest/index.ts';
import { aSelftestRun, aSurvivor } from '../selftest/builders.ts';

const input = parseCommandLine('selftest', command.flags, process.argv.slice(2));

const waiting: RunSelftest = (_options, { signal }) => {
  const { promise, resolve } = Promise.withResolvers<Outcome>();
  const alive = setInterval(() => {}, 1000);
  signal.addEventListener('abort', () => {
    clearInterval(alive);
    const runs = [aSelftestRun(), aSurvivor({ mutant: 'open', unfinished: 'interrupted' })];
    resolve({ runs, innocents: [], amplification: null, interrupted: true });
  });
  process.stderr.write('running\n');
  return promise;
};

process.exitCode = await selftest(input, processTerminal(true), () => waiting);
