/** README fits two screens, pages are easy to read, and what they point to is there. */
import { existsSync, readFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { fileOf, pages, textOf } from '../../tools/docs/pages.ts';
import { sentences, words } from './prose.ts';

const WORDS_MAX = 18;

const wordsPerSentence = (text: string): number => {
  const all = sentences(text);
  return all.reduce((sum, each) => sum + words(each), 0) / Math.max(1, all.length);
};

describe('README', () => {
  const text = textOf('README.md');

  it('has at most 120 lines and 8 KB', () => {
    expect(text.split('\n').length - 1).toBeLessThanOrEqual(120);
    expect(Buffer.byteLength(text)).toBeLessThanOrEqual(8 * 1024);
  });

  it('begins with explore, and has a command for the tests', () => {
    expect(text.indexOf('npm run explore')).toBeLessThan(text.indexOf('npm run stress'));
    expect(text).toContain('npm ci && npm test ');
  });

  it('names every page of docs, or a page that does', () => {
    const [readme = '', ...docs] = pages();
    const linked = (page: string): readonly string[] => linksOf(page).map(([, target]) => target);
    const reached = new Set(linked(readme));
    for (const page of reached)
      if (page.endsWith('.md')) linked(page).forEach((l) => reached.add(l));
    expect(docs.filter((page) => !reached.has(page))).toEqual([]);
  });
});

describe.each([...pages(), 'CONTRIBUTING.md'])('%s', (page) => {
  it(`has under ${WORDS_MAX} words a sentence`, () => {
    expect(wordsPerSentence(textOf(page))).toBeLessThan(WORDS_MAX);
  });

  it('has no word that stands for what is yet to be written', () => {
    const lines = textOf(page).split('\n');
    expect(
      lines.filter((line) => /^[A-Z]{3,}$|: [A-Z]{3,}\.$|\b(?:TOD[O]|TBD|FIXM[E])\b/.test(line)),
    ).toEqual([]);
  });

  it('points to files that are there', () => {
    expect(linksOf(page).filter(([, target]) => !existsSync(fileOf(target)))).toEqual([]);
  });

  it('names commands that are there', () => {
    const { scripts } = JSON.parse(readFileSync(fileOf('package.json'), 'utf8')) as {
      readonly scripts: Readonly<Record<string, string>>;
    };
    const named = [...textOf(page).matchAll(/npm run (?:-s |--silent )?([a-z][\w:-]*)/g)];
    expect(named.map(([, name = '']) => name).filter((name) => !(name in scripts))).toEqual([]);
  });
});

/** Links to files of the repository: as they stand in the page, and from its root. */
function linksOf(page: string): readonly (readonly [string, string])[] {
  const links = [...textOf(page).matchAll(/\]\(([^)#\s]+)[^)]*\)/g)].map(([, link = '']) => link);
  return links
    .filter((link) => !/^[a-z]+:/.test(link))
    .map((link) => [link, new URL(link, `file:///${page}`).pathname.slice(1)] as const);
}

test('a sentence is counted by its words, not by its code', () => {
  const text =
    '# Title\n\nOne two `a b c d` three. Four five:\n\n- six\n- seven [eight](x.md) nine\n\n| a | b |\n';
  expect(sentences(text).map(words)).toEqual([4, 2, 1, 3]);
});
