/** The result for people: the table, what each question came to, and what was missed. */
import { exitMeaning } from '../src/report/exit-meanings.ts';
import type { BenchResult } from '../src/result/bench.ts';
import { comparisonLines } from './against.ts';
import { tableOf } from './rows.ts';

export function benchText(result: BenchResult, columns: number): string {
  const { machine } = result;
  const lines = [
    `${machine.model}, ${machine.cpus} CPUs, Node ${machine.node}; rates per second, medians of ours`,
    'and the native peer in turn. Only the ratio means anything on a shared machine.',
    '',
    tableOf(result.runs, columns),
    ...result.conclusions,
  ];
  if (result.against !== undefined) lines.push('', ...comparisonLines(result.against));
  if (result.reasons.length > 0) lines.push('', ...result.reasons);
  lines.push(
    '',
    `${result.verdict.toUpperCase()}; exit ${result.exitCode}: ${exitMeaning(result.exitCode)}`,
  );
  return `${lines.join('\n')}\n`;
}
