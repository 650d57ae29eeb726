/** What is done with a free page has the page's states beside it: they are not told as counts. */
import { expect, it } from 'vitest';
import { freedTable } from '../../../src/checker/rules/freed-table.ts';
import { refcount } from '../../../src/checker/rules/refcount.ts';
import { PAGE_STATE } from '../../../src/pgtable/page-meta.ts';
import type { AnomalyKind } from '../../../src/pgtable/page-pool.ts';
import { anomalyEvidence } from '../../../src/stress/thread/anomaly-evidence.ts';
import { judge } from '../../checker/run-builder.ts';

function why(kind: AnomalyKind, found: number, expected: number): string | undefined {
  const evidence = anomalyEvidence(kind, 0x12, found, expected, 3);
  return judge(refcount, { evidence: evidence === null ? [] : [evidence] })[0]?.why;
}

it.each(['double-free', 'count-of-free'] as const)('%s tells of no count', (kind) => {
  const said = why(kind, PAGE_STATE.freeing, PAGE_STATE.allocated);
  expect(said).toMatch(/^.*table page 0x12.*free/);
  expect(said).not.toMatch(/has count|valid entries|\b4\b/);
});

it.each([
  ['written-while-free', /^entry 4 of table page 18 was written while the page was free/],
  ['bad-table', /^entry 4 of table page 18 .*no table page is there$/],
] as const)('%s names the entry, and no generation', (kind, says) => {
  const evidence = anomalyEvidence(kind, 0x12, 4, 0, 3);
  const [said] = judge(freedTable, { evidence: evidence === null ? [] : [evidence] });
  expect(said?.why).toMatch(says);
  expect(said?.why).not.toContain('generation');
});

it.each(['free-count', 'over-put'] as const)('%s tells of counts', (kind) => {
  expect(why(kind, 4, 1)).toMatch(/has count 4, but 1 \+ its valid entries is 1/);
});
