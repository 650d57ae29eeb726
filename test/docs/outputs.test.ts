/**
 * What pages show of the program is what it prints today, but for times; `npm run docs` makes it anew. What
 * takes long is of a saved run, which the page names.
 */
import { describe, expect, it, test } from 'vitest';
import { masked, outputsIn, pages, rendered, textOf } from '../../tools/docs/pages.ts';

const shown = pages().filter((page) => outputsIn(textOf(page)).length > 0);

test.each(shown)('%s', async (page) => {
  const text = textOf(page);
  expect(masked(text)).toBe(masked(await rendered(text)));
});

it('there are some in README', () => {
  expect(shown).toContain('README.md');
});

describe('the check itself', () => {
  const page = (body: string): string =>
    `a\n<!-- output: list -- nothing -->\n${body}<!-- end of output -->\nb\n`;

  it('sees an output that is another', async () => {
    const made = await rendered(page(''));
    expect(made).toContain('$ npm run list -- nothing\n');
    expect(masked(page('```\nolder\n```\n'))).not.toBe(masked(made));
    expect(await rendered(made)).toBe(made);
  });

  it('looks over times alone', () => {
    expect(masked('safe  160  0.2 s\nPASS in 1m 02s')).toBe('safe  160 # s\nPASS in # s');
    expect(masked('safe  160   10.2 s')).toBe(masked('safe  160  0.2 s'));
    expect(masked('safe  161  0.2 s')).not.toBe(masked('safe  160  0.2 s'));
  });

  it('refuses a view that is none', async () => {
    const saved = '<!-- output: saved portfolio, nothing -->\n<!-- end of output -->';
    await expect(rendered(saved)).rejects.toThrow('no view');
  });
});
