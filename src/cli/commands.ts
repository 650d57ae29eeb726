/**
 * The commands there are. A command's file is loaded only when it is asked for, so that help costs
 * nothing and no command pays for another's imports.
 */
import type { Command } from './command.ts';

export interface CommandRow {
  readonly summary: string;
  readonly load: () => Promise<{ readonly command: Command }>;
}

const row = (summary: string, load: CommandRow['load']): CommandRow => ({ summary, load });

export const COMMANDS = {
  stress: row('real threads: measure and check protocols', () => import('./stress.ts')),
  list: row('protocols, mutants, scenarios, rules, CPU knobs', () => import('./list.ts')),
  explore: row(
    'every outcome of a small configuration under the Arm model',
    () => import('./explore.ts'),
  ),
  replay: row("one of explore's counterexamples again, step by step", () => import('./replay.ts')),
  litmus: row("herd's .litmus tests on the explorer's memory model", () => import('./litmus.ts')),
  selftest: row(
    'every mutant against the engines that must catch it: the kill table',
    () => import('./selftest.ts'),
  ),
  report: row('HTML, JUnit, KTAP and Markdown from results', () => import('./report.ts')),
  merge: row('results of shards and machines as one, with one verdict', () => import('./merge.ts')),
  'check-trace': row(
    "casemate's page-table event logs against break-before-make",
    () => import('./check-trace.ts'),
  ),
  kernel: row(
    "a kernel tree's own code in the explorer, on every CPU; what each step is for",
    () => import('./kernel.ts'),
  ),
  bench: row(
    'micro-benchmarks, and the hot paths beside the same in C',
    () => import('./bench.ts'),
  ),
  answer: row(
    'is it worth it: guest time lost, and what each protocol costs',
    () => import('./answer.ts'),
  ),
  doctor: row('this machine, and what it cannot show', () => import('./doctor.ts')),
  init: row(
    'a protocol to start from, in TypeScript, C or as a sequence',
    () => import('./init.ts'),
  ),
  help: row('help for the program or one command', () => import('./help.ts')),
};

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];
