/**
 * Verdicts of searches: protocol by configuration, or by erratum where that is what they differ in. The
 * column after the protocol's says the worst of its row: a phone shows no more.
 */
import type { ExploreRun, ExploreViolation } from '../../result/explore.ts';
import {
  errataColumns,
  errataLegend,
  type ErratumColumn,
  erratumOf,
  isRepaired,
  REPAIRED,
  repairedCell,
  rowName,
  withoutErratum,
} from '../errata.ts';
import { searchText } from '../text/explore-text.ts';
import { apart, type Apart } from '../apart.ts';
import { anchor, html, type Html, type HtmlValue, NOTHING } from './html.ts';
import { columnsOf, table } from './table.ts';

export function subject(run: ExploreRun): string {
  if (run.mutant === null) return run.protocol;
  return `${run.mutant} (mutant${isRepaired(run) ? ', repaired' : ''})`;
}

/** The same of what is in its row, repaired or not. */
const rowSubject = (run: ExploreRun): string =>
  run.mutant === null ? rowName(run) : `${run.mutant} (mutant)`;

/** Where the counterexamples of a search begin. */
export const anchorOf = (run: ExploreRun, prefix?: string): string =>
  anchor(`${subject(run)} ${searchText(run)}`, prefix);

/** Which anchor a run's cell leads to. */
type AnchorOf = (run: ExploreRun) => string;

const within: AnchorOf = (run) => anchorOf(run);

export function verdicts(runs: readonly ExploreRun[]): Html {
  const errata = errataColumns(runs);
  return errata === null ? byConfiguration(runs) : byErratum(runs, errata);
}

const MARKS = { safe: '✓', violated: '✗', bounded: '?' } as const;
const STYLES = { safe: 'green', violated: 'red', bounded: 'yellow' } as const;

function word(run: ExploreRun, text: string, to: AnchorOf): Html {
  const marked = html`<span class="${STYLES[run.verdict]} short"
    >${MARKS[run.verdict]} ${text}</span
  >`;
  return run.violations.length === 0 ? marked : html`<a href="#${to(run)}">${marked}</a>`;
}

function verdictCell(runs: readonly ExploreRun[], to = within): HtmlValue {
  return runs.map((run) => {
    const rules = run.violations.map(({ rule }) => rule).join(', ');
    const shown = run.exhibit === undefined ? rules : `${rules}, shown on purpose`;
    const why = run.verdict === 'bounded' ? `bound ${run.stoppedBy ?? 'unknown'}` : shown;
    return html`${word(run, run.verdict, to)}${why === '' ? '' : `: ${why}`} `;
  });
}

/** `✗ 3 of 10`, and leads to the first of them. */
function worstCell(runs: readonly ExploreRun[]): HtmlValue {
  for (const verdict of ['violated', 'bounded'] as const) {
    const own = runs.filter((run) => run.verdict === verdict);
    const [first] = own;
    if (first !== undefined) return word(first, `${own.length} of ${runs.length}`, within);
  }
  const [first] = runs;
  return first === undefined ? '' : word(first, 'safe', within);
}

function byConfiguration(runs: readonly ExploreRun[]): Html {
  const heads = [...new Set(runs.map(searchText))];
  const rows = [...Map.groupBy(runs, subject)];
  const { titles, ...said } = apart(heads);
  const titleOf = (run: ExploreRun): string => titles[heads.indexOf(searchText(run))] ?? '';
  // Each where it was written for: a column per configuration would be empty but for a few.
  if (heads.length > 1 && rows.every(([, own]) => own.length === 1)) {
    const cells = rows.map(([name, own]) => [name, verdictCell(own), own.map(titleOf).join('')]);
    return html`${saidOnce(said, '')}${table('Verdicts', columnsOf('protocol', 'verdict', 'on'), cells)}`;
  }
  const worst = heads.length > 2;
  const cells = rows.map(([name, own]) => [
    name,
    ...(worst ? [worstCell(own)] : []),
    ...heads.map((head) => verdictCell(own.filter((run) => searchText(run) === head))),
  ]);
  const columns = columnsOf('protocol', ...(worst ? ['worst'] : []), ...titles);
  const isFull = rows.every(([, own]) => own.length >= heads.length);
  return html`${saidOnce(said, isFull ? '' : 'An empty field was not explored.')}
  ${table('Verdict matrix', columns, cells)}`;
}

export function byErratum(
  runs: readonly ExploreRun[],
  errata: readonly ErratumColumn[],
  to = within,
): Html {
  const placeOf = (run: ExploreRun): string => searchText(withoutErratum(run));
  const heads = [...new Set(runs.map(placeOf))];
  const { titles, ...said } = apart(heads);
  const keyOf = (run: ExploreRun): string => JSON.stringify([rowSubject(run), placeOf(run)]);
  const isNamed = heads.length > 1;
  const hasRepaired = runs.some(isRepaired);
  const rows = [...Map.groupBy(runs, keyOf).values()].flatMap((own) => {
    const [first] = own;
    if (first === undefined) return [];
    const on = titles[heads.indexOf(placeOf(first))] ?? '';
    const asIs = own.filter((run) => !isRepaired(run));
    const cells = errata.map((column) =>
      rulesCell(
        own.filter((run) => column.runs.includes(run)),
        to,
      ),
    );
    const mended = repairedCell(own, (run, erratum) => [erratum, rulesCell([run], to)]);
    return [
      [
        ...[rowSubject(first), unsafeCell(asIs, to), ...cells],
        ...(hasRepaired ? [mended] : []),
        ...(isNamed ? [on] : []),
      ],
    ];
  });
  const columns = columnsOf(
    ...['protocol', 'unsafe with', ...errata.map(({ title }) => title)],
    ...(hasRepaired ? [REPAIRED] : []),
    ...(isNamed ? ['on'] : []),
  );
  const meanings = errataLegend(errata, runs).map(
    ([name, text]) =>
      html`<dt>${name}</dt>
        <dd>${text}</dd>`,
  );
  return html`<p>Cores whose TLBIs fall short, one column each (<code>--cpu tlbi=</code>).</p>
    ${saidOnce(said, '')} ${table('Verdicts by erratum', columns, rows)}
    <dl>${meanings}</dl>`;
}

/** Errata with which a rule is broken that is kept without; a bound is no answer. */
function unsafeCell(own: readonly ExploreRun[], to: AnchorOf): HtmlValue {
  const before = new Set(
    own.filter((run) => erratumOf(run) === null).flatMap((run) => run.violations.map(ruleOf)),
  );
  const harmed = own.flatMap((run) => {
    const name = erratumOf(run);
    const first = run.violations.find((violation) => !before.has(violation.rule));
    return name === null || first === undefined ? [] : [html`${word(run, name, to)} `];
  });
  if (harmed.length > 0) return harmed;
  const bounded = own.find(({ verdict }) => verdict === 'bounded');
  return bounded === undefined
    ? html`<span class="soft">none</span>`
    : word(bounded, 'bounded', to);
}

function rulesCell(runs: readonly ExploreRun[], to: AnchorOf): HtmlValue {
  return runs.map((run) => {
    if (run.verdict !== 'violated') return verdictCell([run], to);
    const mark = run.exhibit === undefined ? '' : ', shown on purpose';
    const rules = run.violations.map(ruleOf).join(', ');
    const linked = html`<a href="#${to(run)}"><span class="red">✗ ${rules}</span></a
      >${mark} `;
    // Room for two of them in a line.
    return run.violations.length > 1 ? html`<span class="rules">${linked}</span>` : linked;
  });
}

const ruleOf = ({ rule }: ExploreViolation): string => rule;

function saidOnce({ common, usual }: Omit<Apart, 'titles'>, more: string): Html {
  const text = [
    ...(common === '' ? [] : [`All: ${common}.`]),
    ...(usual === '' ? [] : [`Where nothing else is said: ${usual}.`]),
    ...(more === '' ? [] : [more]),
  ].join(' ');
  return text === '' ? NOTHING : html`<p>${text}</p>`;
}
