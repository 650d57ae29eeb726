/**
 * The answer to "is it worth it": what cancelling migrations costs the guest under each protocol,
 * beside what each protocol costs. One table; an HTML report can use its columns.
 */
import { commandLine } from '../../package/command-line.ts';
import { type AnswerRow, answerRows } from '../../answer/rows.ts';
import type { StressRun } from '../../result/stress.ts';
import { compact, duration, shareText, significant, unitFor } from '../numbers.ts';
import { NOT_MEASURED } from '../not-measured.ts';
import type { Paint } from '../paint.ts';
import { configurationOf } from '../../result/compare/configuration.ts';
import { type Column, renderTable } from '../table.ts';
import { wrap } from '../wrap.ts';

export interface AnswerGroup {
  /** What the rows have in common: scenario, block size, vCPUs, CPU. */
  readonly title: string;
  readonly rows: readonly AnswerRow[];
}

/** Configurations that answer, each with its rows; those of one run may be compared. */
export function answerGroups(runs: readonly StressRun[], gib: number): readonly AnswerGroup[] {
  const groups = Map.groupBy(answerRows(runs, { gib }), ({ run }) => configurationOf(run));
  return [...groups].map(([title, rows]) => ({ title, rows }));
}

/** What a short answer shows: per block size the configuration with the most protocols. */
export function mainGroups(groups: readonly AnswerGroup[]): readonly AnswerGroup[] {
  const sizes = Map.groupBy(groups, ({ rows }) => rows[0]?.blockBytes ?? 0);
  return [...sizes.values()].map((all) =>
    all.reduce((best, group) => (group.rows.length > best.rows.length ? group : best)),
  );
}

type Cell = (row: AnswerRow) => string;

export function answerColumns(rows: readonly AnswerRow[]): readonly Column[] {
  const right = (group: string, title: string, cell: Cell): Column => ({
    group,
    title,
    align: 'right',
    cells: rows.map(cell),
  });
  return [
    { group: '', title: 'protocol', align: 'left', cells: rows.map(({ run }) => run.protocol) },
    right('guest time lost', 'per block', blockCell),
    right('guest time lost', 'per cancel', ({ worth }) => durationCell(worth?.perCancelNs ?? null)),
    right('guest time lost', '1 % at', atCell),
    right('', 'episode p99', ({ tailNs }) => durationCell(tailNs)),
    right('hit', 'observed', ({ run }) =>
      run.hitShare === null ? NOT_MEASURED : shareText(run.hitShare),
    ),
    right('hit', 'model', ({ model }) => (model === null ? '-' : percent(model.predicted))),
    right('walks/µs', 'idle', ({ model }) => (model === null ? '-' : perUs(model.walkRate))),
    right('walks/µs', 'fitted', fittedCell),
    right('costs', 'stores', ({ run }) => countText(run.descriptorWrites)),
    right('costs', 'TLBIs', ({ run }) => countText(run.tlbis)),
    right('costs', 'lines', ({ cost }) => (cost.lines === null ? '' : String(cost.lines))),
    {
      group: 'costs',
      title: 'needs',
      align: 'left',
      cells: rows.map(({ cost }) => (cost.needs.length === 0 ? 'v8.0' : cost.needs.join(', '))),
    },
  ];
}

const countText = (n: number): string => (Number.isInteger(n) ? String(n) : significant(n));
const percent = (share: number): string => `${significant(100 * share)}%`;
const perUs = (rate: number): string => (Number.isFinite(rate) ? significant(rate / 1e6) : '∞');
const durationCell = (ns: number | null): string => (ns === null ? '-' : duration(ns));

function blockCell({ lostNs }: AnswerRow): string {
  if (lostNs === null) return '-';
  if (lostNs.value === 0) return 'none seen';
  const unit = unitFor([lostNs.value]);
  const [value, lo, hi] = [lostNs.value, lostNs.lo, lostNs.hi].map((ns) =>
    significant(ns / unit.ns),
  );
  return `${value} [${lo}, ${hi}] ${unit.name}`;
}

/** Cancelled migrations per hour; a guest that has none to spare is not asked for more. */
function atCell({ worth }: AnswerRow): string {
  if (worth === null) return '-';
  const { cancelsForOnePercent: cancels } = worth;
  return Number.isFinite(cancels)
    ? `${cancels < 100 ? significant(cancels) : compact(cancels)}/h`
    : 'never';
}

function fittedCell({ model }: AnswerRow): string {
  if (model === null || model.observed.value === 0) return '-';
  return perUs(model.fittedRate.value);
}

/** Lines for a text report; none if no run can answer. */
export function answerLines(
  runs: readonly StressRun[],
  columnsMax: number,
  paint: Paint,
  options: { readonly gib: number; readonly all: boolean },
): string[] {
  const groups = answerGroups(runs, options.gib);
  const shown = options.all ? groups : mainGroups(groups);
  if (shown.length === 0) return [];
  const lines = ['', paint('bold', 'Is it worth it? What a cancelled migration costs the guest')];
  for (const { title, rows } of shown) {
    lines.push('', title, ...renderTable(answerColumns(rows), columnsMax, paint));
  }
  const words = legend(options.gib).flatMap((text) => wrap(text, columnsMax));
  lines.push('', ...words.map((line) => paint('dim', line)));
  return lines;
}

/** What the columns mean, and what the table does not say. */
export function legend(gib: number): readonly string[] {
  return [
    'guest time lost: from the first spurious fault of an access to its completion, all vCPUs of the ' +
      `row together; per cancel: all blocks of a guest of ${gib} GiB; 1 % at: cancelled migrations ` +
      "per hour that cost 1 % of its vCPUs' time",
    'hit: share of transitions that fault a vCPU, observed, and by the model 1 - exp(-rate x window) ' +
      'with the walk rate of undisturbed vCPUs (idle); fitted: the rate that gives what was observed, ' +
      'higher where the flush inside the window empties the TLB',
    "costs: descriptor stores and TLBIs per transition, lines of the protocol's own function, and the " +
      'features without which its steps are not allowed',
    'It does not say what an Arm server would do: TLBs are simulated, a TLBI is a message between host ' +
      'threads, an exit from the guest is a function call, and cache maintenance costs nothing unless ' +
      '--delay clean-dcache=NS says so. Put in figures of your own: ' +
      commandLine('answer -- --window NS --rate HZ'),
  ];
}
