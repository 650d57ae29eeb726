/**
 * The report in a real browser: what no parser can tell. Skipped, and said so, where the system has
 * no Chromium (Debian: apt-get install chromium; CHROMIUM names another).
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { htmlReport } from '../../src/report/html/page.ts';
import { emptyFolder } from '../cli/program.ts';
import { systemChromium } from './browser.ts';
import { HOSTILE } from './hostile.ts';
import { hostileResults } from './hostile-results.ts';
import { anExploreResult, aSelftestResult } from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';

const executablePath = systemChromium(process.env);
const HISTOGRAM = { p50: 4000, p99: 9000, max: 9100, count: 30, histogram: '4000x20 9000x10' };

describe.skipIf(executablePath === null)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: ['--no-sandbox'],
    });
  });
  afterAll(() => browser.close());

  const runs = [
    aRun({ windowNs: HISTOGRAM, verdict: 'fail', violations: [aViolation()] }),
    aRun({ protocol: 'nt-spec' }),
  ];
  const report = htmlReport([aResult({ runs }), anExploreResult(), aSelftestResult()]);

  /** The page, and everything it complains about or asks the network for. */
  async function open(html: string, options: Parameters<Browser['newPage']>[0] = {}) {
    const file = path.join(emptyFolder(), 'report.html');
    writeFileSync(file, html);
    const page = await browser.newPage(options);
    const complaints: string[] = [];
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!/^(?:file|data):/.test(request.url())) complaints.push(`request: ${request.url()}`);
    });
    await page.goto(`file://${file}`);
    return { page, complaints };
  }

  const widthOf = (page: Page) => page.evaluate('document.documentElement.scrollWidth');
  const styleOf = (page: Page, selector: string, property: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`);

  it('draws every chart, complains of nothing and asks nobody', async () => {
    const { page, complaints } = await open(report);
    const charts = page.locator('figure svg');
    expect(await charts.count()).toBe(4);
    for (const chart of await charts.all()) {
      const box = await chart.boundingBox();
      expect(box?.width).toBeGreaterThan(200);
      expect(box?.height).toBeGreaterThan(40);
    }
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('follows the colours of the system, text readable on both', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(report, { colorScheme });
      const [ground, ink] = [
        await styleOf(page, 'body', 'backgroundColor'),
        await styleOf(page, 'body', 'color'),
      ].map((colour) => luminance(String(colour)));
      const contrast =
        (Math.max(ground ?? 0, ink ?? 0) + 0.05) / (Math.min(ground ?? 0, ink ?? 0) + 0.05);
      expect(contrast).toBeGreaterThan(7);
      expect((ground ?? 0) > (ink ?? 0)).toBe(colorScheme === 'light');
      const fill = String(await styleOf(page, 'figure svg', 'color'));
      expect(luminance(fill)).toBeCloseTo(ink ?? 0, 5);
      await page.close();
    }
  });

  it('fits a phone: the page does not scroll sideways, and text stays readable', async () => {
    const { page } = await open(report, { viewport: { width: 360, height: 740 } });
    expect(await widthOf(page)).toBe(360);
    const shown = await page.evaluate<number>(`(() => {
      const svg = document.querySelector('figure svg');
      return 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    })()`);
    expect(shown).toBeGreaterThan(9);
    await page.close();
  });

  it('fits a phone with hostile text too', async () => {
    const { page, complaints } = await open(htmlReport(HOSTILE.flatMap(hostileResults)), {
      viewport: { width: 360, height: 740 },
    });
    expect(await widthOf(page)).toBe(360);
    expect(complaints).toEqual([]);
    expect(await page.title()).not.toBe('taken');
    await page.close();
  });

  it('is reached by keyboard: links, tables that scroll, folded parts', async () => {
    const { page } = await open(report, { viewport: { width: 360, height: 740 } });
    const reached = new Set<string>();
    const focused = () =>
      page.evaluate<string>(`(() => {
        const at = document.activeElement;
        return at.tagName + ' ' + (at.getAttribute('href') ?? at.getAttribute('aria-label') ?? at.textContent);
      })()`);
    await page.keyboard.press('Tab');
    expect(await focused()).toBe('A #content');
    const stops = await page.evaluate<number>(
      `document.querySelectorAll('a, summary, [tabindex="0"]').length`,
    );
    // Folded content is no stop until it is unfolded, so that there are fewer than that.
    for (let i = 0; i < stops; i++) {
      reached.add(await focused());
      await page.keyboard.press('Tab');
    }
    expect([...reached]).toContain('A #result-2');
    expect([...reached].some((stop) => stop.startsWith('DIV Protocols, '))).toBe(true);
    expect([...reached].some((stop) => stop.startsWith('SUMMARY Numbers of this chart'))).toBe(
      true,
    );
    const summary = page.locator('figure summary').first();
    await summary.focus();
    await page.keyboard.press('Enter');
    expect(await page.locator('figure details[open] table').count()).toBe(1);
    await page.close();
  });

  it('sorts and filters a table, and copies a command', async () => {
    const many = ['b', 'a', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, i) =>
      aRun({ protocol: name, rounds: 1000 * (8 - i) }),
    );
    const { page, complaints } = await open(htmlReport([aResult({ runs: many })]));
    const table = page.locator('table').first();
    const names = (): Promise<string[]> => table.locator('tbody tr:visible th').allTextContents();
    const byName = table.getByRole('button', { name: 'protocol' });
    await byName.click();
    expect((await names()).map((name) => name.trim()).join('')).toBe('abcdefgh');
    await byName.press('Enter');
    expect((await names()).map((name) => name.trim()).join('')).toBe('hgfedcba');
    await table.getByRole('button', { name: 'rounds' }).click();
    expect((await names()).map((name) => name.trim()).join('')).toBe('hgfedcab');
    await page.getByRole('searchbox').first().fill('8,000');
    expect((await names()).map((name) => name.trim())).toEqual(['b']);
    expect(await page.locator('#said').textContent()).toBe('1 row shown');
    await page.getByRole('button', { name: /^Copy the command: npm run stress/ }).click();
    await page.getByText('Copied', { exact: true }).waitFor();
    expect(complaints).toEqual([]);
    await page.close();
  });

  it('leads from a row to its violation, and shows the verdict on a phone', async () => {
    const { page } = await open(report, { viewport: { width: 390, height: 844 } });
    const verdict = page.locator('table').first().locator('tbody td a').first();
    const box = await verdict.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan(390);
    await verdict.click();
    expect(await page.locator(':target h4').first().textContent()).toContain('stale-translation');
    await page.close();
  });

  it('has text that can be read on its ground everywhere, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      const { page } = await open(report, { colorScheme });
      const colours = await page.evaluate<[string, string][]>(`(() => {
        const found = new Map();
        for (const at of document.querySelectorAll('main *, header *')) {
          if (at.closest('svg') || at.textContent.trim() === '') continue;
          let ground = at;
          while (ground && getComputedStyle(ground).backgroundColor === 'rgba(0, 0, 0, 0)')
            ground = ground.parentElement;
          const pair = [getComputedStyle(at).color, getComputedStyle(ground ?? document.body).backgroundColor];
          found.set(pair.join(), pair);
        }
        return [...found.values()];
      })()`);
      expect(colours.length).toBeGreaterThan(4);
      const poor = colours.filter(([text, ground]) => {
        const [a, b] = [luminance(text), luminance(ground)];
        return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05) < 4.5;
      });
      expect(poor).toEqual([]);
      await page.close();
    }
  });

  it('has a name for everything a screen reader stops at', async () => {
    const { page } = await open(report);
    expect(await page.getByRole('img').count()).toBe(await page.locator('figure svg').count());
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('table', { name: 'Kill table' }).count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Verdict matrix' }).count()).toBe(1);
    await page.close();
  });
});

/** Relative luminance of `rgb(r, g, b)` (WCAG 2). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map((text) => {
    const part = Number(text) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
