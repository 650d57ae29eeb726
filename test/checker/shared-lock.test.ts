/** Beside faulting vCPUs, under a lock held for reading: who may store, and when a table may go. */
import { describe, expect, it } from 'vitest';
import { EMPTY, LOCKED } from '../../src/arch/descriptor.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import type { AutomatonVerdict } from '../../src/checker/automaton-verdict.ts';
import { PLACE, type Step, traceOf, words } from './trace-builder.ts';

const w = words();
const release = w.store(w.block, 'release');
const judge = (lock: 'exclusive' | 'shared', steps: readonly Step[]): AutomatonVerdict =>
  judgeTrace(traceOf('coalesce', steps, PLACE, { lock }), 1);
const codes = (verdict: AutomatonVerdict): string[] => verdict.violations.map((v) => v.code);
const under = (lock: 'exclusive' | 'shared', ...steps: readonly Step[]): string[] =>
  codes(judge(lock, steps));
const says = (...steps: readonly Step[]): string => judge('shared', steps).violations[0]?.why ?? '';

describe('an entry under a shared lock', () => {
  it('is taken by a compare-exchange to LOCKED and then made', () => {
    expect(under('shared', w.locked(), ...w.flushVmid, release, w.free('grace'))).toEqual([]);
  });

  it.each([
    ['EMPTY', EMPTY],
    ['LOCKED', LOCKED],
    ['the nT block', w.nt],
  ])('is not taken by a plain store of %s', (_, value) => {
    const steps = [w.store(value), ...w.flushVmid, release, w.free('grace')];
    expect(under('shared', ...steps)[0]).toBe('unowned');
    expect(says(...steps)).toMatch(/^plain store to an entry that is valid while the VM's lock/);
    expect(under('exclusive', ...steps)).toEqual([]);
  });

  it('is not owned because it was emptied: somebody else may fill it', () => {
    const steps = [w.locked(), w.store(EMPTY), ...w.flushVmid, release, w.free('grace')];
    expect(under('shared', ...steps)).toEqual(['unowned']);
    expect(says(...steps)).toMatch(
      /^made without ownership: store-release over an entry that is inv/,
    );
  });

  it.each([
    ['EMPTY', EMPTY],
    ['the old bits without the valid bit', w.table & ~1n],
  ])(
    'is not broken by a compare-exchange to %s: who faults may fill it before the TLBI',
    (_, value) => {
      const steps = [
        w.store(value, 'cas'),
        ...w.flushVmid,
        w.store(w.block, 'cas'),
        w.free('grace'),
      ];
      expect(under('shared', ...steps)).toEqual(['unowned']);
      expect(says(...steps)).toMatch(/^broken without ownership/);
      expect(under('exclusive', ...steps)).toEqual([]);
    },
  );

  it('may be made by a compare-exchange that fails if somebody came first', () => {
    const cas = w.store(w.block, 'cas');
    const steps = [w.locked(), ...w.flushVmid, cas, w.free('grace')];
    expect(under('shared', ...steps)).toEqual([]);
    const nt = [w.store(w.nt, 'cas'), ...w.flushVmid, cas, w.free('grace')];
    expect(under('shared', ...nt)).toEqual([]);
  });

  it('is given up by the store that makes it', () => {
    const steps = [w.locked(), ...w.flushVmid, release, w.store(w.block), w.free('grace')];
    expect(under('shared', ...steps)).toEqual(['unowned']);
  });

  it('of another agent is left alone, and so is its table', () => {
    expect(under('shared', w.read(LOCKED))).toEqual([]);
    expect(under('shared', w.read(LOCKED), release)).toContain('unowned');
    expect(under('shared', w.read(LOCKED), w.free('grace'))).toEqual(['freed-lost']);
  });

  it('of the old table is taken the same way while it is linked', () => {
    const rest = [w.locked(), ...w.flushVmid, release, w.free('grace')];
    expect(under('shared', w.child(EMPTY), ...rest)).toEqual(['unowned']);
    expect(says(w.child(EMPTY), ...rest)).toMatch(
      /^entry 0 of the old table, which is linked: plain/,
    );
    expect(under('exclusive', w.child(EMPTY), ...rest)).toEqual([]);
  });
});

describe('the old table under a shared lock', () => {
  const made = [w.locked(), ...w.flushVmid, release];
  it('waits for a grace period', () => {
    expect(under('shared', ...made, w.free('grace'))).toEqual([]);
    expect(under('shared', ...made, w.free('now'))).toEqual(['freed-shared']);
    expect(under('exclusive', ...made, w.free('now'))).toEqual([]);
    expect(judge('shared', [...made, w.free('now')]).violations).toMatchObject([
      { rule: 'freed-table', why: expect.stringMatching(/c3119ae45dfb/) },
    ]);
  });

  it('a spare table that nobody could reach need not', () => {
    const spare = w.step('other', {
      op: 'free',
      when: 'now',
      table: 'table 0',
      part: 'all',
      level: 3,
      tables: 1,
    });
    expect(under('shared', w.build, ...made, spare, w.free('grace'))).toEqual([]);
  });
});
