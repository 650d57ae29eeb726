/** A selftest result as text. Pure: the same result is the same text. */
import type { Verdict } from '../../result/exit-code.ts';
import type { InnocentRun, SelftestResult, SelftestRun } from '../../result/selftest.ts';
import { amplificationLines } from './amplification-text.ts';
import { exitMeaning } from '../exit-meanings.ts';
import { machineText, repeatCommand } from './header-text.ts';
import { cannotLines, killTable, wrongRuleLines } from './kill-table.ts';
import { counted, seconds } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { alignColumns } from '../table.ts';
import { PLAIN_TEXT, type TextOptions } from './stress-text.ts';

const VERDICT_STYLES: Readonly<Record<Verdict, Style>> = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
};

export function selftestText(
  result: SelftestResult,
  { paint, columns, quiet }: TextOptions = PLAIN_TEXT,
): string {
  const { runs, innocents, amplification } = result;
  const parts: (readonly string[])[] = [];
  if (!quiet) {
    parts.push(
      alignColumns([
        ['machine', machineText(result.machine)],
        ['seeds', result.seeds.join(', ')],
        ['repeat', repeatCommand(result)],
      ]),
      killTable(runs, columns, paint),
      wrongRuleLines(runs),
      cannotLines(runs, columns),
      innocentLines(innocents),
      amplification === null ? [] : amplificationLines(amplification, columns, paint),
      countLines(runs),
    );
  }
  parts.push(verdictLines(result, paint));
  return `${parts
    .filter((part) => part.length > 0)
    .map((part) => part.join('\n'))
    .join('\n\n')}\n`;
}

function innocentLines(innocents: readonly InnocentRun[]): readonly string[] {
  if (innocents.length === 0) return [];
  const judged = innocents.filter((run) => run.unfinished === null);
  const accused = innocents.filter((run) => run.accusations.length > 0);
  const rest = accused.length === 0 ? 'none accused' : `${accused.length} ACCUSED`;
  const protocols = new Set(judged.map((run) => run.protocol)).size;
  const settings = new Set(judged.map((run) => `${run.engine} ${run.setting}`)).size;
  const open = innocents.length - judged.length;
  return [
    `correct protocols: ${counted(protocols, 'protocol')} under ${counted(settings, 'setting')} ` +
      `of the hunts, ${counted(judged.length, 'run')}: ${rest}` +
      (open === 0 ? '' : `; ${counted(open, 'more run')} not judged`),
  ];
}

function countLines(runs: readonly SelftestRun[]): readonly string[] {
  if (runs.length === 0) return [];
  const owed = runs.filter((run) => run.expected === 'caught');
  const caught = owed.filter((run) => run.observed === 'caught');
  const mutants = new Set(runs.map((run) => run.mutant)).size;
  return [
    `${counted(mutants, 'mutant')}: ${caught.length} of ${owed.length} expected catches made`,
    ...runs
      .filter((run) => run.expected === 'missed' && run.observed === 'caught')
      .map(({ mutant, column, firedRule }) => {
        return `${mutant} is marked as missed by ${column}, and was caught: ${firedRule}`;
      }),
  ];
}

function verdictLines(result: SelftestResult, paint: Paint): readonly string[] {
  const how = result.interrupted ? 'interrupted after' : 'in';
  const when = `${how} ${seconds(result.elapsedMs)}, seed ${result.seed}`;
  const word = paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase());
  return [
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${word} ${when}; exit ${result.exitCode}: ${exitMeaning(result.exitCode)}`,
  ];
}
