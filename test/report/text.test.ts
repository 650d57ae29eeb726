import { describe, expect, it } from 'vitest';
import type { Paint } from '../../src/report/paint.ts';
import { repeatCommand } from '../../src/report/text/header-text.ts';
import { PLAIN_TEXT, stressText } from '../../src/report/text/stress-text.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { aResult, aRun, aViolation, CLEAN_RUN, NONE, times } from './results.ts';

const NARROW = { ...PLAIN_TEXT, columns: 120 };

const EXHIBIT = aRun({
  protocol: 'rfc-nt-posted',
  verdict: 'fail',
  exhibit: 'patch 5/5 kept a stale line',
  violations: [aViolation({ rule: 'claim', count: 4723 })],
});

describe('a passing result', () => {
  it('is machine, seed, command, controls, table, legend, verdict', () => {
    expect(stressText(aResult())).toMatchInlineSnapshot(`
      "machine  2 CPUs, Example CPU @ 2.00GHz, x64, Node 24.21.0 (V8 13.6), kernel 6.8.0
               x86 is TSO: a missing release cannot show here without --reorder
      seed     42
      repeat   npm run stress -- --protocol bbm-late,rfc-nt-intended --seed 42

      controls: seeded bugs the checker must catch, beside their correct twins
        caught  no-tlbi  stale-translation  correct twin clean  0.83 s
                after 41 rounds

      adjust-populated, 4k level 2, 2 vCPUs, bbm=1
                                                                         faults/transition        window µs  nT ns  episode µs  flush ns  lock µs            guest
      protocol         verdict  rounds  transitions                 hit           spurious   p50   p99  max    p50   p50   p99       p50      p50   M/s  % of idle
      bbm-late         pass      1,200       38,400  12.3% [11.9, 12.8]              0.135  4.12  12.0  310         5.30  18.0       420     5.20  24.3       78.4
      rfc-nt-intended  pass      1,200       38,400        0 (<0.0078%)                  0                     431                   420     5.20  30.1       97.1

      protocol: what ran; (mutant) is a seeded bug
      verdict: of the rules; † shown on purpose, not judged
      rounds: fresh starts, the unit of statistics
      transitions: runs of the protocol on one entry
      hit: share of transitions that faulted a vCPU [95 % interval over rounds and repeats]; none of N is <3/N
      spurious: translation faults on memory mapped before and after, per transition
      window: from the store that makes the entry invalid to the one that makes it valid
      nT: from the store of the block with nT set to the one without
      episode: from an access's first spurious fault to its completion
      flush: wait for every vCPU to have done the TLBIs, per DSB
      lock: time under the VM's lock, per transition
      guest: accesses of all vCPUs together during transitions, and relative to none running

      PASS in 44.8 s, seed 42; exit 0: every check passed
      "
    `);
  });

  it('does not say that every check was made where a control was missed', () => {
    const reason = 'not shown here: that a race would be seen';
    const last = (text: string): string => text.trimEnd().split('\n').at(-1) ?? '';
    expect(last(stressText(aResult({ runs: [aRun()], reasons: [reason] })))).toBe(
      'PASS in 44.8 s, seed 42; exit 0: every check that could be made passed',
    );
  });

  it('says how often each configuration was started, where it was more than once', () => {
    const text = stressText(aResult({ runs: [aRun({ repeats: 4 }), aRun({ repeats: 4 })] }));
    expect(text).toContain('\nstarted  4 times each, with new threads; intervals cover');
    const mixed = stressText(aResult({ runs: [aRun({ repeats: 5 }), aRun()] }));
    expect(mixed).toContain('\nstarted  1 or 5 times each');
    expect(stressText(aResult({ runs: [aRun({ repeats: 1 })] }))).not.toContain('started');
  });

  it('is narrower on request, in more tables', () => {
    const text = stressText(aResult({ controls: [], runs: [aRun()] }), NARROW);
    expect(text.split('\n').slice(6, 17).join('\n')).toMatchInlineSnapshot(`
      "
      adjust-populated, 4k level 2, 2 vCPUs, bbm=1
                                                                  faults/transition        window µs  episode µs  flush ns
      protocol  verdict  rounds  transitions                 hit           spurious   p50   p99  max   p50   p99       p50
      bbm-late  pass      1,200       38,400  12.3% [11.9, 12.8]              0.135  4.12  12.0  310  5.30  18.0       420

                lock µs            guest
      protocol      p50   M/s  % of idle
      bbm-late     5.20  24.3       78.4

      protocol: what ran; (mutant) is a seeded bug"
    `);
  });

  it('keeps within its columns, tables at least', () => {
    for (const columns of [120, 140, 160]) {
      const all = [
        aRun({ faults: { spurious: 1, genuine: 2, retry: 3, nt: 4, conflict: 5 } }),
        CLEAN_RUN,
        EXHIBIT,
      ];
      const lines = stressText(aResult({ runs: all }), { ...PLAIN_TEXT, columns }).split('\n');
      for (const line of lines) expect(line.length).toBeLessThanOrEqual(columns);
    }
  });
});

describe('tables', () => {
  it('stand apart for each scenario, level, number of vCPUs, CPU and setting', () => {
    const variants = [
      aRun(),
      aRun({ scenario: 'adjust-half' }),
      aRun({ level: 1 }),
      aRun({ granule: '16k' }),
      aRun({ vcpus: 1 }),
      aRun({ cpu: { ...aRun().cpu, bbm: '2/1', tlb: 16 } }),
      aRun({ reorder: true }),
      aRun({ delays: 'tlbi=2000' }),
      aRun({ access: 'plain' }),
    ];
    const text = stressText(aResult({ runs: variants }));
    expect(text.split('\n').filter((line) => line.includes(' level '))).toMatchInlineSnapshot(`
      [
        "adjust-populated, 4k level 2, 2 vCPUs, bbm=1",
        "adjust-half, 4k level 2, 2 vCPUs, bbm=1",
        "adjust-populated, 4k level 1, 2 vCPUs, bbm=1",
        "adjust-populated, 16k level 2, 2 vCPUs, bbm=1",
        "adjust-populated, 4k level 2, 1 vCPU, bbm=1",
        "adjust-populated, 4k level 2, 2 vCPUs, bbm=2/1 tlb=16",
        "adjust-populated, 4k level 2, 2 vCPUs, bbm=1, reordered stores",
        "adjust-populated, 4k level 2, 2 vCPUs, bbm=1, delay tlbi=2000",
        "adjust-populated, 4k level 2, 2 vCPUs, bbm=1, access plain",
      ]
    `);
    expect(text.match(/^bbm-late/gm)).toHaveLength(variants.length);
  });

  it('have the columns that have something to say, and each one explained', () => {
    const busy = aRun({
      faults: { spurious: 12, genuine: 34, retry: 5, nt: 6, conflict: 7 },
      ntWindowNs: times(431, 2400, 9100),
    });
    const all = stressText(aResult({ runs: [busy] }));
    for (const title of [
      'spurious',
      'genuine',
      'retry',
      'nT',
      'conflict',
      'window',
      'episode',
      'flush',
      'lock',
      'guest',
    ]) {
      expect(all).toMatch(new RegExp(`^${title}( faults)?: `, 'm'));
    }
    const bare = stressText(
      aResult({ runs: [{ ...CLEAN_RUN, ntWindowNs: NONE, flushNs: NONE, lockNs: NONE }] }),
    );
    for (const title of [
      'genuine',
      'retry',
      'conflict',
      'window',
      'nT',
      'episode',
      'flush',
      'lock',
    ]) {
      expect(bare).not.toContain(title);
    }
    expect(bare).toContain('spurious');
  });

  it('say of nothing measured nothing, and of no transition no share', () => {
    const empty = aRun({
      transitions: 0,
      transitionsHit: 0,
      faults: { spurious: 0, genuine: 0, retry: 0, nt: 0, conflict: 0 },
      windowNs: NONE,
      episodeNs: NONE,
      throughput: { during: null, baseline: null },
      verdict: 'inconclusive',
    });
    const row = stressText(aResult({ runs: [empty] }))
      .split('\n')
      .find((line) => line.startsWith('bbm-late'));
    expect(row).toMatch(/^bbm-late {2}inconclusive {3}1,200 {12}0 +420 +5\.20$/);
  });

  it('mark exhibits, vCPUs that take turns, and rounds left out', () => {
    const scheduled = aRun({ scheduling: 'scheduled', roundsDropped: 12 });
    const text = stressText(aResult({ runs: [scheduled, EXHIBIT] }));
    expect(text).toMatch(/^bbm-late~ +pass /m);
    expect(text).toMatch(/^rfc-nt-posted +fail † /m);
    expect(text.split('\n').filter((line) => /^ {2}[†~r]/.test(line))).toMatchInlineSnapshot(`
      [
        "  † rfc-nt-posted is an exhibit: patch 5/5 kept a stale line; seen: claim 4,723 times",
        "  ~ vCPUs take turns: 2 on 2 cores",
        "  rounds left out of times, hit and faults because a thread was preempted: bbm-late 12",
      ]
    `);
    expect(text).not.toContain('VIOLATION');
  });
});

describe('controls', () => {
  it('missed, or accusing the correct twin, stand out', () => {
    const control = { name: 'no-tlbi', rule: 'stale-translation', seconds: 2, detail: '' } as const;
    const paint: Paint = (style, text) => (style === 'red' ? `<red>${text}</red>` : text);
    const result = aResult({
      verdict: 'inconclusive',
      exitCode: 3,
      reasons: ['the positive control no-tlbi was missed'],
      controls: [
        { ...control, caught: false, twinClean: true },
        { ...control, caught: true, twinClean: false },
      ],
    });
    const text = stressText(result, { ...PLAIN_TEXT, paint });
    expect(text).toContain(
      '<red>  MISSED  no-tlbi  stale-translation  correct twin clean    2.00 s</red>',
    );
    expect(text).toContain(
      '<red>  caught  no-tlbi  stale-translation  correct twin ACCUSED  2.00 s</red>',
    );
    expect(text).toContain(
      'reason: the positive control no-tlbi was missed\nINCONCLUSIVE in 44.8 s',
    );
  });

  it('that did not run are not passed over', () => {
    expect(stressText(aResult({ controls: [] }))).toContain('controls: none ran, so nothing shows');
  });
});

describe('faults', () => {
  const counted = { spurious: 100, genuine: 0, retry: 0, nt: 0, conflict: 0 };
  const rated = { ...counted, spurious: 0.25 };

  it('are of the rounds that hit is of, and say so if these are all', () => {
    const text = stressText(
      aResult({
        runs: [
          aRun({ faults: counted, faultsPerTransition: rated, sharesOf: 'undisturbed rounds' }),
          aRun({ protocol: 'mine', faultsPerTransition: rated, sharesOf: 'all rounds' }),
        ],
      }),
    );
    expect(text).toMatch(/^bbm-late .* 0\.25 /m);
    expect(text).toContain('hit and faults are of all rounds, too few being undisturbed: mine\n');
  });
});

describe('violations', () => {
  it('of which only the first were kept say how many were seen', () => {
    const violations = [aViolation({ count: 4, seen: 1911 })];
    const text = stressText(aResult({ runs: [aRun({ verdict: 'fail', violations })] }));
    expect(text).toContain('4 times, the first kept of 1,911 sightings\n');
  });

  const failed = aRun({ protocol: 'mine', verdict: 'fail', violations: [aViolation()] });

  it('say what, why, where, what happened last and what to run next', () => {
    const result = aResult({
      verdict: 'fail',
      exitCode: 1,
      reasons: ['mine: stale-translation'],
      runs: [failed],
    });
    const text = stressText(result, { ...PLAIN_TEXT, quiet: true });
    expect(text).toMatchInlineSnapshot(`
      "VIOLATION stale-translation: mine, 312 times
        rule   an access that began after the protocol's TLBI completed used a translation from before it
        why    an access that began after the DSB used version 3 of the region, which version 4 had replaced
        where  vCPU 1, IPA 0x40003000, round 1,207
        with   adjust-populated, 4k level 2, 2 vCPUs, bbm=1
        next   npm run explore -- --mutant no-tlbi --vcpus 1 --granule tiny
        last events, by TLBI generation seen
          gen  seq  thread      event
          6    112  hypervisor  write target = invalid
          7    91   vcpu 1      load 0x40003000 by combined entry, version 3
          7    113  hypervisor  write target = block 0x80000000 rw v4

      reason: mine: stale-translation
      FAIL in 44.8 s, seed 42; exit 1: a rule was violated, a litmus verdict disagreed, or a mutant survived
      "
    `);
  });

  it('of a mutant say so, and of the whole run too', () => {
    const violation = aViolation({
      rule: 'table-leak',
      vcpu: null,
      ipa: null,
      round: null,
      count: 1,
      events: [],
    });
    const run = aRun({ mutant: 'no-tlbi', violations: [violation] });
    const text = stressText(aResult({ runs: [run] }));
    expect(text).toContain('VIOLATION table-leak: mutant no-tlbi, once');
    expect(text).toContain('  where  the whole run\n');
    expect(text).not.toContain('last events');
  });

  it('are ten at most', () => {
    const many = Array.from({ length: 13 }, (_, round) =>
      aViolation({ round, why: `reason ${String.fromCodePoint(97 + round)}` }),
    );
    const text = stressText(aResult({ runs: [aRun({ violations: many })] }));
    expect(text.match(/^VIOLATION/gm)).toHaveLength(1);
    expect(text.match(/^ {4}stale-translation +312 times/gm)).toHaveLength(9);
    expect(text).toContain('and 3 more violations (--json has them)');
  });

  it('of several configurations are one, with the counts of each', () => {
    const seenBy = (vcpu: number): string => `load by vcpu ${vcpu} of IPA 0x40000000`;
    const run = (vcpus: number, ...counts: readonly number[]): StressRun =>
      aRun({
        vcpus,
        violations: counts.map((count, i) => aViolation({ count, why: seenBy(i) })),
      });
    const runs = [run(1, 3, 4), run(2, 50)];
    const text = stressText(aResult({ runs }), { ...PLAIN_TEXT, quiet: true });
    expect(text.match(/^VIOLATION.*/gm)).toEqual([
      'VIOLATION stale-translation: bbm-late, 7 times',
    ]);
    expect(text).toMatch(/^ {2}with +\S.*, 1 vCPU, .*\n {2}also +\S.*, 2 vCPUs, .*: 50 times$/m);
    expect(text).not.toContain('of the same protocol');
  });

  it('of one run are the first in full and a line for each other', () => {
    const cause = aViolation({ rule: 'break-before-make', why: 'no TLBI', count: 3200 });
    const runs = [
      aRun({ protocol: 'mine', violations: [cause, aViolation({ count: 1 })] }),
      aRun({ protocol: 'other', violations: [aViolation({ rule: 'refcount', why: 'a put' })] }),
    ];
    const text = stressText(aResult({ runs }), { ...PLAIN_TEXT, quiet: true });
    expect(text.match(/^(VIOLATION|  and of| {4}stale).*/gm)).toEqual([
      'VIOLATION break-before-make: mine, 3,200 times',
      '  and of the same protocol (events: --json)',
      expect.stringMatching(/^ {4}stale-translation {2}once {2}an access that began after/),
      'VIOLATION refcount: other, 312 times',
    ]);
    expect(text.match(/last events/g)).toHaveLength(2);
  });
});

describe('the command that repeats a run', () => {
  const repeat = (...argv: string[]): string => repeatCommand({ command: 'stress', argv, seed: 7 });

  it('has the seed that was used, once', () => {
    expect(repeat()).toBe('npm run stress -- --seed 7');
    expect(repeat('--seed', '3', '--vcpus', '1,2')).toBe('npm run stress -- --vcpus 1,2 --seed 7');
    expect(repeat('--vcpus', '1', '--seed=3')).toBe('npm run stress -- --vcpus 1 --seed 7');
    const bench = repeatCommand({ command: 'bench', argv: ['--growth'], seed: 1 });
    expect(bench, 'it takes none').toBe('npm run bench -- --growth');
  });

  it('can be pasted into a shell', () => {
    expect(repeat('--json', "it's here.json")).toBe(
      `npm run stress -- --json 'it'\\''s here.json' --seed 7`,
    );
    expect(repeat('--protocol', './a b.ts,$HOME')).toBe(
      `npm run stress -- --protocol './a b.ts,$HOME' --seed 7`,
    );
  });
});
