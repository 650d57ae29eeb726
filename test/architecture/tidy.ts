/**
 * Style that a machine can judge, in the manner of TigerBeetle's tidy: one line per finding,
 * `file:line: what, why`. The words it looks for are written with a bracket so that this file does
 * not contain them.
 */
import { blank, lineOf, type SourceFile } from './source-files.ts';

export const COLUMNS_MAX = 110;

interface Banned {
  readonly pattern: RegExp;
  readonly message: string;
  /** Where it counts: in the whole text, or in code without comments and strings. */
  readonly where: 'text' | 'code';
  /** Files it holds for: all, those that are no tests, or all but tests that replace modules. */
  readonly files: 'all' | 'sources' | 'unmocked';
}

const BANNED: readonly Banned[] = [
  { pattern: /\t/, message: 'a tab: indent with two spaces', where: 'text', files: 'all' },
  {
    pattern: /@ts-(?:ignor[e]|nochec[k])/,
    message: 'the type checker is not to be silenced',
    where: 'text',
    files: 'all',
  },
  {
    pattern: /\b(?:TOD[O]|FIXM[E])\b/,
    message: 'do it, or write an issue',
    where: 'text',
    files: 'all',
  },
  {
    pattern: /(?<![.\w])any\b(?!\s*[(:?])/,
    message: "'any' switches the type checker off",
    where: 'code',
    files: 'all',
  },
  {
    pattern: /\b(?:test|it|describe|suite)(?:\.\w+)*\.only\b/,
    message: 'the other tests would not run',
    where: 'code',
    files: 'all',
  },
  {
    pattern: /\bvi\.(?:do)?[mM]ock\b/,
    message: 'files after this one would get the replaced module: call it *.mocked.test.ts',
    where: 'code',
    files: 'unmocked',
  },
  { pattern: /\/wor[k]\//, message: 'a path of one machine', where: 'text', files: 'all' },
  {
    pattern: /\.\.\/share[d]\b/,
    message: 'a path outside the repository',
    where: 'text',
    files: 'sources',
  },
];

/**
 * All findings of one file. Tests may be without header, be wide, and know of the litmus folder.
 */
export function tidy(file: SourceFile): string[] {
  const isSource = !file.path.startsWith('test/');
  const code = blank(file.text, 'code');
  const lines = file.text.split('\n');
  const isMocked = file.path.endsWith('.mocked.test.ts');
  const holds = ({ files }: Banned): boolean =>
    files === 'all' || (files === 'sources' ? isSource : !isMocked);
  const findings = BANNED.filter(holds).flatMap((b) =>
    [...(b.where === 'text' ? file.text : code).matchAll(new RegExp(b.pattern, 'g'))].map(
      (match) => ({
        line: lineOf(code, match.index),
        message: b.message,
      }),
    ),
  );
  if (isSource) {
    if (!/^(?:#![^\n]*\n)?\/\*/.test(file.text)) {
      findings.push({ line: 1, message: 'no header comment: say what the file is about and why' });
    }
    lines.forEach((line, index) => {
      if (line.length > COLUMNS_MAX) {
        findings.push({
          line: index + 1,
          message: `${line.length} columns, at most ${COLUMNS_MAX}`,
        });
      }
    });
  }
  return findings
    .sort((a, b) => a.line - b.line)
    .map(({ line, message }) => `${file.path}:${line}: ${message}`);
}
