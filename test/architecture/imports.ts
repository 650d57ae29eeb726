/**
 * Finds what a source file imports, in every form erasable TypeScript has, with the line it stands
 * on.
 */
import { posix } from 'node:path';
import { blank, lineOf, type SourceFile } from './source-files.ts';

export interface Import {
  readonly from: string;
  readonly line: number;
  readonly specifier: string;
  /**
   * Path in the repository for relative and `#` specifiers, null for packages and node: modules.
   */
  readonly target: string | null;
  /** Gone when the program runs: `import type`, `export type`, a type's `import('').Name`. */
  readonly typesOnly: boolean;
}

/** As in package.json; a test compares. */
export const ALIASES: Readonly<Record<string, string>> = { '#sync': 'src/sync/index.ts' };

/**
 * `import … from`, `import type`, `export … from`; bare `import ''`; `import('')` of values and
 * types.
 */
const FORMS = [
  /\b(?:import|export)\b[^;'"()=]*?\bfrom\s*(['"])(?<specifier>[^'"\n]+)\1/g,
  /\bimport\s*(['"])(?<specifier>[^'"\n]+)\1/g,
  /(?:\btypeof\s+)?\bimport\s*\(\s*(['"])(?<specifier>[^'"\n]+)\1\s*\)?(?:\s*\.\s*[A-Z])?/g,
];

/**
 * Not `import { type A }`, which loads its file all the same. A member with a capital is a type: values
 * of modules are taken by `await`.
 */
const TYPES_ONLY = /^(?:(?:import|export)\s+type\b|typeof\b|import\s*\(.*[A-Z]$)/s;

export function importsOf(file: SourceFile): Import[] {
  const code = blank(file.text, 'imports');
  const found = FORMS.flatMap((form) => [...code.matchAll(form)]).map((match) => {
    const specifier = match.groups?.['specifier'] ?? '';
    return {
      from: file.path,
      line: lineOf(code, match.index),
      specifier,
      target: resolve(file.path, specifier),
      typesOnly: TYPES_ONLY.test(match[0]),
    };
  });
  return found.sort((a, b) => a.line - b.line);
}

function resolve(from: string, specifier: string): string | null {
  if (specifier.startsWith('#')) return ALIASES[specifier] ?? `unknown alias ${specifier}`;
  if (!specifier.startsWith('.')) return null;
  return posix.normalize(posix.join(posix.dirname(from), specifier));
}
