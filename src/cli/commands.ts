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
  litmus: row("herd's .litmus tests on the explorer's memory model", () => import('./litmus.ts')),
  help: row('help for the program or one command', () => import('./help.ts')),
};

export type CommandName = keyof typeof COMMANDS;
export const COMMAND_NAMES = Object.keys(COMMANDS) as readonly CommandName[];
