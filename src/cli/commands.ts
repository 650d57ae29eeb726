/**
 * The commands there are. A command's file is loaded only when it is asked for, so that help costs
 * nothing and no command pays for another's imports.
 */
import type { CommandRow } from './command.ts';
import { completionOf } from './completion.ts';
import { helpOf } from './help.ts';

const row = (summary: string, load: CommandRow['load']): CommandRow => ({ summary, load });

const FILES = {
  stress: row(
    'real threads: measure and check protocols',
    () => import('./commands/stress/command.ts'),
  ),
  list: row('protocols, mutants, scenarios, rules, CPU knobs', () => import('./commands/list.ts')),
  explore: row(
    'every outcome of a small configuration under the Arm model',
    () => import('./commands/explore/command.ts'),
  ),
  replay: row(
    "one of explore's counterexamples again, step by step",
    () => import('./commands/replay.ts'),
  ),
  litmus: row(
    "herd's .litmus tests on the explorer's memory model",
    () => import('./commands/litmus.ts'),
  ),
  selftest: row(
    'every mutant against the engines that must catch it: the kill table',
    () => import('./commands/selftest.ts'),
  ),
  report: row('HTML, JUnit, KTAP and Markdown from results', () => import('./commands/report.ts')),
  merge: row(
    'results of shards and machines as one, with one verdict',
    () => import('./commands/merge.ts'),
  ),
  compare: row(
    'two results: verdicts that changed, figures that differ beyond their intervals',
    () => import('./commands/compare.ts'),
  ),
  'check-trace': row(
    "casemate's page-table event logs against break-before-make",
    () => import('./commands/check-trace/command.ts'),
  ),
  trace: row(
    'boots a kernel under QEMU, logs what KVM does to its tables, and judges it',
    () => import('./commands/trace.ts'),
  ),
  kernel: row(
    "a kernel tree's own code in the explorer, on every CPU; what each step is for",
    () => import('./commands/kernel/command.ts'),
  ),
  bench: row(
    'micro-benchmarks, and the hot paths beside the same in C',
    () => import('./commands/bench.ts'),
  ),
  answer: row(
    'is it worth it: guest time lost, and what each protocol costs',
    () => import('./commands/answer.ts'),
  ),
  doctor: row('this machine, and what it cannot show', () => import('./commands/doctor.ts')),
  init: row(
    'a protocol to start from, in TypeScript, C or as a sequence',
    () => import('./commands/init/command.ts'),
  ),
};

export type CommandName = keyof typeof FILES | 'completion' | 'help';

export const COMMANDS: Readonly<Record<CommandName, CommandRow>> = {
  ...FILES,
  completion: row('completion for bash, zsh and fish', () =>
    Promise.resolve({ command: completionOf(COMMANDS) }),
  ),
  help: row('help for the program or one command', () =>
    Promise.resolve({ command: helpOf(COMMANDS) }),
  ),
};

export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];
