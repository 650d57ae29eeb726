import { parseHTML } from 'linkedom';
import { describe, expect, it } from 'vitest';
import { htmlReport } from '../../src/report/html/page.ts';
import { visible } from '../../src/report/visible.ts';
import { mergeResults } from '../../src/result/merge/index.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import type { ResultFile } from '../../src/result/read.ts';
import { HOSTILE } from './hostile.ts';
import { hostileResults } from './hostile-results.ts';
import {
  aBenchResult,
  aGrowthResult,
  aLitmusResult,
  anExploreResult,
  anExploreRun,
  aSelftestResult,
  aTraceResult,
  VIOLATED_RUN,
} from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';

const page = (...results: readonly ResultFile[]) => parseHTML(htmlReport(results)).document;
type Page = ReturnType<typeof page>;
const texts = (document: Page, selector: string): string[] =>
  [...document.querySelectorAll(selector)].map((e) =>
    (e.textContent ?? '').replaceAll(/\s+/g, ' ').trim(),
  );
const HISTOGRAM = { p50: 4000, p99: 9000, max: 9100, count: 30, histogram: '4000x20 9000x10' };

describe('the page', () => {
  const all = page(
    aResult({ runs: [aRun({ windowNs: HISTOGRAM }), aRun({ vcpus: 4, protocol: 'nt-spec' })] }),
    anExploreResult(),
    aLitmusResult(),
    aSelftestResult(),
    aBenchResult(),
    aGrowthResult(),
    aTraceResult(),
  );

  it('needs nothing but itself', () => {
    const text = htmlReport([aResult(), anExploreResult()]);
    expect(text.match(/<script/g)).toHaveLength(1);
    expect(text).not.toMatch(/<script src|<link rel="(?!icon)|@import|url\((?!data:)/);
    expect(
      [...text.matchAll(/(?:src|href)="([^"]*)"/g)].every(([, to]) =>
        /^(?:#|data:)/.test(to ?? ''),
      ),
    ).toBe(true);
    expect(text).toMatch(/default-src 'none'; [^"]*script-src 'sha256-[\w+/=]+'; /);
  });

  it('says what was left out of what was asked for', () => {
    const document = page({ ...anExploreResult(), remarks: ['some were left out'] });
    expect(texts(document, 'li')).toContain('some were left out');
  });

  it('has an index of what is in it, and opens with the verdict', () => {
    const document = page(
      aResult({ runs: [aRun({ verdict: 'fail', violations: [aViolation()] })] }),
    );
    const index = texts(document, 'nav ul ul a');
    expect(index).toEqual(texts(document, 'h3'));
    expect(index[0]).toBe('Protocols side by side');
    expect(index.at(-1)).toBe('Machine and its limits');
    const [row] = document.querySelectorAll('tbody td a[href]');
    const target = document.querySelector(row?.getAttribute('href') ?? '-');
    expect(target?.querySelector('h4')?.textContent).toMatch(/^stale-translation: bbm-late/);
  });

  it('is the same text for the same results', () => {
    expect(htmlReport([aResult(), anExploreResult()])).toBe(
      htmlReport([aResult(), anExploreResult()]),
    );
  });

  it('has a section with a heading and a verdict for each result', () => {
    expect(texts(all, 'h1')).toEqual(['stage2-stress report']);
    expect(texts(all, 'h2')).toEqual([
      'stress, seed 42',
      'explore',
      'litmus',
      'selftest, seed 42',
      'bench, seed 42',
      'bench, seed 42',
      'check-trace',
    ]);
    expect(texts(all, 'nav .badge')).toEqual([
      'PASS',
      'FAIL',
      'FAIL',
      'FAIL',
      'PASS',
      'PASS',
      'FAIL',
    ]);
    for (const link of all.querySelectorAll('a[href^="#"]'))
      expect(all.querySelector(link.getAttribute('href') ?? '-')).not.toBeNull();
  });

  it('has no heading that skips a level', () => {
    const levels = [...all.querySelectorAll('h1,h2,h3,h4')].map((h) => Number(h.tagName[1]));
    levels.reduce((before, level) => {
      expect(level).toBeLessThanOrEqual(before + 1);
      return level;
    }, 0);
  });

  it('has for every chart a name, a text alternative and its numbers as a table', () => {
    const figures = [...all.querySelectorAll('figure')];
    expect(figures.length).toBeGreaterThan(5);
    for (const figure of figures) {
      const svg = figure.querySelector('svg');
      expect(svg?.getAttribute('role')).toBe('img');
      expect(svg?.getAttribute('aria-label')).not.toBe('');
      expect(figure.querySelector('figcaption strong')?.textContent).not.toBe('');
      expect(figure.querySelectorAll('details table tbody tr').length).toBeGreaterThan(0);
    }
  });

  it('tells whoever points at a mark its value, and has all of a chart and a timeline without a script', () => {
    const titles = [...all.querySelectorAll('figure svg title')].map((title) => title.textContent);
    expect(titles).toContain('bbm-late: 3.65 µs to 4.22 µs: 20 times');
    expect(titles).toContain('bbm-late: median 4.00 µs');
    expect(titles).toContain('nt-spec, 4 vCPUs: 12.3% [11.9, 12.8]');
    expect(titles).toContain('bbm-late: 24.3 million/s');
    expect(titles).toContain('2 vCPUs: 3 µs per cycle');
    expect(all.querySelector('[style*="--zoom"], .zoomed, .zoom')).toBeNull();
  });

  it('has for every table a caption, headings with scope, and a region that keys can scroll', () => {
    const tables = [...all.querySelectorAll('table')];
    expect(tables.length).toBeGreaterThan(10);
    for (const table of tables) {
      expect(table.querySelector('caption')?.textContent).not.toBe('');
      expect(table.parentElement?.getAttribute('tabindex')).toBe('0');
      for (const th of table.querySelectorAll('th'))
        expect(th.getAttribute('scope')).not.toBeNull();
      const width = [...(table.querySelector('thead tr:last-child')?.children ?? [])].length;
      for (const row of table.querySelectorAll('tbody tr'))
        expect(row.children).toHaveLength(width);
    }
  });
});

describe('a stress result', () => {
  it('has protocols side by side with intervals, and the machine with its limits', () => {
    const document = page(aResult());
    expect(texts(document, 'table th[scope=row]')).toContain('rfc-nt-intended');
    expect(document.body.textContent).toContain('12.3% [11.9, 12.8]');
    expect(document.body.textContent).toContain(aResult().machine.notes[0]);
    expect(document.body.textContent).toContain('Example CPU @ 2.00GHz');
  });

  it('has its charts: hits by vCPUs, windows, episodes, throughput', () => {
    const captions = texts(page(aResult()), 'figcaption strong');
    for (const title of [
      'Window: entry invalid',
      'nT window',
      'Guest throughput during transitions',
    ])
      expect(captions).toContain(title);
    expect(captions.some((title) => title.startsWith('Episode'))).toBe(true);
    expect(captions).toContain('adjust-populated, 4k level 2, bbm=1');
  });

  it('draws a bar per decade part of a histogram', () => {
    const bars = page(aResult({ runs: [aRun({ windowNs: HISTOGRAM })] }))
      .querySelectorAll('figure')[0]
      ?.querySelectorAll('[aria-label="rect"] rect');
    expect(bars).toHaveLength(2);
  });

  it('has for a violation one lane per thread, the hypervisor first, in order', () => {
    const runs = [aRun({ verdict: 'fail', violations: [aViolation()] })];
    const document = page(aResult({ runs, verdict: 'fail', exitCode: 1 }));
    expect(texts(document, '.lanes thead th')).toEqual([
      'TLBIs seen · step',
      'hypervisor',
      'vcpu 1',
    ]);
    const rows = [...document.querySelectorAll('.lanes tbody tr')];
    const lanes = rows.map((row) =>
      [...row.children].findIndex((cell) => cell.className === 'event'),
    );
    expect(lanes).toEqual([1, 2, 1]);
    expect(texts(document, '.lanes th[scope=row]')).toEqual(['6 · 112', '7 · 91', '7 · 113']);
    expect(document.body.textContent).toContain(aViolation().exploreCommand);
  });

  it('marks an exhibit as not judged, and says so of none', () => {
    const exhibit = 'broken as posted';
    const document = page(aResult({ runs: [aRun({ exhibit, violations: [aViolation()] })] }));
    expect(texts(document, '.exhibit')[0]).toContain('not judged: broken as posted');
    expect(document.body.textContent).toContain('None that turns the verdict');
  });

  it('that was merged from two machines has them side by side', () => {
    const arm = { ...aResult().machine, arch: 'arm64', model: 'Other' };
    const document = page(mergeResults([aResult(), aResult({ machine: arm, startedAt: 'later' })]));
    expect(texts(document, 'th[scope=colgroup]')).toContain('machine 2');
    expect(texts(document, 'h4')).toContain('Machines side by side');
  });
});

describe('an explore result', () => {
  it('has a matrix of verdicts with their rules', () => {
    const [matrix] = [...page(anExploreResult()).querySelectorAll('table')];
    const rows = [...(matrix?.querySelectorAll('tbody tr') ?? [])].map((row) =>
      row.textContent?.trim(),
    );
    expect(rows[0]).toMatch(/^bbm-late\s*✓ safe/);
    expect(rows[1]).toMatch(/^rfc-nt-posted\s*✗ violated\s*: claim/);
    const text = page(anExploreResult()).body.textContent;
    expect(text).toContain('All: level 2, 1 vCPU, bbm=1, nt=translate.');
    expect(texts(page(anExploreResult()), 'thead')[0]).toMatch(/^protocol\s*verdict$/);
  });

  it('has a column for the worst of many, and none where each ran on one', () => {
    const cpus = ['0', '1', '2'].map((bbm) => ({ ...aRun().cpu, bbm }));
    const many = cpus.map((cpu, i) => ({ ...(i < 2 ? VIOLATED_RUN : anExploreRun()), cpu }));
    const runs = many.map((run) => ({ ...run, protocol: 'mine' }));
    const document = page(anExploreResult({ runs }));
    expect(texts(document, 'table:first-of-type thead th').slice(0, 3)).toEqual([
      ...['protocol', 'worst', 'bbm=0'],
    ]);
    const [worst] = document.querySelectorAll('tbody td a');
    expect(worst?.textContent?.replaceAll(/\s+/g, ' ').trim()).toBe('✗ 2 of 3');
    expect(document.body.textContent).not.toContain('An empty field');

    const apart = page(
      anExploreResult({ runs: many.map((run, i) => ({ ...run, protocol: `p${i}` })) }),
    );
    expect(texts(apart, 'table:first-of-type thead th').slice(0, 3)).toEqual([
      ...['protocol', 'verdict', 'on'],
    ]);
    expect(texts(apart, 'tbody tr')[0]).toMatch(/^p0 ?✗ violated ?: claim ?bbm=0$/);
  });

  it('is in one table by erratum with others that have errata, whose cells lead to each', () => {
    const on = (tlbi: string, run: ExploreRun): ExploreRun => ({
      ...run,
      cpu: { ...run.cpu, tlbi },
    });
    const plain = anExploreResult({ runs: [anExploreRun(), on('ipi', VIOLATED_RUN)] });
    const other = anExploreResult({
      ...{ version: '0.0.1', runs: [anExploreRun(), on('ipi', anExploreRun()), VIOLATED_RUN] },
    });
    const document = page(plain, anExploreResult(), other);
    const [table] = document.querySelectorAll('#errata table');
    const cells = [...(table?.querySelectorAll('tbody tr') ?? [])].map((row) =>
      [...row.children].map((cell) => (cell.textContent ?? '').replaceAll(/\s+/g, ' ').trim()),
    );
    // What two results have alike is said once.
    expect(cells).toEqual([
      ['bbm-late', 'none', '✓ safe', '✓ safe'],
      ['rfc-nt-posted', 'none', '✗ claim', '✗ claim'],
    ]);
    const links = [...(table?.querySelectorAll('a') ?? [])].map((a) => a.getAttribute('href'));
    expect(links.map((link) => link?.slice(0, 4))).toEqual(['#r3-', '#r1-']);
    for (const link of links) expect(document.querySelector(`${link} .violation`)).not.toBeNull();
    expect(texts(document, '#errata')[0]).toContain('by different versions: 0.1.0, 0.0.1.');
    expect(document.querySelector('nav a')?.getAttribute('href')).toBe('#errata');
    // One alone has a table of its own.
    expect(page(plain, anExploreResult()).querySelector('#errata')).toBeNull();
  });

  it('has a table by erratum, whose unsafe cells lead to what is violated', () => {
    const on = (tlbi: string | null, run: ExploreRun): ExploreRun => ({
      ...run,
      cpu: { ...run.cpu, ...(tlbi === null ? {} : { tlbi }) },
    });
    const repaired = (run: ExploreRun): ExploreRun => {
      const { protocol } = run;
      return {
        ...run,
        protocol: `${protocol}-repeat`,
        repaired: { protocol, by: 'repeat' },
      };
    };
    const [claim] = VIOLATED_RUN.violations;
    const stale = { ...claim, rule: 'stale-translation' } as ExploreRun['violations'][number];
    const runs = [
      ...[null, 'ipi', 'late-writes'].map((tlbi) => on(tlbi, anExploreRun())),
      ...[null, 'ipi'].map((tlbi) => on(tlbi, VIOLATED_RUN)),
      on('late-writes', { ...VIOLATED_RUN, violations: [...VIOLATED_RUN.violations, stale] }),
      ...['ipi', 'late-writes'].map((tlbi) => on(tlbi, repaired(anExploreRun()))),
      on('ipi', repaired(anExploreRun({ protocol: 'rfc-nt-posted' }))),
      on('late-writes', repaired(VIOLATED_RUN)),
    ];
    const document = page(anExploreResult({ runs }));
    const [table] = document.querySelectorAll('table');
    const cells = [...(table?.querySelectorAll('tr') ?? [])].map((row) =>
      [...row.children].map((cell) => (cell.textContent ?? '').replaceAll(/\s+/g, ' ').trim()),
    );
    expect(cells).toEqual([
      ['protocol', 'unsafe with', 'no erratum', 'late-writes', 'ipi', 'repaired'],
      ['bbm-late', 'none', '✓ safe', '✓ safe', '✓ safe', '✓ safe'],
      [
        // What is broken without an erratum is no matter of it.
        ...['rfc-nt-posted', '✗ late-writes', '✗ claim', '✗ claim, stale-translation', '✗ claim'],
        // Not of all errata alike: those that are left are named.
        'late-writes: ✗ claim',
      ],
    ]);
    const links = [...(table?.querySelectorAll('a') ?? [])].map(
      (a) => a.getAttribute('href') ?? '-',
    );
    expect(new Set(links).size, 'a place for each').toBe(4);
    for (const link of links) expect(document.querySelector(`${link} .violation`)).not.toBeNull();
    expect(document.querySelector(links[0] ?? '-')?.textContent).toContain('tlbi=late-writes');
    expect(texts(document, 'dt')).toContain('late-writes');
  });

  it('names the command that made it', () => {
    const kernel = { version: '6.4', function: 'f', tlb: 'vhe', shared: false, tree: 't' } as const;
    const runs = [anExploreRun({ kernel })];
    const repeat = (argv: readonly string[]): string =>
      texts(page(anExploreResult({ runs, argv })), 'dd code')[0] ?? '';
    expect(repeat(['t', '--mutate'])).toBe('npm run kernel -- t --mutate');
    expect(repeat(['--kernel', 't'])).toBe('npm run explore -- --kernel t');
  });

  it('has its counterexample as columns with the reason and the replay', () => {
    const document = page(anExploreResult());
    expect(texts(document, '.lanes thead th')).toEqual(['step', 'hypervisor', 'vcpu 0']);
    expect(texts(document, '.lanes .event')).toEqual([
      'write entry = invalid (bits kept)',
      'walk page 0: entry is invalid',
      'fault load page 0: translation, level 2',
    ]);
    expect(document.body.textContent).toContain('npm run replay -- x1-token');
  });

  it('has a line of what is still to come, where something is', () => {
    const toCome = [{ thread: 'hypervisor', op: 'dsb', detail: 'DSB ISH' }];
    const violations = [{ ...VIOLATED_RUN.violations[0], toCome } as never];
    const document = page(anExploreResult({ runs: [{ ...VIOLATED_RUN, violations }] }));
    expect(document.body.textContent).toContain('still to come: DSB ISH');
    expect(page(anExploreResult()).body.textContent).not.toContain('still to come');
  });

  it('has the reason of each step beside it, where there is one', () => {
    const steps = VIOLATED_RUN.violations[0]?.steps.map((step, i) => ({
      ...step,
      ...(i === 1 && { why: 'R_X' }),
    }));
    const violations = [{ ...VIOLATED_RUN.violations[0], steps } as never];
    const document = page(anExploreResult({ runs: [{ ...VIOLATED_RUN, violations }] }));
    expect(texts(document, '.lanes thead th')).toEqual(['step', 'hypervisor', 'vcpu 0', 'why']);
    expect(texts(document, '.lanes .why')).toEqual(['', 'R_X', '']);
  });

  it('names the bound of a search that was stopped', () => {
    const runs = [anExploreRun({ verdict: 'bounded', stoppedBy: 'timeMs' })];
    expect(page(anExploreResult({ runs })).body.textContent).toMatch(/\? bounded\s*: bound timeMs/);
  });
});

it('the kill table says what was caught, what survived, and what cannot be caught', () => {
  const text = texts(page(aSelftestResult()), 'table tbody')[0] ?? '';
  expect(text).toContain('✓ caught in 0.83 s');
  expect(text).toContain('✗ SURVIVED');
  expect(text).toContain('– missed, as it must');
  expect(text).toContain('there is no entry to race with');
});

describe('growth', () => {
  const document = page(aGrowthResult());

  it('has a row per series: exponent, conclusion, and whether an aim was met', () => {
    expect(texts(document, 'h3')).toContain('How costs grow');
    expect(texts(document, 'main table')[0]).toContain('cycle by vCPUs');
    const [row] = texts(document, 'main tbody tr');
    expect(row).toContain('~ x^1.50 [1.40, 1.60]');
    expect(row).toContain('each waits for the others');
    expect(texts(document, '.yellow')).toEqual(['aim MISSED: four vCPUs: 12 µs, the aim is 10']);
  });

  it('has a chart per series with its points as a table', () => {
    const [figure] = [...document.querySelectorAll('figure')];
    const rows = [...(figure?.querySelectorAll('tbody tr') ?? [])].map((row) =>
      [...row.children].map((cell) => cell.textContent),
    );
    expect(rows).toEqual([
      ['1', '', '1.50', '1.25 to 1.75'],
      ['2', '', '3', 'exact'],
      ['4', 'in turns', '12', '10.0 to 20.0'],
    ]);
    expect(figure?.querySelectorAll('svg circle')).toHaveLength(3);
  });

  it('has no empty table of rates, and a result of rates no growth', () => {
    expect(texts(document, 'h3')).not.toContain('Measurements');
    expect(texts(page(aBenchResult()), 'h3')).not.toContain('How costs grow');
  });

  it('was interrupted before the first series', () => {
    expect(texts(page(aGrowthResult([])), 'h3')).toContain('Measurements');
  });
});

describe('text from users', () => {
  it.each(HOSTILE)('%j is text and nothing else', (text) => {
    const results = hostileResults(text);
    const document = page(...results);
    expect(
      document.querySelectorAll(
        'header script, main script, img, #taken, failure, [onerror], [onmouseover]',
      ),
    ).toHaveLength(0);
    expect([...document.querySelectorAll('script')]).toHaveLength(1);
    expect(texts(document, 'h2')).toHaveLength(results.length);
    const shown = document.querySelector('main')?.textContent ?? '';
    expect(shown).toContain(visible(text));
    expect(shown).toBe(visible(shown));
  });

  it('of two rows with like names leaves both in a chart', () => {
    const long = 'p'.repeat(40);
    const runs = [aRun({ protocol: `${long}a${long}` }), aRun({ protocol: `${long}b${long}` })];
    const [windows] = [...page(aResult({ runs })).querySelectorAll('figure')];
    expect(windows?.querySelectorAll('details tbody tr')).toHaveLength(2);
    const labels = [...(windows?.querySelectorAll('svg text') ?? [])].map((t) => t.textContent);
    expect(labels.filter((label) => label === 'pppppppp…pppppppp')).toHaveLength(2);
  });
});
