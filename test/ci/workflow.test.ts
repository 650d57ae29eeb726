/** The project's own CI runs what it says it runs on. */
import { readFileSync } from 'node:fs';
import { expect, it, test } from 'vitest';

const read = (file: string): string =>
  readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
const WORKFLOW = read('.github/workflows/ci.yml');
const MANIFEST = JSON.parse(read('package.json')) as {
  readonly version: string;
  readonly engines: { readonly node: string };
  readonly scripts: Readonly<Record<string, string>>;
};

it('tests on the oldest Node there may be, on those after it, and on both architectures', () => {
  const list = (name: string): string[] =>
    (new RegExp(`${name}: \\[(.*)\\]`).exec(WORKFLOW)?.[1] ?? '')
      .split(', ')
      .map((item) => item.replaceAll('"', ''));
  expect(list('node')).toEqual([MANIFEST.engines.node.replace('>=', ''), '24', '26']);
  expect(list('runner')).toEqual(['ubuntu-24.04', 'ubuntu-24.04-arm']);
});

it('runs scripts that there are', () => {
  const scripts = [...WORKFLOW.matchAll(/npm (?:run )?(test|check)$/gm)].map(([, name]) => name);
  expect(scripts.toSorted()).toEqual(['check', 'test']);
  for (const name of scripts) expect(MANIFEST.scripts).toHaveProperty(name ?? '');
});

test('CHANGELOG has the version of the package', () => {
  const versions = [...read('CHANGELOG.md').matchAll(/^## (.*)$/gm)].map(([, name]) => name);
  expect(versions).toContain(MANIFEST.version);
});
