/** The kill table: each seeded bug against the engines, what was expected and what was seen. */
import type { SelftestFile } from '../../result/read.ts';
import type { InnocentRun, SelftestRun } from '../../result/selftest.ts';
import { significant } from '../numbers.ts';
import { html, type Html, type HtmlValue, NOTHING } from './html.ts';
import { table } from './table.ts';

export function selftestSection({ runs, innocents }: SelftestFile): Html {
  const engines = [...new Set(runs.map((run) => run.column))];
  const rows = [...Map.groupBy(runs, (run) => run.mutant)].map(([mutant, own]) => [
    mutant,
    [...new Set(own.map((run) => run.rule))].join(', '),
    ...engines.map((engine) => own.filter((run) => run.column === engine).map(cell)),
  ]);
  const columns = ['seeded bug', 'rule', ...engines].map((title) => ({
    title,
    align: 'left' as const,
  }));
  const wrong = runs.filter((run) => run.observed !== run.expected);
  const marked = wrong.length === 0 ? '' : '; the others are marked';
  return html`<h3>Kill table</h3>
    <p>
      ${runs.length - wrong.length} of ${runs.length} as expected${marked}. An empty field was not
      tried.
    </p>
    ${table('Kill table', columns, rows)} ${innocentsPart(innocents)}`;
}

function cell(run: SelftestRun): HtmlValue {
  const said = [run.why, run.unfinished].filter((text) => text !== null);
  const fired = run.firedRule !== null && run.firedRule !== run.rule ? [`by ${run.firedRule}`] : [];
  const more = [...fired, ...said].map((text) => html`<br /><span class="soft">${text}</span>`);
  const time = run.seconds > 0 ? `in ${significant(run.seconds)} s` : '';
  return html`<div>${sightWord(run)} ${time}${more}</div>`;
}

function sightWord({ expected, observed }: SelftestRun): Html {
  if (observed === 'caught') {
    return expected === 'caught'
      ? html`<span class="green">✓ caught</span>`
      : html`<span class="red">✗ caught, must not be</span>`;
  }
  return expected === 'missed'
    ? html`<span class="dim">– missed, as it must</span>`
    : html`<span class="red">✗ SURVIVED</span>`;
}

function innocentsPart(innocents: readonly InnocentRun[]): Html {
  if (innocents.length === 0) return NOTHING;
  const columns = ['protocol', 'engine', 'setting', 'accused of'].map((title) => ({
    title,
    align: 'left' as const,
  }));
  const rows = innocents.map((run) => [run.protocol, run.engine, run.setting, accusations(run)]);
  return html`<h3>Correct protocols under the same settings</h3>
    ${table('Correct protocols', columns, rows)}`;
}

function accusations(run: InnocentRun): HtmlValue {
  if (run.accusations.length === 0) return run.unfinished ?? 'nothing';
  const all = run.accusations.map(({ rule, why }) => `${rule}: ${why}`).join('; ');
  return html`<span class="red">${all}</span>`;
}
