/** What every result's section opens with, the verdict and its meaning, and ends with: the machine. */
import type { ResultFile } from '../../result/read.ts';
import { shardText } from '../../result/shard.ts';
import { machineText, repeatCommand } from '../text/header-text.ts';
import { seconds } from '../numbers.ts';
import { VERDICT_CLASS, verdictMeaning } from '../verdict-texts.ts';
import { commandCode } from './command.ts';
import { html, type Html, NOTHING } from './html.ts';
import { table } from './table.ts';

export function badge(verdict: keyof typeof VERDICT_CLASS): Html {
  return html`<span class="badge ${VERDICT_CLASS[verdict]}">${verdict.toUpperCase()}</span>`;
}

export function opening(result: ResultFile): Html {
  const remarks = 'remarks' in result ? (result.remarks ?? []) : [];
  const said = [...remarks, ...result.reasons].map((text) => html`<li>${text}</li>`);
  return html`<p>
      ${badge(result.verdict)} in ${seconds(result.elapsedMs)}, exit code
      ${result.exitCode}${result.interrupted ? ' (interrupted)' : ''}. ${verdictMeaning(result)}
    </p>
    ${
      said.length === 0
        ? NOTHING
        : html`<ul>
            ${said}
          </ul>`
    }
    <dl>
      <dt>repeat</dt>
      <dd>${commandCode(repeatCommand(result))}</dd>
    </dl>`;
}

export function machinePart(result: ResultFile): Html {
  return html`<h3>Machine and its limits</h3>
    ${machines(result)}
    <dl>
      <dt>started</dt>
      <dd>${result.startedAt}</dd>
      <dt>version</dt>
      <dd>${result.version}</dd>
    </dl>
    ${sources(result)}`;
}

function machines(result: ResultFile): Html {
  const all = result.merged?.machines ?? [result.machine];
  return html`${all.map((machine, i) => {
    const name = all.length > 1 ? html`<strong>machine ${i + 1}:</strong> ` : NOTHING;
    const notes = machine.notes.map((note) => html`<li>${note}</li>`);
    return html`<p>${name}${machineText(machine)}</p>
      ${
        notes.length === 0
          ? NOTHING
          : html`<ul>
              ${notes}
            </ul>`
      }`;
  })}`;
}

function sources(result: ResultFile): Html {
  if (!result.merged) return NOTHING;
  const rows = result.merged.sources.map((source) => [
    source.startedAt,
    source.shard === null ? 'whole' : shardText(source.shard),
    String(source.machine + 1),
    source.seed === null ? '' : String(source.seed),
    source.superseded ? `${source.verdict}, done again` : source.verdict,
    seconds(source.elapsedMs),
  ]);
  const columns = ['started', 'part', 'machine', 'seed', 'verdict', 'time'].map((title) => ({
    title,
    align: 'left' as const,
  }));
  return html`<details>
    <summary>Merged from ${rows.length} results</summary>
    ${table('Merged results', columns, rows)}
  </details>`;
}
