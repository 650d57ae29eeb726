/**
 * The report in a real browser: what no parser can tell. Skipped, and said so, where the system has
 * no Chromium (Debian: apt-get install chromium; CHROMIUM names another).
 */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { type Browser, chromium, type Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { htmlReport } from '../../src/report/html/page.ts';
import { emptyFolder } from '../cli/program.ts';
import { systemChromium } from './browser.ts';
import { HOSTILE } from './hostile.ts';
import { hostileResults } from './hostile-results.ts';
import { anExploreResult, anExploreRun, aSelftestResult } from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';

const executablePath = systemChromium(process.env);
/** What a start or a step takes at most where others have the CPUs. */
const BUSY_MS = 120_000;
const HISTOGRAM = { p50: 4000, p99: 9000, max: 9100, count: 30, histogram: '4000x20 9000x10' };

describe.skipIf(executablePath === null)('in Chromium', () => {
  let browser: Browser;
  beforeAll(async () => {
    browser = await chromium.launch({
      executablePath: executablePath ?? '',
      args: ['--no-sandbox'],
      timeout: BUSY_MS,
    });
  }, BUSY_MS);
  afterAll(() => browser.close());

  const runs = [
    aRun({ windowNs: HISTOGRAM, verdict: 'fail', violations: [aViolation()] }),
    aRun({ protocol: 'nt-spec' }),
  ];
  const report = htmlReport([aResult({ runs }), anExploreResult(), aSelftestResult()]);

  let page: Page;
  let complaints: string[] = [];
  /** Made anew for each test, in one tab: that takes a tenth of the time of a new one. */
  async function open(
    html: string,
    {
      colorScheme = 'light',
      width = 1280,
    }: { colorScheme?: 'light' | 'dark'; width?: number } = {},
  ): Promise<void> {
    const file = path.join(emptyFolder(), 'report.html');
    writeFileSync(file, html);
    await page.emulateMedia({ colorScheme, media: 'screen' });
    await page.setViewportSize({ width, height: 740 });
    complaints = [];
    await page.goto(`file://${file}`);
  }

  /** With everything that it complains about or asks the network for. */
  beforeAll(async () => {
    page = await browser.newPage();
    page.setDefaultTimeout(BUSY_MS);
    page.on('console', (message) => complaints.push(message.text()));
    page.on('pageerror', (error) => complaints.push(String(error)));
    page.on('dialog', (dialog) => {
      complaints.push(`dialog: ${dialog.message()}`);
      void dialog.dismiss();
    });
    page.on('request', (request) => {
      if (!/^(?:file|data):/.test(request.url())) complaints.push(`request: ${request.url()}`);
    });
  });
  afterEach(() => {
    if (complaints.length > 0) throw new Error(`the page complained: ${complaints.join('; ')}`);
  });

  const widthOf = () => page.evaluate('document.documentElement.scrollWidth');
  const styleOf = (selector: string, property: string) =>
    page.evaluate(`getComputedStyle(document.querySelector('${selector}')).${property}`);

  it('draws every chart, complains of nothing and asks nobody', async () => {
    await open(report);
    const charts = page.locator('figure svg');
    expect(await charts.count()).toBe(4);
    for (const chart of await charts.all()) {
      const box = await chart.boundingBox();
      expect(box?.width).toBeGreaterThan(200);
      expect(box?.height).toBeGreaterThan(40);
    }
  });

  it('follows the colours of the system, text readable on both', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await open(report, { colorScheme });
      const [ground, ink] = [
        await styleOf('body', 'backgroundColor'),
        await styleOf('body', 'color'),
      ].map((colour) => luminance(String(colour)));
      expect(ratio(ground ?? 0, ink ?? 0)).toBeGreaterThan(7);
      expect((ground ?? 0) > (ink ?? 0)).toBe(colorScheme === 'light');
      const fill = String(await styleOf('figure svg', 'color'));
      expect(luminance(fill)).toBeCloseTo(ink ?? 0, 5);
    }
  });

  it('fits a phone: the page does not scroll sideways, and text stays readable', async () => {
    await open(report, { width: 360 });
    expect(await widthOf()).toBe(360);
    const shown = await page.evaluate<number>(`(() => {
      const svg = document.querySelector('figure svg');
      return 12 * svg.getBoundingClientRect().width / svg.viewBox.baseVal.width;
    })()`);
    expect(shown).toBeGreaterThan(9);
  });

  it('fits a phone with hostile text too', async () => {
    await open(htmlReport(HOSTILE.flatMap(hostileResults)), {
      width: 360,
    });
    expect(await widthOf()).toBe(360);
    expect(await page.title()).not.toBe('taken');
  });

  it('is reached by keyboard: links, tables that scroll, folded parts', async () => {
    await open(report, { width: 360 });
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
  });

  it('sorts and filters a table, and copies a command', async () => {
    const many = ['b', 'a', 'c', 'd', 'e', 'f', 'g', 'h'].map((name, i) =>
      aRun({ protocol: name, rounds: 1000 * (8 - i) }),
    );
    await open(htmlReport([aResult({ runs: many })]));
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
  });

  it('leads from a row to its violation, and shows the verdict on a phone', async () => {
    await open(report, { width: 390 });
    const verdict = page.locator('table').first().locator('tbody td a').first();
    const box = await verdict.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan(390);
    await verdict.click();
    expect(await page.locator(':target h4').first().textContent()).toContain('stale-translation');
  });

  it('has text that can be read on its ground everywhere, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await open(report, { colorScheme });
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
      const poor = colours.filter(([text, ground]) => contrast(text, ground) < 4.5);
      expect(poor).toEqual([]);
    }
  });

  const FRAME = '.scroll[aria-label^="Schedule that shows claim"]';
  const timeline = () => page.getByRole('region', { name: /^Schedule that shows claim/ });
  const letters = async () =>
    Number.parseFloat(String(await styleOf(`${FRAME} table`, 'fontSize')));
  const scrolled = (at: string) => page.waitForFunction(`document.activeElement.scrollLeft ${at}`);

  it('zooms a timeline by keyboard: + - 0, and arrows', async () => {
    await open(report, { width: 390 });
    await timeline().focus();
    expect(await letters()).toBe(14);
    for (const size of [17.5, 21.875]) {
      await page.keyboard.press('+');
      expect(await letters()).toBe(size);
    }
    expect(await page.locator('#said').textContent()).toBe('zoom 156 %');
    await page.keyboard.press('ArrowRight');
    await scrolled('> 0');
    for (let i = 0; i < 9; i++) await page.keyboard.press('-');
    expect(await letters(), 'not less than can be read').toBeCloseTo(7.17, 1);
    await page.keyboard.press('Control+0');
    expect(await letters(), "the browser's own").toBeCloseTo(7.17, 1);
    await page.keyboard.press('0');
    expect(await letters()).toBe(14);
    expect(await widthOf()).toBe(390);
  });

  it('zooms a timeline by pointer: buttons, and Ctrl with the wheel where it is', async () => {
    await open(report, { width: 390 });
    const controls = page.getByRole('group', { name: /^Zoom of Schedule that shows claim/ });
    const press = (name: RegExp) => controls.getByRole('button', { name }).click();
    await press(/^larger/);
    expect(await letters()).toBe(17.5);
    await press(/^smaller/);
    await press(/^smaller/);
    expect(await letters()).toBeCloseTo(11.2);
    await press(/^as it was/);
    expect(await letters()).toBe(14);
    await timeline().hover();
    await page.keyboard.down('Control');
    await page.mouse.wheel(0, -100);
    await page.keyboard.up('Control');
    await page.getByText('125 %', { exact: true }).waitFor();
    expect(await letters()).toBe(17.5);
  });

  it('zooms a chart, which then scrolls in its frame', async () => {
    await open(report, { width: 390 });
    const frame = page.locator('figure > .scroll').first();
    const chart = frame.locator('svg');
    const before = (await chart.boundingBox())?.width ?? 0;
    await frame.focus();
    await page.keyboard.press('+');
    await page.keyboard.press('+');
    expect((await chart.boundingBox())?.width).toBeCloseTo(before * 2.25, 0);
    await page.keyboard.press('ArrowRight');
    await scrolled('> 100');
    expect(await widthOf()).toBe(390);
  });

  it('prints all of a timeline and of a chart, whatever their zoom', async () => {
    await open(report, { width: 720 });
    const frame = page.locator('figure > .scroll').first();
    const chartWidth = async () => (await frame.locator('svg').boundingBox())?.width ?? 0;
    await page.emulateMedia({ media: 'print' });
    const asTheyWere = [await letters(), await chartWidth()];
    await page.emulateMedia({ media: 'screen' });
    for (const zoomed of [timeline(), frame]) {
      await zoomed.focus();
      await page.keyboard.press('+');
    }
    expect(await letters()).toBe(17.5);
    await page.emulateMedia({ media: 'print' });
    expect([await letters(), await chartWidth()]).toEqual(asTheyWere);
    expect(await styleOf(FRAME, 'overflowX')).toBe('visible');
    const box = await timeline().locator('table').boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThanOrEqual(720);
    expect(await page.locator('.zoom:visible').count()).toBe(0);
  });

  it('shows where the focus is, light and dark', async () => {
    for (const colorScheme of ['light', 'dark'] as const) {
      await open(report, { colorScheme });
      await page.keyboard.press('Tab');
      await timeline().focus();
      const outline = await Promise.all(
        ['outlineStyle', 'outlineWidth', 'outlineColor'].map((name) => styleOf(FRAME, name)),
      );
      const [style, width, colour] = outline.map(String);
      const ground = String(await styleOf('body', 'backgroundColor'));
      expect([style, width]).toEqual(['solid', '3px']);
      expect(contrast(colour ?? '', ground)).toBeGreaterThan(3);
    }
  });

  it('has names that stay in their cells on a phone', async () => {
    const long = 'kernel:map-hole-shared';
    const explored = ['0', '1', '2', '3'].flatMap((bbm) => [
      anExploreRun({ protocol: long, cpu: { ...aRun().cpu, bbm } }),
      anExploreRun({ protocol: 'kernel:wrprotect', cpu: { ...aRun().cpu, bbm } }),
    ]);
    await open(htmlReport([anExploreResult({ runs: explored }), anExploreResult()]), {
      width: 390,
    });
    const over = await page.evaluate<string[]>(`[...document.querySelectorAll('th, td')]
      .filter((cell) => cell.scrollWidth > cell.clientWidth + 1)
      .map((cell) => cell.textContent.trim())`);
    expect(over).toEqual([]);
    const worst = page.locator('tbody td').first();
    const box = await worst.boundingBox();
    expect((box?.x ?? 0) + (box?.width ?? 0)).toBeLessThan(390);
  });

  it('has a name for everything a screen reader stops at', async () => {
    await open(report);
    expect(await page.getByRole('img').count()).toBe(await page.locator('figure svg').count());
    expect(await page.getByRole('heading', { level: 1 }).count()).toBe(1);
    expect(await page.getByRole('table', { name: 'Kill table' }).count()).toBe(1);
    expect(await page.getByRole('region', { name: 'Verdict matrix' }).count()).toBe(1);
  });
});

/** Of two luminances. */
function ratio(a: number, b: number): number {
  return (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
}

const contrast = (a: string, b: string): number => ratio(luminance(a), luminance(b));

/** Relative luminance of `rgb(r, g, b)` (WCAG 2). */
function luminance(colour: string): number {
  const [r = 0, g = 0, b = 0] = (colour.match(/\d+/g) ?? []).map((text) => {
    const part = Number(text) / 255;
    return part <= 0.03928 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4;
  });
  return 0.2126 * r + 0.7152 * g + 0.0722 * b;
}
