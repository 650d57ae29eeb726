/** "Is it worth it?" of a stress result: the table of answer-text.ts, and what it does not say. */
import type { StressRun } from '../../result/stress.ts';
import { GUEST_GIB } from '../../answer/worth.ts';
import { answerColumns, answerGroups, legend } from '../text/answer-text.ts';
import { html, type Html, NOTHING } from './html.ts';
import { columnsTable } from './table.ts';

export function answerPart(runs: readonly StressRun[]): Html {
  const groups = answerGroups(runs, GUEST_GIB);
  if (groups.length === 0) return NOTHING;
  return html`<h3>Is it worth it?</h3>
    <p>What a cancelled migration costs the guest, and what each protocol costs.</p>
    ${groups.map(
      ({ title, rows }) =>
        html`<h4>${title}</h4>
          ${columnsTable(`Cost and benefit, ${title}`, answerColumns(rows))}`,
    )}
    <ul class="soft">
      ${legend(GUEST_GIB).map((line) => html`<li>${line}</li>`)}
    </ul>`;
}
