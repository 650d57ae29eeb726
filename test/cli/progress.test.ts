import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { describe, expect, it } from 'vitest';
import { progressLine, showProgress } from '../../src/cli/progress.ts';

const PROGRESS = {
  doneMs: 12_345,
  budgetMs: 45_000,
  rounds: 1234,
  faults: 56_789,
  violations: 0,
  label: 'bbm-late, adjust-populated, level 2, 2 vCPUs',
};

describe('progressLine', () => {
  it('says time left, rounds, faults, violations and what runs', () => {
    expect(progressLine(PROGRESS, 200)).toMatchInlineSnapshot(
      `"32.6 s left  1,234 rounds  56,789 faults  0 violations  bbm-late, adjust-populated, level 2, 2 vCPUs"`,
    );
  });

  it('says time spent where rounds are what ends it, and never less than nothing left', () => {
    expect(progressLine({ ...PROGRESS, budgetMs: null }, 200)).toContain('12.3 s so far');
    expect(progressLine({ ...PROGRESS, doneMs: 50_000 }, 200)).toContain('0.0 s left');
  });

  it('never wraps', () => {
    for (const columns of [0, 1, 40, 80])
      expect(progressLine(PROGRESS, columns).length).toBeLessThan(Math.max(1, columns));
  });
});

describe('showProgress', () => {
  it('draws at most ten times a second, in place, and goes away', () => {
    const stream = Object.assign(new PassThrough(), { columns: 80 });
    let ms = 0;
    const progress = showProgress(stream as unknown as WriteStream, () => ms);
    for (; ms < 1000; ms += 10) progress.update(PROGRESS);
    progress.clear();
    const written = String(stream.read());
    expect(written.match(/rounds/g)).toHaveLength(10);
    expect(written).not.toContain('\n');
    expect(written.endsWith('\u001b[1G\u001b[2K')).toBe(true);
  });

  it('does nothing where nobody looks', () => {
    expect(() => showProgress(null).update(PROGRESS)).not.toThrow();
  });
});
