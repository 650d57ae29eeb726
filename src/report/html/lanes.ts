/**
 * Events of several threads as lanes side by side, in the order in which they are to be read. A
 * table, not a drawing: it can be searched, copied and read aloud, and an event is text.
 */
import { html, type Html, NOTHING } from './html.ts';

export interface LaneEvent {
  readonly thread: string;
  /** What orders it, as the head of its row. */
  readonly order: string;
  readonly text: string;
  /** One sentence; where one event has it there is a column for it. */
  readonly why?: string;
}

export function lanes(label: string, orderTitle: string, events: readonly LaneEvent[]): Html {
  if (events.length === 0) return NOTHING;
  const threads = [...new Set(events.map((event) => event.thread))].sort(byThread);
  const explained = events.some(({ why }) => why !== undefined);
  const titles = explained ? [...threads, 'why'] : threads;
  const head = titles.map((title) => html`<th scope="col">${title}</th>`);
  const rows = events.map((event) => {
    const cells = threads.map((thread) =>
      thread === event.thread
        ? html`<td class="event"><span>${event.text}</span></td>`
        : html`<td></td>`,
    );
    return html`<tr>
      <th scope="row">${event.order}</th>
      ${cells} ${explained ? html`<td class="why">${event.why ?? ''}</td>` : NOTHING}
    </tr>`;
  });
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0">
    <table class="lanes">
      <caption class="hidden">
        ${label}
      </caption>
      <thead>
        <tr>
          <th scope="col">${orderTitle}</th>
          ${head}
        </tr>
      </thead>
      <tbody>
        ${rows}
      </tbody>
    </table>
  </div>`;
}

/** Hypervisors first, then vCPUs by number. */
function byThread(a: string, b: string): number {
  const rank = (thread: string): number => (thread.startsWith('hypervisor') ? 0 : 1);
  return rank(a) - rank(b) || a.localeCompare(b, 'en', { numeric: true });
}
