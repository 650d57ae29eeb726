/**
 * Access flag and dirty state where hardware keeps them (FEAT_HAFDBS): in leaves with DBM they are no
 * part of the mapping, and a walker that sets them takes nothing from anybody.
 */
import { describe, expect, test } from 'vitest';
import { AF, DBM, type Descriptor, S2AP_W, VALID } from '../../src/arch/descriptor.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import type { TraceEvent, TransitionTrace } from '../../src/port/trace.ts';
import { PLACE, type Step, traceOf, words } from './trace-builder.ts';

const w = words();
const dirty = w.block | DBM;

const codes = (trace: TransitionTrace): string[] =>
  judgeTrace(trace, 1).violations.map((violation) => violation.code);
const coalesced = (wanted: Descriptor, end: Descriptor): string[] => {
  const steps = [w.invalidate, ...w.flushVmid, w.store(end, 'release'), w.free(), w.final];
  return codes(traceOf('coalesce', steps, PLACE, { wanted }));
};

describe('a coalesce may end with the pages’ state merged into the block', () => {
  test.each<[string, Descriptor]>([
    ['dirty', dirty],
    ['clean', dirty & ~S2AP_W],
    ['neither', dirty & ~(S2AP_W | AF)],
  ])('%s', (_name, end) => {
    expect(coalesced(dirty, end)).toEqual([]);
  });

  test('and with no other difference, nor where hardware keeps none', () => {
    expect(coalesced(dirty, w.block)).toEqual(['ends-elsewhere']);
    expect(coalesced(dirty, dirty ^ (1n << 2n))).toEqual(['ends-elsewhere']);
    expect(coalesced(w.block, w.block & ~S2AP_W)).toEqual(['ends-elsewhere']);
    expect(coalesced(w.block, w.block & ~AF)).toEqual(['ends-elsewhere']);
  });
});

describe('a split', () => {
  const built = (like: Descriptor): Step =>
    w.step('other', { ...(w.build.event as Extract<TraceEvent, { op: 'build' }>), like });
  const into = (like: Descriptor, wanted: Descriptor): string[] =>
    codes(
      traceOf(
        'split',
        [built(like), w.store(wanted & ~VALID), ...w.flushIpa, w.link(), w.final],
        PLACE,
        { old: wanted, wanted },
      ),
    );

  test('may make pages of any state, of no other kind', () => {
    for (const state of [0n, S2AP_W, AF, S2AP_W | AF]) {
      expect(into(dirty & ~state, dirty)).toEqual([]);
    }
    expect(into(w.block, dirty)).toEqual(['ends-elsewhere']);
    expect(into(w.block & ~S2AP_W, w.block)).toEqual(['ends-elsewhere']);
  });

  test('is not overtaken by a walker that sets state in the live block', () => {
    const old = dirty & ~(S2AP_W | AF);
    const seen = (value: Descriptor): readonly string[] =>
      judgeTrace(traceOf('split', [w.read(value)], PLACE, { old, wanted: dirty }), 1).notes;
    expect(seen(old | AF | S2AP_W)).toEqual([]);
    expect(seen(w.table)).toEqual([expect.stringMatching(/^gave way/)]);
  });
});
