/** The result for people: the table or the series, what each came to, and what was missed. */
import { exitMeaning } from '../src/report/exit-meanings.ts';
import type { BenchResult, BenchSeries } from '../src/result/bench.ts';
import { comparisonLines } from './against.ts';
import { seriesText } from './growth/text.ts';
import { tableOf } from './rows.ts';

export function benchText(result: BenchResult, columns: number): string {
  const lines =
    result.series === undefined
      ? runLines(result, columns)
      : growthLines(result.series, result, columns);
  if (result.against !== undefined) lines.push('', ...comparisonLines(result.against));
  if (result.reasons.length > 0) lines.push('', ...result.reasons);
  lines.push(
    '',
    `${result.verdict.toUpperCase()}; exit ${result.exitCode}: ${exitMeaning(result.exitCode)}`,
  );
  return `${lines.join('\n')}\n`;
}

function runLines({ machine, runs, conclusions }: BenchResult, columns: number): string[] {
  return [
    `${machine.model}, ${machine.cpus} CPUs, Node ${machine.node}; rates per second, medians of ours`,
    'and the native peer in turn. Only the ratio means anything on a shared machine.',
    '',
    tableOf(runs, columns),
    ...conclusions,
  ];
}

function growthLines(
  series: readonly BenchSeries[],
  { machine }: BenchResult,
  columns: number,
): string[] {
  return [
    `${machine.model}, ${machine.cpus} CPUs, Node ${machine.node}; medians over laps in which all points of`,
    'a series were measured in turn. x^p is how a cost grows; 1 is in proportion. Exponents mean',
    'something on a shared machine, figures less.',
    ...series.flatMap((one) => ['', seriesText(one, columns).trimEnd()]),
  ];
}
