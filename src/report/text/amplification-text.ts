/** What `--reorder` is worth, as a table. Pure. */
import type {
  AmplificationResult,
  AmplificationRun,
  DetectionRate,
} from '../../result/selftest.ts';
import { grouped, shareText, significant } from '../numbers.ts';
import type { Paint, Style } from '../paint.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';

export function amplificationLines(
  { runs, useless }: AmplificationResult,
  columnsMax: number,
  paint: Paint,
): readonly string[] {
  const shown = runs.filter((run) => run.effect !== 'saturated');
  const saturated = new Set(
    runs.filter((run) => run.effect === 'saturated').map((run) => run.mutant),
  );
  const lines: string[] = [];
  if (shown.length > 0) lines.push(...renderTable(columnsOf(shown), columnsMax, paint), ...LEGEND);
  if (saturated.size > 0) {
    const text = 'no help needed, seen in more than a third of the transitions: ';
    lines.push(...wrap(text + [...saturated].join(', '), columnsMax));
  }
  const best = [...Map.groupBy(shown, (run) => run.setting)].flatMap(([setting, own]) => {
    const amplified = own.filter((run) => run.effect === 'amplified');
    return amplified.length === 0
      ? []
      : [`${setting} helps: ${amplified.length} of ${own.length} mutants`];
  });
  lines.push('', ...best, ...useless.map(({ setting, why }) => `${setting} does not help: ${why}`));
  return lines;
}

const LEGEND = [
  'detections: transitions in which a thread saw a sign of an expected rule, of all of that side;',
  'share with its 95 % interval (Wilson); ratio of the shares, and of the nearest ends of their',
  'intervals; helps: three times as many, with each seed, and the intervals apart',
];

function columnsOf(runs: readonly AmplificationRun[]): readonly Column[] {
  return [
    text('', 'mutant', runs, (run) => run.mutant),
    text('', 'setting', runs, (run) => run.flags.replaceAll('--', '')),
    number('with', 'detections', runs, (run) => detectionsText(run.with)),
    text('with', 'share', runs, (run) => rateText(run.with)),
    number('without', 'detections', runs, (run) => detectionsText(run.without)),
    text('without', 'share', runs, (run) => rateText(run.without)),
    number('', 'ratio', runs, ratioText),
    number('', 'at least', runs, (run) => significant(run.ratioAtLeast)),
    { ...text('', 'effect', runs, effectText), style: effectStyle },
  ];
}

function detectionsText({ detections, transitions }: DetectionRate): string {
  return `${grouped(detections)} of ${grouped(transitions)}`;
}

function rateText({ rate, transitions }: DetectionRate): string {
  return transitions === 0 ? '' : shareText(rate);
}

function ratioText(run: AmplificationRun): string {
  if (run.ratio !== null) return significant(run.ratio);
  return run.with.detections === 0 ? '' : 'from none';
}

function effectText(run: AmplificationRun): string {
  if (run.unfinished !== null) return 'not done';
  return run.effect === 'amplified' ? 'helps' : 'no';
}

function effectStyle(cell: string): Style | null {
  return cell === 'helps' ? 'green' : 'yellow';
}

function text(
  group: string,
  title: string,
  runs: readonly AmplificationRun[],
  cell: (run: AmplificationRun) => string,
): Column {
  return { group, title, align: 'left', cells: runs.map(cell) };
}

function number(
  group: string,
  title: string,
  runs: readonly AmplificationRun[],
  cell: (run: AmplificationRun) => string,
): Column {
  return { group, title, align: 'right', cells: runs.map(cell) };
}
