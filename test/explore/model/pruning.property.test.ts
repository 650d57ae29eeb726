/**
 * The pruned search against one that knows nothing of the order within a thread: random programs
 * have the same final states in both.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armModel, DEFAULT_BOUNDS, search } from '../../../src/explore/model/index.ts';
import { skeletonsOf } from '../../../src/explore/model/skeleton.ts';
import { Names } from '../../../src/litmus/translation.ts';
import { prepare } from '../../../src/litmus/run-test.ts';
import { parseLitmus } from '../../../src/litmus/parse.ts';

const INIT =
  '{ x=0; y=5; pte_z=(oa:PA(x)); 0:X0=1; 0:X1=x; 0:X2=y; 0:X3=PTE(x); 0:X4=(oa:PA(y)); 0:X6=(oa:PA(x), valid:0); ' +
  '1:X0=2; 1:X1=x; 1:X2=y; 1:X3=PTE(x); 1:X4=(oa:PA(y)); 1:X6=(oa:PA(x), valid:0); }';

const INSTRUCTIONS = [
  'STR W0,[X1]',
  'STR W0,[X2]',
  'STLR W0,[X2]',
  'STR X4,[X3]',
  'STR X6,[X3]',
  'LDR W5,[X1]',
  'LDR W5,[X2]',
  'LDAR W5,[X2]',
  'LDR X7,[X3]',
  'SWPAL W0,W5,[X2]',
  'EOR W8,W5,W5',
  'LDR W5,[X1,W8,SXTW]',
  'STR W0,[X1,W8,SXTW]',
  'DMB ISH',
  'DMB LD',
  'DMB ST',
  'DSB ISH',
  'ISB',
  'TLBI VMALLE1IS',
  'TLBI VMALLE1',
];

const column = fc.array(fc.constantFrom(...INSTRUCTIONS), { minLength: 1, maxLength: 4 });

function source(p0: readonly string[], p1: readonly string[]): string {
  const height = Math.max(p0.length, p1.length);
  const rows = Array.from({ length: height }, (_, i) => `${p0[i] ?? ''} | ${p1[i] ?? ''} ;`);
  const shown = 'locations [0:X5; 0:X7; 1:X5; 1:X7; x; y; PTE(x); fault(P0,x); fault(P1,x);]';
  return ['AArch64 random', INIT, 'P0 | P1 ;', ...rows, shown, 'exists (true)'].join('\n');
}

/** What every thread leaves behind and what memory holds, over all orders. */
function outcomes(text: string, arch: 'base' | 'ets2', pruned: boolean): string[] {
  const { system } = prepare(parseLitmus('r.litmus', text), new Names(), DEFAULT_BOUNDS);
  const found = new Set<string>();
  const unordered: typeof skeletonsOf = (...given) =>
    skeletonsOf(...given).map(({ events }) => ({ events, before: events.map(() => 0) }));
  const stats = search(
    system,
    armModel(arch),
    DEFAULT_BOUNDS,
    ({ memory, outcomes: threads }) => {
      const [first = new Map<number, number>(), second = new Map<number, number>()] = threads;
      for (const a of first.keys())
        for (const b of second.keys()) found.add(`${memory.join()} ${a} ${b}`);
      return 'go-on';
    },
    pruned ? skeletonsOf : unordered,
  );
  expect(stats.stoppedBy).toBeNull();
  return [...found].toSorted();
}

describe('the pruned search', () => {
  it('finds what the whole search finds', () => {
    fc.assert(
      fc.property(
        column,
        column,
        fc.constantFrom('base' as const, 'ets2' as const),
        (p0, p1, arch) => {
          const text = source(p0, p1);
          expect(outcomes(text, arch, true)).toEqual(outcomes(text, arch, false));
        },
      ),
      { numRuns: 150, seed: 1 },
    );
  });

  it('ETS2 only ever forbids', () => {
    fc.assert(
      fc.property(column, column, (p0, p1) => {
        const text = source(p0, p1);
        const base = new Set(outcomes(text, 'base', true));
        for (const outcome of outcomes(text, 'ets2', true)) expect(base).toContain(outcome);
      }),
      { numRuns: 150, seed: 2 },
    );
  });
});
