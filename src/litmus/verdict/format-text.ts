/**
 * Results as text, in the layout of herd so that they can be laid side by side:
 *
 *    Test MP Allowed
 *    States 3
 *    1:X0=0; 1:X2=0;
 *    …
 *    Ok
 *    Witnesses
 *    Positive: 1 Negative: 3
 *    Condition exists (1:X0=1 /\ 1:X2=0)
 *    Observation MP Sometimes 1 3
 *
 * Witnesses count executions of this model, which are not herd's.
 */
import type { LitmusRunResult } from '../../result/litmus.ts';

const HEADINGS = { exists: 'Allowed', '~exists': 'Forbidden', forall: 'Required' } as const;

/** One run, without a final newline. */
export function formatRun(run: LitmusRunResult): string {
  const heading = run.quantifier === null ? '' : ` ${HEADINGS[run.quantifier]}`;
  const lines = [`Test ${run.name}${heading}`];
  if (run.histogram.length > 0) lines.push(...histogramLines(run));
  const asked = run.testArch === undefined ? '' : ` (${run.testArch}, as the test asks)`;
  lines.push(`Architecture ${run.arch}${asked}`, verdictLine(run));
  return lines.join('\n');
}

function histogramLines(run: LitmusRunResult): string[] {
  const positive = run.histogram
    .filter((state) => state.holds)
    .reduce((sum, state) => sum + state.count, 0);
  const negative = run.executions - positive;
  return [
    `States ${run.states}`,
    ...run.histogram.map((state) => state.text),
    conditionHolds(run, positive, negative) ? 'Ok' : 'No',
    'Witnesses',
    `Positive: ${positive} Negative: ${negative}`,
    ...(run.flags ?? []).map((flag) => `Flag Warning-${flag}`),
    `Condition ${run.condition}`,
    `Observation ${run.name} ${frequency(positive, negative)} ${positive} ${negative}`,
  ];
}

function conditionHolds(run: LitmusRunResult, positive: number, negative: number): boolean {
  if (run.quantifier === 'forall') return negative === 0;
  return run.quantifier === '~exists' ? positive === 0 : positive > 0;
}

function frequency(positive: number, negative: number): 'Always' | 'Sometimes' | 'Never' {
  if (positive === 0) return 'Never';
  return negative === 0 ? 'Always' : 'Sometimes';
}

function verdictLine(run: LitmusRunResult): string {
  const reason = run.reason === undefined ? '' : ` (${run.reason})`;
  const expected =
    run.agrees === undefined ? '' : run.agrees ? ', as expected' : `, EXPECTED ${run.expected}`;
  return `Verdict ${run.verdict}${expected}${reason}`;
}

/** One line per file: `MP+shoot+po  base allowed  ets2 allowed`. */
export function formatTable(runs: readonly LitmusRunResult[]): string {
  const files = Map.groupBy(runs, (run) => run.file);
  const width = Math.max(0, ...runs.map((run) => run.name.length));
  return [...files.values()].map((group) => tableLine(group, width)).join('\n');
}

function tableLine(group: readonly LitmusRunResult[], width: number): string {
  const name = (group[0]?.name ?? '').padEnd(width);
  const cells = group.map((run) => {
    const mark = run.agrees === false ? ` (expected ${run.expected})` : '';
    return `${run.arch} ${run.verdict}${mark}`.padEnd(18);
  });
  const reason = group[0]?.reason === undefined ? '' : `  ${group[0].reason}`;
  return `${name}  ${cells.join('  ')}${reason}`.trimEnd();
}

/** What the whole set came to, and what was not supported, most frequent first. */
export function formatSummary(runs: readonly LitmusRunResult[]): string {
  const compared = runs.filter((run) => run.agrees !== undefined);
  const agreed = compared.filter((run) => run.agrees).length;
  const unsupported = runs.filter((run) => run.verdict === 'unsupported');
  const lines = [`${runs.length - unsupported.length} verdicts, ${unsupported.length} unsupported`];
  if (compared.length > 0)
    lines.push(`${agreed} of ${compared.length} agree with what was expected`);
  const features = Map.groupBy(
    unsupported,
    (run) => run.feature ?? run.reason ?? 'no reason given',
  );
  const counted = [...features].map(([feature, group]) => ({ feature, count: group.length }));
  for (const { feature, count } of counted.toSorted((a, b) => b.count - a.count)) {
    lines.push(`${String(count).padStart(5)}  ${feature}`);
  }
  return lines.join('\n');
}
