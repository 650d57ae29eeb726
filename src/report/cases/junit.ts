/**
 * JUnit XML, as CI systems read it: one testsuite per result. There is no standard; this is the
 * common part of what Jenkins, GitLab and GitHub actions accept (testsuites, testsuite, testcase
 * with failure, error or skipped, system-out).
 */
import type { ResultFile } from '../../result/read.ts';
import { type Case, countOf, type Suite, suiteOf } from './cases.ts';
import { visible, visibleLine } from '../visible.ts';

export function junitReport(results: readonly ResultFile[]): string {
  const suites = results.map(suiteOf);
  const all = suites.flatMap(({ cases }) => cases);
  const time = suites.reduce((sum, { seconds }) => sum + seconds, 0);
  const lines = [
    '<?xml version="1.0" encoding="UTF-8"?>',
    `<testsuites name="stage2-stress" ${counts(all)} time="${time.toFixed(3)}">`,
    ...suites.flatMap(suiteLines),
    '</testsuites>',
  ];
  return `${lines.join('\n')}\n`;
}

function counts(cases: readonly Case[]): string {
  return (
    `tests="${cases.length}" failures="${countOf(cases, 'fail')}" ` +
    `errors="${countOf(cases, 'error')}" skipped="${countOf(cases, 'skip')}"`
  );
}

function suiteLines(suite: Suite): string[] {
  // JUnit's timestamp has neither fraction nor zone.
  const timestamp = suite.startedAt.replace(/\.\d+Z$|Z$/, '');
  return [
    `  <testsuite name="${attribute(suite.name)}" ${counts(suite.cases)} ` +
      `time="${suite.seconds.toFixed(3)}" timestamp="${attribute(timestamp)}">`,
    ...suite.cases.flatMap((one) => caseLines(one, suite)),
    '  </testsuite>',
  ];
}

const ELEMENTS = { fail: 'failure', error: 'error', skip: 'skipped' } as const;

function caseLines(one: Case, suite: Suite): string[] {
  const time = (one.seconds ?? 0).toFixed(3);
  const head =
    `    <testcase classname="stage2-stress.${suite.command}" name="${attribute(one.name)}" ` +
    `time="${time}"`;
  const details = one.details.map(text).join('\n');
  const inner: string[] = [];
  if (one.status !== 'pass') {
    const element = ELEMENTS[one.status];
    const message = `message="${attribute(one.message)}"`;
    inner.push(
      one.status === 'skip'
        ? `      <skipped ${message}/>`
        : `      <${element} type="${one.status}" ${message}>${details}</${element}>`,
    );
  }
  if (details !== '' && (one.status === 'pass' || one.status === 'skip'))
    inner.push(`      <system-out>${details}</system-out>`);
  return inner.length === 0 ? [`${head}/>`] : [`${head}>`, ...inner, '    </testcase>'];
}

const ENTITIES: Readonly<Record<string, string>> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  '"': '&quot;',
};

function text(value: string): string {
  return visible(value).replaceAll(/[&<>"]/g, (c) => ENTITIES[c] as string);
}

function attribute(value: string): string {
  return text(visibleLine(value));
}
