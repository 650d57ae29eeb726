/** A command as it is typed: a line may end between its words, never within a flag. */
import { html, type Html } from './html.ts';

export function commandCode(text: string): Html {
  const words = text.split(' ').map((word, i) => {
    const space = i === 0 ? '' : ' ';
    return word.startsWith('--') ? html`${space}<span class="short">${word}</span>` : space + word;
  });
  return html`<code>${words}</code>`;
}
