/**
 * KTAP version 1, the kernel's test output (Documentation/dev-tools/ktap.rst): one subtest per
 * result, details as diagnostic lines. kunit.py and kernelci read it.
 */
import type { ResultFile } from '../../result/read.ts';
import { type Case, type Suite, suiteOf } from './cases.ts';
import { visibleLine } from '../visible.ts';

export function ktapReport(results: readonly ResultFile[]): string {
  const suites = results.map(suiteOf);
  const lines = [
    'KTAP version 1',
    `1..${suites.length}`,
    ...suites.flatMap((suite, i) => [...subtest(suite), line(suiteCase(suite), i + 1)]),
  ];
  return `${lines.join('\n')}\n`;
}

function subtest({ name, cases }: Suite): string[] {
  const inner = [
    'KTAP version 1',
    `# Subtest: ${description(name)}`,
    `1..${cases.length}`,
    ...cases.flatMap((one, i) => [...diagnostics(one), line(one, i + 1)]),
  ];
  return inner.map((text) => `  ${text}`);
}

/** A subtest's own line: not ok as soon as one of its cases is not. */
function suiteCase({ name, cases, seconds }: Suite): Case {
  const bad = cases.some(({ status }) => status === 'fail' || status === 'error');
  return { name, status: bad ? 'fail' : 'pass', seconds, message: '', details: [] };
}

function line({ name, status, message }: Case, number: number): string {
  const ok = status === 'pass' || status === 'skip' ? 'ok' : 'not ok';
  const directive = status === 'skip' ? ` # SKIP ${description(message)}` : '';
  return `${ok} ${number} ${description(name)}${directive}`;
}

/** Diagnostic lines come before the line of the case that they are about. */
function diagnostics({ status, message, details }: Case): string[] {
  const said =
    status === 'fail' || status === 'error' ? [`${status}: ${message}`, ...details] : details;
  return said.map((text) => `# ${visibleLine(text)}`);
}

/** `#` begins a directive, so that one in a name must not look like it. */
function description(text: string): string {
  return visibleLine(text).replaceAll('#', String.raw`\#`);
}
