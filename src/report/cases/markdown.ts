/** A summary in GitHub's Markdown, short enough for the summary page of a CI job. */
import type { ResultFile, StressFile } from '../../result/read.ts';
import { type Case, countOf, suiteOf } from './cases.ts';
import { machineText, repeatCommand } from '../text/header-text.ts';
import { seconds } from '../numbers.ts';
import { runColumns } from '../columns/index.ts';
import { configurationOf } from '../../result/compare/configuration.ts';
import { resultTitle, verdictMeaning } from '../verdict-texts.ts';
import { visible, visibleLine } from '../visible.ts';

const VERDICT_MARKS = { pass: '✅', fail: '❌', inconclusive: '⚠️' } as const;
/** A job's summary may have 1 MiB; what is wrong beyond this many cases is in the other reports. */
const SHOWN_MAX = 20;

export function markdownReport(results: readonly ResultFile[]): string {
  return `${results.flatMap(resultLines).join('\n')}\n`;
}

function resultLines(result: ResultFile): string[] {
  const { cases } = suiteOf(result);
  const wrong = cases.filter(({ status }) => status === 'fail' || status === 'error');
  const machine = (result.merged?.machines ?? [result.machine]).map(machineText).join('; ');
  return [
    `## ${VERDICT_MARKS[result.verdict]} ${plain(resultTitle(result))}: ${result.verdict}`,
    '',
    plain(verdictMeaning(result)),
    '',
    `${countOf(cases, 'pass')} passed, ${countOf(cases, 'fail')} failed, ` +
      `${countOf(cases, 'error')} not judged, ${countOf(cases, 'skip')} skipped, ` +
      `in ${seconds(result.elapsedMs)}. ${plain(machine)}`,
    '',
    ...result.reasons.map((reason) => `- ${plain(reason)}`),
    ...(result.reasons.length === 0 ? [] : ['']),
    ...wrong.slice(0, SHOWN_MAX).flatMap(wrongLines),
    ...(wrong.length > SHOWN_MAX ? [`…and ${wrong.length - SHOWN_MAX} more.`, ''] : []),
    ...(result.command === 'stress' ? stressTables(result) : []),
    ...codeBlock([repeatCommand(result)]),
    '',
  ];
}

function wrongLines(one: Case): string[] {
  return [
    `### ${plain(one.name)}`,
    '',
    plain(one.message),
    '',
    ...(one.details.length === 0 ? [] : [...codeBlock(one.details), '']),
  ];
}

function stressTables({ runs }: StressFile): string[] {
  return [...Map.groupBy(runs, configurationOf)].flatMap(([title, group]) => {
    const columns = runColumns(group);
    const heads = columns.map((c) => plain(c.group === '' ? c.title : `${c.group} ${c.title}`));
    const rules = columns.map((c) => (c.align === 'right' ? '---:' : '---'));
    const rows = group.map((_, row) => columns.map((c) => plain(c.cells[row] ?? '')));
    return [
      `### ${plain(title)}`,
      '',
      ...[heads, rules, ...rows].map((cells) => `| ${cells.join(' | ')} |`),
      '',
    ];
  });
}

/** Text in which nothing is markup, a link or a mention. */
function plain(text: string): string {
  return visibleLine(text)
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll(/[\\`*_{}[\]#|~!]/g, String.raw`\$&`)
    .replaceAll('@', '&#64;')
    .replaceAll('://', '&#58;//');
}

/** A fence longer than any run of backticks inside, so that nothing inside ends it. */
function codeBlock(lines: readonly string[]): string[] {
  const inner = lines.map((text) => visible(text).replaceAll(/[\r\n]+/g, ' '));
  const longest = Math.max(
    2,
    ...inner.flatMap((text) => (text.match(/`+/g) ?? []).map((run) => run.length)),
  );
  const fence = '`'.repeat(longest + 1);
  return [`${fence}text`, ...inner, fence];
}
