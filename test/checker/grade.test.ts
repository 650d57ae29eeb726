/**
 * From records to verdict: merging, order, emptiness, and that nothing which was recorded is
 * dropped.
 */
import { describe, expect, it } from 'vitest';
import type { Evidence } from '../../src/result/evidence.ts';
import { gradeRun } from '../../src/checker/grade.ts';
import { IMPLEMENTED_RULES } from '../../src/checker/rules/index.ts';
import { RULES } from '../../src/result/rule.ts';
import { gradeInput, traceNamed } from './run-builder.ts';

const value = (round: number, found: number): Evidence => ({
  vcpu: 0,
  round,
  ipa: 0x1000,
  kind: 'value',
  found,
  expected: 100,
  when: 'load',
});
const stale = (tag: number): Evidence => ({
  vcpu: 1,
  round: 2,
  ipa: 0x2000,
  kind: 'version',
  tag,
  allowed: { oldest: 20, newest: 20 },
  via: 'combined',
  level: 3,
});

describe('verdict', () => {
  it('passes a run in which things happened and nothing was wrong', () => {
    expect(gradeRun(gradeInput())).toMatchObject({ verdict: 'pass', violations: [] });
  });

  it('is inconclusive without transitions, accesses, traces, or with evidence lost', () => {
    const idle = { issued: 0, completed: 0, inFlight: 0 };
    const none = gradeRun(gradeInput({ transitions: 0, traces: [] }));
    expect(none).toMatchObject({ verdict: 'inconclusive', notes: ['no transition ran'] });
    const still = gradeRun(gradeInput({ accounting: idle }));
    expect(still).toMatchObject({ verdict: 'inconclusive', notes: ['no access completed'] });
    const blind = gradeRun(gradeInput({ traces: [] }));
    expect(blind).toMatchObject({
      verdict: 'inconclusive',
      notes: [expect.stringMatching(/no trace/)],
    });
    const deaf = gradeRun(gradeInput({ evidenceDropped: 12 }));
    expect(deaf).toMatchObject({
      verdict: 'inconclusive',
      notes: [expect.stringMatching(/^12 pieces/)],
    });
  });

  it('is inconclusive, not failed, where a trace was cut, and where traces were not kept', () => {
    const whole = traceNamed('bbm-early');
    const trace = { ...whole, events: whole.events.slice(0, 1) };
    const cut = gradeRun(gradeInput({ traces: [{ trace, count: 100, truncated: true }] }));
    expect(cut).toMatchObject({ verdict: 'inconclusive', violations: [] });
    expect(cut.notes).toContainEqual(expect.stringMatching(/^100 transitions were too long/));
    expect(gradeRun(gradeInput({ traces: [{ trace, count: 100 }] })).verdict).toBe('fail');
    const some = gradeRun(gradeInput({ traces: [{ trace: whole, count: 64 }] }));
    expect(some.verdict).toBe('inconclusive');
    expect(some.notes).toContainEqual(expect.stringMatching(/^36 of 100 transitions had traces/));
  });

  it('fails a run in which nothing happened but something was wrong', () => {
    const lost = { issued: 5, completed: 0, inFlight: 0 };
    expect(gradeRun(gradeInput({ accounting: lost, transitions: 0 })).verdict).toBe('fail');
  });
});

describe('violations', () => {
  it('are one for the same thing seen often, with the sharpest example', () => {
    const evidence = [stale(3), stale(0), stale(2)];
    const { violations } = gradeRun(gradeInput({ evidence }));
    expect(violations).toMatchObject([
      { rule: 'stale-translation', count: 3, vcpu: 1, ipa: '0x2000', round: 2 },
    ]);
    expect(violations[0]?.why).toMatch(/4 versions older/);
  });

  it('come with the cause first, then in order of severity', () => {
    const leak: Evidence = { vcpu: null, round: null, ipa: null, kind: 'leak', tables: 2 };
    const direct = { trace: traceNamed('bbml2-direct'), count: 100 };
    const { violations } = gradeRun(
      gradeInput({ evidence: [leak, stale(3), value(1, 99)], traces: [direct] }),
    );
    expect(violations.map((v) => v.rule)).toEqual([
      'break-before-make',
      'lost-access',
      'stale-translation',
      'table-leak',
    ]);
  });

  it('bring the events of the transition, marked, then those of the engine', () => {
    const engine = { thread: 'vcpu 1', generation: 4, sequence: 9, text: 'walk' };
    const { violations } = gradeRun(
      gradeInput({
        traces: [{ trace: traceNamed('bbml2-direct'), count: 100 }],
        eventsOf: () => [engine],
      }),
    );
    const texts = violations[0]?.events.map((e) => `${e.thread} ${e.generation} ${e.text}`);
    expect(texts).toEqual([
      'hypervisor 0 write (cas) target: block 0x80000000 rw v3  <- here',
      'hypervisor 0 DSB ISHST',
      'hypervisor 0 TLBI VMALLS12E1IS',
      'hypervisor 1 DSB ISH',
      'hypervisor 1 ISB',
      'vcpu 1 4 walk',
    ]);
    expect(violations[0]?.exploreCommand).toBe('npm run explore -- --protocol nt-spec');
  });
});

it('notes of traces say if they concern some transitions only', () => {
  const posted = { trace: traceNamed('rfc-nt-posted'), count: 40 };
  const other = { trace: traceNamed('nt-spec'), count: 60 };
  const { verdict, notes } = gradeRun(gradeInput({ traces: [posted, other] }));
  expect(verdict).toBe('pass');
  expect(notes).toEqual([
    'block stored with a plain store, and no barrier orders the memory it shows before it ' +
      '(some transitions)',
    expect.stringMatching(/^second TLBI after clearing nT missing.*\(some transitions\)$/),
  ]);
  const all = gradeRun(gradeInput({ traces: [{ ...posted, count: 100 }] })).notes;
  expect(all.map((note) => note.includes('some transitions'))).toEqual([false, false]);
});

it('evidence of a kind nobody knows is never dropped', () => {
  const unknown = { vcpu: 0, round: 0, ipa: 0, kind: 'smoke' } as unknown as Evidence;
  expect(() => gradeRun(gradeInput({ evidence: [unknown] }))).toThrow(
    /evidence of kind smoke is judged by a rule/,
  );
});

/** A new kind does not compile here until it is named, and fails until a rule sees it. */
const KINDS: Readonly<Record<Evidence['kind'], true>> = {
  ...{ version: true, address: true, permission: true, value: true, torn: true, freed: true },
  ...{ conflict: true, spurious: true, leak: true, refcount: true, livelock: true, dirty: true },
  ...{ foreign: true, neighbour: true, progress: true },
};

it.each(Object.keys(KINDS))('evidence of kind %s is judged by a rule', (kind) => {
  expect(IMPLEMENTED_RULES.flatMap(({ sees }): readonly string[] => sees)).toContain(kind);
});

it('the registry has every rule, in the order of RULES', () => {
  expect(IMPLEMENTED_RULES.map((checker) => checker.rule)).toEqual(RULES);
  for (const { summary, origin } of IMPLEMENTED_RULES) {
    expect(summary).toMatch(/^\S.{10,105}$/);
    expect(origin).not.toBe('');
  }
});
