import { describe, expect, it } from 'vitest';
import { markdownReport } from '../../src/report/cases/markdown.ts';
import { HOSTILE } from './hostile.ts';
import { hostileResults } from './hostile-results.ts';
import { anExploreResult } from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';

/** Lines outside of fenced blocks; a fence closes only with as many backticks as opened it. */
function outsideFences(text: string): string[] {
  let fence: string | null = null;
  return text.split('\n').filter((line) => {
    const [run] = /^`{3,}/.exec(line) ?? [];
    if (fence === null && run !== undefined) {
      fence = run;
      return false;
    }
    if (fence !== null) {
      if (line === fence) fence = null;
      return false;
    }
    return true;
  });
}

describe('the Markdown summary', () => {
  it('has verdict, counts, a table per configuration and how to repeat it', () => {
    const text = markdownReport([aResult()]);
    expect(text).toContain('## ✅ stress, seed 42: pass');
    expect(text).toContain('4 passed, 0 failed, 0 not judged, 0 skipped');
    expect(text).toContain('### adjust-populated, 4k level 2, 2 vCPUs, bbm=1');
    expect(text).toMatch(/^\| bbm-late \| pass \| 1,200 \|/m);
    expect(text).toContain('npm run stress -- --protocol bbm-late,rfc-nt-intended --seed 42');
  });

  it('shows what is wrong with its events', () => {
    const runs = [aRun({ verdict: 'fail', violations: [aViolation()] })];
    const text = markdownReport([
      aResult({ runs, verdict: 'fail', exitCode: 1 }),
      anExploreResult(),
    ]);
    expect(text).toContain('## ❌ stress, seed 42: fail');
    expect(text).toContain(`stale-translation: ${aViolation().why}`);
    expect(text).toContain('  2 vcpu 0: walk page 0: entry is invalid');
  });

  it.each(HOSTILE)('has no markup from %j', (text) => {
    const lines = outsideFences(markdownReport(hostileResults(text)));
    for (const line of lines) {
      expect(line).not.toMatch(/<(?!\/?\w*$)\w/);
      expect(line).not.toMatch(/(?<!\\)`|(?<!\\)\*\*|(?<!\\)\[link|@everyone|https:\/\//);
    }
    // Tables keep their columns: a bar in a cell is escaped.
    const bars = lines.map((line) =>
      line.startsWith('| ') ? line.match(/(?<!\\)\|/g)?.length : 0,
    );
    const torn = bars.filter(
      (count, n) => count !== 0 && bars[n - 1] !== 0 && count !== bars[n - 1],
    );
    expect(torn).toEqual([]);
    expect(lines.filter((line) => line.startsWith('## '))).toHaveLength(4);
  });

  it('fences what has fences of its own with longer ones', () => {
    const text = markdownReport([
      aResult({ verdict: 'fail', exitCode: 1, reasons: ['```', '`````'] }),
    ]);
    expect(text).toContain('\n``````text\n```\n`````\n``````\n');
  });

  it('stops at twenty of what is wrong', () => {
    const bad = aRun({ verdict: 'fail', violations: [aViolation()] });
    const runs = Array.from({ length: 30 }, (_, i) => ({ ...bad, protocol: `p${i}` }));
    expect(markdownReport([aResult({ runs, verdict: 'fail', exitCode: 1 })])).toContain(
      '…and 11 more.',
    );
  });
});
