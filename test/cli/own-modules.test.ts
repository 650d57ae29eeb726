/** Imports of our own modules are answered without Node, and exactly as Node answers them. */
import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, it } from 'vitest';
import { importsOf } from '../architecture/imports.ts';
import { readSources, ROOT } from '../architecture/source-files.ts';

interface Resolved {
  readonly url: string;
  readonly format: string;
  readonly shortCircuit: true;
}

// It has no types, so that it can be read by old Node.
const file = new URL('../../src/cli/own-modules.js', import.meta.url).href;
const { ownModuleOf } = (await import(file)) as {
  ownModuleOf: (specifier: string, parentUrl: string | undefined) => Resolved | null;
};

const urlOf = (name: string): string => pathToFileURL(resolve(ROOT, name)).href;

describe('an import of ours', () => {
  const relative = readSources('src', 'workers')
    .flatMap(importsOf)
    .filter(({ target }) => target !== null && /^(?:src|workers)\//.test(target))
    .filter(({ specifier }) => specifier.startsWith('.'));

  it('is the file that it names', () => {
    const answers = relative.map(({ from, specifier }) => ownModuleOf(specifier, urlOf(from))?.url);
    expect(answers.length).toBeGreaterThan(1000);
    expect(answers).toEqual(relative.map(({ target }) => urlOf(target ?? '')));
  });

  it('names a file that is there', () => {
    const named = [...new Set(relative.map(({ target }) => target ?? ''))];
    expect(named.filter((name) => !existsSync(resolve(ROOT, name)))).toEqual([]);
  });

  it.each([
    ['./b.ts', 'module-typescript'],
    ['./b.js', 'module'],
  ])('of %s has the format %s', (specifier, format) => {
    expect(ownModuleOf(specifier, urlOf('src/a/a.ts'))).toEqual({
      url: urlOf(`src/a/${specifier.slice(2)}`),
      format,
      shortCircuit: true,
    });
  });
});

it.each([
  ['a package', 'valibot', 'src/result/explore.ts'],
  ['a module of Node', 'node:fs', 'src/result/explore.ts'],
  ['an alias', '#sync', 'src/stress/run/a.ts'],
  ['JSON', './a.json', 'src/result/explore.ts'],
  ['a file outside of our folders', '../../examples/a.ts', 'src/cli/main.ts'],
  ['an import of a file of a user', './a.ts', 'examples/b.ts'],
  ['an import of a package', './a.js', 'node_modules/src/b.js'],
])('%s is left to Node', (_name, specifier, from) => {
  expect(ownModuleOf(specifier, urlOf(from))).toBeNull();
});

it('what the command line names is left to Node', () => {
  expect(ownModuleOf('./src/cli/main.ts', undefined)).toBeNull();
});
