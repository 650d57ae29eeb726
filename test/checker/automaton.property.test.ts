/**
 * Properties over arbitrary step sequences: more synchronisation never hurts, addresses and tags do
 * not matter, and without a TLBI there is no way to change a size.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { isValid } from '../../src/arch/descriptor.ts';
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import { legalSequences } from './legal-sequences.ts';
import { type Place, PLACE, type Step, traceOf, words } from './trace-builder.ts';

const bbmLevel = fc.constantFrom<BbmLevel>(0, 1, 2, 3);
const kind = fc.constantFrom('coalesce' as const, 'split' as const);

/** The vocabulary in a fixed order, so that an index means the same step at every place. */
function vocabulary(place: Place): readonly Step[] {
  const w = words(place);
  return [
    w.invalidate,
    w.breakBlock,
    w.clear,
    w.locked(),
    w.store(w.block),
    w.store(w.block, 'release'),
    w.store(w.nt),
    w.store(w.nt, 'cas'),
    w.store(w.table),
    w.store(w.table, 'release'),
    w.build,
    w.allocate,
    w.cmo,
    w.free(),
    w.free('grace'),
    w.child(w.page(0)),
    w.dsb('nsh', 'other'),
    w.dsb('nshst', 'other'),
    w.final,
    w.dsb('ish', 'other'),
    w.isb,
    ...w.flushVmid,
    ...w.flushIpa,
    ...w.flushRange,
    w.tlbi({ kind: 'ipas2le1is', ipa: place.ipa }, 'other'),
    w.tlbi({ kind: 'alle1' }, 'other'),
  ];
}

const length = vocabulary(PLACE).length;
const sequence = fc.array(fc.nat(length - 1), { maxLength: 20 });
const stepsAt = (place: Place, indices: readonly number[]): Step[] =>
  indices.map((i) => vocabulary(place)[i]).filter((s) => s !== undefined);

describe('properties', () => {
  it('inserting DSB ISH, ISB or a read of the entry never makes a legal sequence illegal', () => {
    const w = words();
    const legal = fc
      .constantFrom(...legalSequences())
      .chain((s) => fc.tuple(fc.constant(s.kind), fc.constant(s.steps), bbmLevel));
    const arbitrary = fc.tuple(kind, sequence, bbmLevel).map(([k, indices, bbm]) => {
      return [k, stepsAt(PLACE, indices), bbm] as const;
    });
    const insertions = fc.array(
      fc.record({ at: fc.nat(30), what: fc.constantFrom('dsb', 'isb', 'read') }),
      { maxLength: 6 },
    );
    fc.assert(
      fc.property(fc.oneof(legal, arbitrary), insertions, ([k, steps, bbm], extra) => {
        if (judgeTrace(traceOf(k, steps), bbm).violations.length > 0) return;
        const longer = [...steps];
        for (const { at, what } of extra) {
          const place = at % (longer.length + 1);
          const stores = longer.slice(0, place).map((s) => s.event);
          const last = stores.findLast((e) => e.op === 'write' && e.entry === 'target');
          const old = k === 'coalesce' ? w.table : w.block;
          const value = last?.op === 'write' ? last.value : old;
          const read = w.read(value);
          const step = what === 'dsb' ? w.dsb('ish', 'other') : what === 'isb' ? w.isb : read;
          longer.splice(place, 0, step);
        }
        expect(judgeTrace(traceOf(k, longer), bbm).violations).toEqual([]);
      }),
      { numRuns: 3000 },
    );
  });

  it('the verdict does not depend on addresses and version tags', () => {
    const place = fc
      .record({
        slot: fc.nat(200),
        block: fc.nat(200),
        table: fc.nat(200),
        sw: fc.nat(15),
      })
      .map(({ slot, block, table, sw }): Place => {
        const size = words().size;
        return {
          ...PLACE,
          ipa: slot * size,
          pa: 0x8000_0000 + block * size,
          tablePa: 0x4000_0000 + table * 4096,
          sw,
        };
      });
    fc.assert(
      fc.property(kind, sequence, bbmLevel, place, place, (k, indices, bbm, a, b) => {
        const judge = (at: Place): unknown => {
          const { violations, notes, windowed } = judgeTrace(
            traceOf(k, stepsAt(at, indices), at),
            bbm,
          );
          const found = violations.map(({ rule, code, event }) => ({ rule, code, event }));
          return { found, notes: notes.length, windowed };
        };
        expect(judge(a)).toEqual(judge(b));
      }),
      { numRuns: 1500 },
    );
  });

  it('no sequence without a broadcast TLBI changes the size of a mapping', () => {
    fc.assert(
      fc.property(kind, sequence, bbmLevel, (k, indices, bbm) => {
        const steps = stepsAt(PLACE, indices).filter((s) => s.event.op !== 'tlbi');
        const verdict = judgeTrace(traceOf(k, steps), bbm);
        expect(verdict.violations).not.toEqual([]);
      }),
      { numRuns: 1500 },
    );
  });

  it('windowed says exactly whether an invalid descriptor was stored', () => {
    fc.assert(
      fc.property(kind, sequence, bbmLevel, (k, indices, bbm) => {
        const steps = stepsAt(PLACE, indices);
        const stores = steps.flatMap(({ event: e }) => (e.op === 'write' ? [e] : []));
        const invalid = stores.filter((e) => !isValid(e.value));
        const ofTarget = invalid.some((e) => e.entry === 'target');
        const { windowed } = judgeTrace(traceOf(k, steps), bbm);
        // An entry of the old table is one more place to lose a translation, while it is linked.
        const maybe = !ofTarget && invalid.length > 0;
        expect(maybe ? ofTarget : windowed).toBe(ofTarget);
      }),
    );
  });
});
