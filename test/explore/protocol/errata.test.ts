/**
 * Cores whose TLBIs fall short: which protocol breaks, what makes up for it, and Linux's claims about its
 * repair (v6.19). docs/errata.md has the table; `GOLDEN=write npx vitest run <this file>` writes it.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it, test } from 'vitest';
import { TLBI_COMPLETIONS, type TlbiCompletion } from '../../../src/arch/cpu-model.ts';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import {
  type Cpu,
  defineProtocol,
  EMPTY,
  flushIpa,
  type Protocol,
  type TlbiOp,
  type Transition,
} from '../../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../../src/protocols/index.ts';
import { repaired } from '../../../src/protocols/repaired.ts';
import { formatSchedule } from '../../../src/report/text/schedule-text.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { shownRules } from './fixtures.ts';

const ERRATA = TLBI_COMPLETIONS.filter((tlbi) => tlbi !== 'ok');

/** Stores: what loads can do wrong beside them, where entries linger, a store does as well. */
const explored = (protocol: Protocol, tlbi: TlbiCompletion): ExploreRun =>
  exploreProtocol({ protocol, cpu: { tlbi }, kinds: ['store'], realGranules: false });

function unmapWith(flush: (cpu: Cpu, t: Transition) => void): Protocol {
  return defineProtocol({
    name: 'mine',
    kind: 'unmap',
    form: 'unmap-leaf',
    summary: 's',
    origin: 'o',
    claims: {},
    run(cpu, t, tables) {
      cpu.write(t.entry, EMPTY);
      flush(cpu, t);
      tables.put(t.entry);
    },
  });
}

const verdict = (flush: (cpu: Cpu, t: Transition) => void, tlbi: TlbiCompletion): string =>
  explored(unmapWith(flush), tlbi).verdict;

/** Steps as words: `dsb ish`, or a TLBI. */
function steps(cpu: Cpu, list: readonly (TlbiOp | 'ish' | 'ishst')[]): void {
  for (const step of list) {
    if (typeof step === 'string') cpu.dsb(step);
    else cpu.tlbi(step);
  }
}

const ALL: TlbiOp = { kind: 'vmalls12e1is' };
const NOTHING: TlbiOp = { kind: 'ipas2le1is', ipa: 0 };

describe.each(['late-writes', 'repeat'] as const)(
  "the repair of Linux, --cpu tlbi=%s: it's",
  (tlbi) => {
    it('for broadcasts only: what a PE flushes of itself is gone', () => {
      const relax = (local: boolean): Protocol =>
        defineProtocol({
          name: 'mine',
          kind: 'protect',
          form: 'relax',
          summary: 's',
          origin: 'o',
          claims: {},
          run(cpu, t) {
            cpu.write(t.entry, t.wanted);
            cpu.dsb('ishst');
            cpu.tlbi({ kind: local ? 'vmalls12e1' : 'vmalls12e1is' });
            cpu.dsb('ish');
          },
        });
      expect(explored(relax(true), tlbi).verdict).toBe('safe');
      // Where entries linger a broadcast leaves the store denied.
      expect(shownRules(explored(relax(false), tlbi))).toEqual(
        tlbi === 'repeat' ? ['progress'] : [],
      );
    });

    it.each([1, 3])('one TLBI and DSB more after %i TLBIs', (count) => {
      const flushes = Array.from({ length: count }, () => ALL);
      const plain = (cpu: Cpu): void => steps(cpu, ['ishst', ...flushes, 'ish']);
      expect(verdict(plain, tlbi)).toBe('violated');
      const more = (cpu: Cpu): void => steps(cpu, ['ishst', ...flushes, 'ish', NOTHING, 'ish']);
      expect(verdict(more, tlbi)).toBe('safe');
    });

    it('nothing without a DSB between the TLBIs, or behind the second', () => {
      expect(verdict((cpu) => steps(cpu, ['ishst', ALL, NOTHING, 'ish']), tlbi)).toBe('violated');
      expect(verdict((cpu) => steps(cpu, ['ishst', ALL, 'ish', NOTHING]), tlbi)).toBe('violated');
      expect(verdict((cpu) => steps(cpu, ['ishst', ALL, 'ish', NOTHING, 'ishst']), tlbi)).toBe(
        'violated',
      );
    });

    it.each<[string, TlbiOp, string]>([
      ['of one page', NOTHING, 'safe'],
      ['of stage 1', { kind: 'vmalle1is' }, 'safe'],
      ['of another VMID', { kind: 'vmalls12e1is', vmid: 9 }, 'safe'],
      ['local', { kind: 'vmalls12e1' }, 'violated'],
    ])('any broadcast: %s', (_, op, expected) => {
      expect(verdict((cpu) => steps(cpu, ['ishst', ALL, 'ish', op, 'ish']), tlbi)).toBe(expected);
    });

    it('needed behind stage 1, and behind stage 2 alone not enough', () => {
      const first = (t: Transition): TlbiOp => ({ kind: 'ipas2e1is', ipa: t.ipa, ttl: t.level });
      const stage1: TlbiOp = { kind: 'vmalle1is' };
      expect(verdict((cpu, t) => flushIpa(cpu, t.ipa, t.level), tlbi)).toBe('violated');
      const early = (cpu: Cpu, t: Transition): void =>
        steps(cpu, ['ishst', first(t), 'ish', NOTHING, 'ish', stage1, 'ish']);
      expect(verdict(early, tlbi)).toBe('violated');
      const late = (cpu: Cpu, t: Transition): void =>
        steps(cpu, ['ishst', first(t), 'ish', stage1, 'ish', NOTHING, 'ish']);
      expect(verdict(late, tlbi)).toBe('safe');
    });
  },
);

test('with late-writes the entries themselves are gone: nobody loads through them', () => {
  const protocol = unmapWith((cpu) => steps(cpu, ['ishst', ALL, 'ish']));
  const loads = (tlbi: TlbiCompletion): string =>
    exploreProtocol({ protocol, cpu: { tlbi }, kinds: ['load'] }).verdict;
  expect(ERRATA.map(loads)).toEqual(['safe', 'violated', 'violated']);
});

test('an interrupt to each PE is what helps with tlbi=ipi, and a second TLBI is not', () => {
  const flush = (cpu: Cpu): void => steps(cpu, ['ishst', ALL, 'ish']);
  const withIpi = (cpu: Cpu): void => {
    flush(cpu);
    cpu.ipi();
  };
  const twice = (cpu: Cpu): void => steps(cpu, ['ishst', ALL, 'ish', ALL, 'ish']);
  expect(verdict(flush, 'ipi')).toBe('violated');
  expect(verdict(twice, 'ipi')).toBe('violated');
  expect(verdict(withIpi, 'ipi')).toBe('safe');
  // Before the flush it is of no use, and on other cores none is needed.
  const before = (cpu: Cpu): void => {
    cpu.ipi();
    flush(cpu);
  };
  expect(verdict(before, 'ipi')).toBe('violated');
  // It is no DSB: what the TLBI has not reached yet goes on behind it.
  const early = (cpu: Cpu): void => {
    steps(cpu, ['ishst', ALL]);
    cpu.ipi();
    steps(cpu, ['ish']);
  };
  expect(verdict(early, 'ipi')).toBe('violated');
  expect(verdict(flush, 'ok')).toBe('safe');
});

test('the schedule shows the store that lands in memory that was given away', () => {
  const run = explored(
    unmapWith((cpu) => steps(cpu, ['ishst', ALL, 'ish'])),
    'late-writes',
  );
  const [violation] = run.violations;
  expect(violation?.rule).toBe('stale-translation');
  expect(violation?.why).toContain('after the memory had been given to somebody else');
  const text = formatSchedule(violation?.steps ?? []);
  expect(text).toMatch(
    /take memory of the old mapping = taken[^]*store page .*takes effect only now/,
  );
});

test('no step says that a TLBI is complete where the erratum makes it fall short', () => {
  const protocol = unmapWith((cpu) => steps(cpu, ['ishst', ALL, 'ish']));
  for (const tlbi of ERRATA) {
    const whys = (explored(protocol, tlbi).violations[0]?.steps ?? []).map(({ why }) => why ?? '');
    const complete = whys.filter((why) => /R_LXHLD\), |R_YNJCP/.test(why));
    expect(complete).toHaveLength(2);
    for (const why of complete) expect(why).toContain("as far as the CPU's erratum lets it");
  }
});

const FILE = new URL('../../../docs/errata.md', import.meta.url);
const BEGIN = '<!-- table of test/explore/protocol/errata.test.ts -->';
const END = '<!-- end of table -->';

function cell(protocol: Protocol, tlbi: TlbiCompletion): string {
  const run = explored(protocol, tlbi);
  // What it claims and does not keep is no matter of the erratum.
  const rules = shownRules(run).filter((rule) => rule !== 'claim');
  expect(run.stoppedBy).toBeNull();
  return rules.length === 0 ? 'safe' : rules.join(', ');
}

/** As it is under each erratum, then repeated, then with an interrupt. */
function row(protocol: Protocol): string {
  const again = repaired(protocol, 'repeat');
  const interrupted = repaired(protocol, 'interrupt');
  const cells = [
    ...ERRATA.map((tlbi) => cell(protocol, tlbi)),
    cell(again, 'late-writes'),
    cell(again, 'repeat'),
    cell(interrupted, 'ipi'),
  ];
  return `| \`${protocol.name}\` | ${cells.join(' | ')} |`;
}

test('docs/errata.md has the verdicts', () => {
  const head =
    '| protocol | late-writes | repeat | ipi | late-writes, repeated | repeat, repeated | ipi, interrupt |';
  const lines = [head, '|---|---|---|---|---|---|---|', ...ALL_PROTOCOLS.map(row)];
  const made = `${BEGIN}\n\n${lines.join('\n')}\n\n`;
  const text = readFileSync(FILE, 'utf8');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  if (process.env['GOLDEN'] === 'write') {
    writeFileSync(FILE, text.slice(0, from) + made + text.slice(to));
    return;
  }
  expect(text.slice(from, to)).toBe(made);
}, 120_000);
