/** What a verdict means, in words, and what it does not mean. */
import type { ResultFile } from '../result/read.ts';
import { exitMeaning } from './exit-meanings.ts';

type Command = ResultFile['command'];

export const VERDICT_CLASS = { pass: 'good', fail: 'bad', inconclusive: 'unsure' } as const;

const PASSED: Readonly<Record<Command, string>> = {
  stress:
    'No rule was violated in what happened, and the seeded bugs that ran beside it were caught. ' +
    'Real threads show some interleavings, not all: a missing release or barrier cannot show on ' +
    'this machine without --reorder, and a rare race may need more rounds.',
  explore:
    'No execution of the small configurations below breaks a rule, under a model of the Arm memory ' +
    'system and its TLBs that agrees with the published litmus verdicts. Larger configurations, and ' +
    'bugs of the simulated machine, are outside of it.',
  litmus: 'Every verdict agrees with the one expected, as far as one was given.',
  selftest: 'Every seeded bug was caught by the engines that must catch it.',
  bench: 'The measurements were taken; aims that were missed are marked.',
  'check-trace':
    'No entry of a stage-2 table in the logs breaks break-before-make. Locks and stage-1 tables are ' +
    'not judged.',
};

const FAILED: Readonly<Record<Command, string>> = {
  stress:
    'At least one rule was violated; each violation below says which, where, and what to run next.',
  explore: 'At least one execution breaks a rule; the shortest one found is shown below.',
  litmus: 'At least one verdict disagrees with the one expected.',
  selftest:
    'A seeded bug survived, or something was caught that must not be: the checker is not to be trusted yet.',
  bench: 'A comparison failed.',
  'check-trace': 'At least one table entry was changed in a way that breaks break-before-make.',
};

export function verdictMeaning(result: ResultFile): string {
  if (result.verdict === 'pass') return PASSED[result.command];
  if (result.verdict === 'fail') return FAILED[result.command];
  return `Neither a pass nor a failure: ${exitMeaning(result.exitCode)}.`;
}

/** `stress, seed 3, shard 1/4`: how a result is told from others. */
export function resultTitle(result: ResultFile): string {
  const parts: string[] = [result.command];
  if (result.seed !== null) parts.push(`seed ${result.seed}`);
  if (result.shard) parts.push(`shard ${result.shard.index}/${result.shard.count}`);
  if (result.merged) parts.push(`merged from ${result.merged.sources.length}`);
  return parts.join(', ');
}
