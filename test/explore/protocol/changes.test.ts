/** Protocols that change no size: safe as they are, and each step of them needed. */
import { describe, expect, it, test } from 'vitest';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import {
  CHANGE_NAMES,
  changesOf,
  changesSize,
  type Cpu,
  defineProtocol,
  EMPTY,
  flushIpa,
  flushRange,
  flushVmid,
  formsOf,
  isTable,
  PROTOCOL_KINDS,
  type Protocol,
  type Transition,
} from '../../../src/port/index.ts';
import { OTHER_PROTOCOLS } from '../../../src/protocols/index.ts';
import { commandText, parseSequence, sequenceProtocol } from '../../../src/sequence/index.ts';
import { oddities, type Run, shownRules } from './fixtures.ts';

function ofKind(kind: Protocol['kind'], run: Run, over: Partial<Protocol> = {}): Protocol {
  return defineProtocol({
    name: 'mine',
    kind,
    summary: 's',
    origin: 'o',
    claims: {},
    run,
    ...over,
  });
}

const explored = (protocol: Protocol, vcpus = 1) => exploreProtocol({ protocol, vcpus });

test('every form is of one kind, and a lock held exclusively leaves out what others hold', () => {
  const forms = PROTOCOL_KINDS.flatMap((kind) => formsOf(kind));
  expect(forms.toSorted()).toEqual(CHANGE_NAMES.toSorted());
  expect(changesOf({ kind: 'unmap' })).toEqual(['unmap-leaf', 'unmap-table', 'unmap-sparse']);
  expect(changesOf({ kind: 'map' })).toEqual(['map']);
  expect(changesOf({ kind: 'map', lock: 'shared' })).toEqual(['map', 'map-locked']);
  expect(changesOf({ kind: 'protect', form: 'relax' })).toEqual(['relax']);
});

describe.each(OTHER_PROTOCOLS)('$name', (protocol) => {
  it.each([1, 2])('is safe beside %i vCPUs', (vcpus) => {
    const run = explored(protocol, vcpus);
    expect([run.verdict, run.violations, run.stoppedBy]).toEqual(['safe', [], null]);
    expect(run.executions).toBeGreaterThan(0);
    if (vcpus > 1) return;
    const breaks = protocol.kind === 'relocate' || changesSize(protocol.kind);
    expect(oddities(run)).toEqual(breaks ? ['spurious fault'] : []);
  });

  it('is safe where walkers keep dirty state', () => {
    const run = exploreProtocol({ protocol, cpu: { hafdbs: true } });
    expect([run.verdict, run.violations]).toEqual(['safe', []]);
  });
});

const unmapLeaf = (flush: (cpu: Cpu, t: Transition) => void): Protocol =>
  ofKind(
    'unmap',
    (cpu, t, tables) => {
      cpu.write(t.entry, EMPTY);
      flush(cpu, t);
      tables.put(t.entry);
    },
    { form: 'unmap-leaf' },
  );

describe('unmap of a block', () => {
  it.each<[string, (cpu: Cpu, t: Transition) => void, string[]]>([
    ['flushed', (cpu, t) => flushIpa(cpu, t.ipa, t.level), []],
    ['not flushed', (cpu) => cpu.dsb('ish'), ['stale-translation']],
    ['hinted one level off', (cpu, t) => flushIpa(cpu, t.ipa, 3), ['stale-translation']],
    [
      'flushed and not waited for',
      (cpu) => {
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
      },
      ['stale-translation'],
    ],
  ])('%s', (_, flush, rules) => {
    const run = explored(unmapLeaf(flush));
    expect(shownRules(run)).toEqual(rules);
    expect(run.verdict).toBe(rules.length === 0 ? 'safe' : 'violated');
  });

  it('has to leave an empty entry and a right count', () => {
    const kept = ofKind('unmap', (cpu, t) => cpu.write(t.entry, t.old & ~1n), {
      form: 'unmap-leaf',
    });
    const { violations } = explored(kept);
    expect(violations.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['break-before-make', 'refcount']),
    );
    expect(violations.map(({ why }) => why).join('\n')).toContain('leaves bits in the entry');
    const { violations: uncounted } = explored({ ...kept, hole: 'invalid' });
    expect(uncounted.map(({ why }) => why).join('\n')).not.toContain('leaves bits in the entry');
    expect(uncounted.map(({ rule }) => rule)).toContain('refcount');
  });
});

test('a table that is replaced by nothing is flushed before it is freed (Hafnium)', () => {
  // mm_replace_entry broke the old entry only where the new one was valid, too.
  const replaces = (breaksAlways: boolean): Protocol =>
    ofKind(
      'unmap',
      (cpu, t, tables) => {
        cpu.write(t.entry, t.wanted);
        if (breaksAlways) flushVmid(cpu);
        tables.put(t.entry);
        if (isTable(t.old, t.level)) tables.tearDown(tables.follow(t.old), t.level === 1 ? 2 : 3);
        if (!breaksAlways) flushVmid(cpu);
      },
      { form: 'unmap-table' },
    );
  expect(explored(replaces(true)).verdict).toBe('safe');
  expect(shownRules(explored(replaces(false)))).toContain('freed-table');
});

test('leaves of an unmapped table may be flushed last (KVM with range TLBIs and FWB), others may not', () => {
  const deferred = (kind: 'unmap' | 'coalesce', flushesLeaves: boolean): Protocol =>
    ofKind(
      kind,
      (cpu, t, tables) => {
        const table = tables.follow(t.old);
        for (let index = 0; index < tables.entries; index++) {
          cpu.write(tables.entryOf(table, index), EMPTY);
          tables.put(tables.entryOf(table, index));
        }
        cpu.write(t.entry, EMPTY);
        flushIpa(cpu, t.ipa, 0);
        tables.put(t.entry);
        tables.freeNow(table);
        if (kind === 'coalesce') {
          tables.get(t.entry);
          cpu.writeRelease(t.entry, t.wanted);
        }
        if (flushesLeaves) flushRange(cpu, t.ipa, t.size);
      },
      { form: kind === 'unmap' ? 'unmap-table' : 'coalesce' },
    );
  expect(explored(deferred('unmap', true)).verdict).toBe('safe');
  const { violations } = explored(deferred('unmap', false));
  expect(violations.map(({ rule }) => rule)).toContain('stale-translation');
  const remade = explored(deferred('coalesce', true));
  expect(remade.violations.map(({ rule }) => rule)).toContain('break-before-make');
});

test('each form of a kind is tried, and a sentence says which one went wrong', () => {
  const forgets = ofKind('unmap', (cpu, t, tables) => {
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    tables.put(t.entry);
  });
  const { violations } = explored(forgets);
  expect(violations.map(({ rule }) => rule)).toEqual(['table-leak']);
  expect(violations[0]?.why).toMatch(/^where a table and all it maps is unmapped: 1 table page/);
  expect(violations[0]?.token).toMatch(/:2:1\/1:@table-leak:/);
});

describe('a block that moves', () => {
  it.each([0, 1, 2, 3] as const)('has to be broken on bbm=%i', (bbm) => {
    const direct = ofKind('relocate', (cpu, t) => {
      cpu.writeRelease(t.entry, t.wanted);
      flushVmid(cpu);
    });
    const run = exploreProtocol({
      protocol: direct,
      cpu: { bbm: [bbm], multihit: 'old' },
    });
    expect(shownRules(run)).toContain('lost-access');
    expect(run.violations.map(({ rule }) => rule)).toContain('break-before-make');
  });
});

test('what a vCPU is denied after a local flush elsewhere is repaired by its next fault', () => {
  const relaxed = OTHER_PROTOCOLS.find(({ name }) => name === 'relax-local') as Protocol;
  const ids = explored(relaxed, 2).outcomes.map(({ id, grade }) => `${id}: ${grade}`);
  expect(ids.some((id) => id.includes('denied once more'))).toBe(true);
  expect(ids.some((id) => id.includes('denied for ever'))).toBe(false);
});

test.each<[string, string, string[]]>([
  ['unmap-leaf', 'unmap-leaf: str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; put', []],
  ['unmap-table', 'unmap-table: str 0; put; free child', ['freed-table', 'stale-translation']],
  ['restrict', 'restrict: str block; dsb ishst; tlbi vmalls12e1is', ['lost-dirty']],
  ['relocate', 'relocate: str 0; stlr block', ['lost-access', 'stale-translation', 'tlb-conflict']],
])('a sequence of %s', (form, text, rules) => {
  const protocol = sequenceProtocol(parseSequence(text));
  expect(protocol.kind).toBe(form === 'restrict' ? 'protect' : form.split('-')[0]);
  expect(commandText(text)).toContain(`${form}: str`);
  expect(shownRules(explored(protocol))).toEqual(expect.arrayContaining(rules));
});
