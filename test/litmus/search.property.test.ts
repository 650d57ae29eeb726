/**
 * Random small programs: the search against the plain enumeration of every order of every combination of paths, in
 * which reads are prepared for whatever value could be computed, whether or not any store can have led to it.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  armModel,
  DEFAULT_BOUNDS,
  type OrderOutcomes,
  search,
  type SearchBounds,
  type System,
} from '../../src/explore/model/index.ts';
import { Collector } from '../../src/litmus/verdict/collector.ts';
import { parseLitmus } from '../../src/litmus/parse/parse.ts';
import { prepare, shapesOf } from '../../src/litmus/run-test.ts';
import { Names } from '../../src/litmus/tree/translation.ts';
import type { Unrolled } from '../../src/litmus/tree/unroll.ts';
import { TreeTooLarge } from '../../src/litmus/tree/unroller.ts';
import { ordersTried, plainSearch } from '../explore/model/plain-search.ts';

const PROGRAMS = 500;

const INIT =
  '{ int v[2]={0,3}; 0:X0=1; 0:X1=x; 0:X2=y; 0:X3=v; 0:X8=PTE(x); 0:X9=(oa:PA(x), valid:0); ' +
  '1:X0=16; 1:X1=x; 1:X2=y; 1:X3=v; 1:X8=PTE(x); 1:X9=(oa:PA(y)); }';

const PARTS = [
  ['STR W0,[X1]'],
  ['STR W0,[X2]'],
  ['STLR W0,[X2]'],
  ['LDR W4,[X1]'],
  ['LDAR W4,[X2]'],
  ['LDR W4,[X2]', 'STR W4,[X1]'],
  ['LDR W5,[X1]', 'ADD W5,W5,#1', 'STR W5,[X2]'],
  ['LDR W5,[X1]', 'CBNZ W5,END'],
  ['LDADD W0,W4,[X1]'],
  ['LDADDAL W0,W5,[X1]'],
  ['STADD W0,[X2]'],
  ['SWP W0,W4,[X2]'],
  ['SWPAL W0,W5,[X1]'],
  ['CAS W4,W0,[X1]'],
  ['LDR W4,[X2]', 'CASA W4,W0,[X1]'],
  ['LDXR W6,[X1]', 'STXR W7,W0,[X1]'],
  ['LDXR W6,[X1]', 'ADD W6,W6,W0', 'STLXR W7,W6,[X1]'],
  ['CMP W4,#0', 'CSEL W5,W0,W5,EQ'],
  ['LDR W5,[X3,#4]'],
  ['STR W4,[X3]'],
  ['STR X9,[X8]'],
  ['DMB ISH'],
  ['DMB LD'],
  ['DSB ISH', 'TLBI VMALLE1IS', 'DSB ISH'],
];

const column = fc
  .array(fc.constantFrom(...PARTS), { minLength: 1, maxLength: 2 })
  .map((parts) => [...parts.flat(), 'END:']);

function source(columns: readonly (readonly string[])[]): string {
  const height = Math.max(...columns.map(({ length }) => length));
  const rows = Array.from({ length: height }, (_, i) =>
    columns.map((cells) => cells[i] ?? '').join(' | '),
  );
  const registers = ['X4', 'X5', 'X6', 'X7'].flatMap((name) => [`0:${name};`, `1:${name};`]);
  return [
    'AArch64 random',
    INIT,
    'P0 | P1 ;',
    ...rows.map((row) => `${row} ;`),
    `locations [${registers.join(' ')} x; y; v; PTE(x); fault(P0,x); fault(P1,x);]`,
    'exists (true)',
  ].join('\n');
}

type Arch = 'base' | 'ets2';

/** An own store that is read before it is performed, and what comes of it is read before that store. */
const STORED_ON = ['LDR W5,[X1]', 'ADD W5,W5,#1', 'STR W5,[X2]', 'END:'];
const COPIED = ['LDR W4,[X2]', 'STR W4,[X1]'];
const HANDED_ON: [string[], string[], Arch][] = [
  [[...COPIED, 'END:'], ['LDXR W6,[X1]', 'STXR W7,W0,[X1]', ...STORED_ON], 'base'],
  [[...COPIED, 'END:'], ['SWP W0,W6,[X1]', ...STORED_ON], 'base'],
  [[...COPIED, 'END:'], ['LDR W6,[X1]', 'STR W0,[X1]', ...STORED_ON], 'base'],
  // The pair can only succeed on a path on which it led to what it reads itself.
  [[...COPIED, 'LDXR W6,[X1]', 'STXR W7,W0,[X1]', 'END:'], STORED_ON, 'base'],
  [['LDR W5,[X1]', ...COPIED, 'END:'], STORED_ON, 'ets2'],
];

/** More orders than this are no small program. */
const ORDERS_MAX = 2000;
const SMALL = { ...DEFAULT_BOUNDS, nodes: 2000 };

interface Prepared {
  readonly unrolled: Unrolled;
  readonly collector: Collector;
}

function preparedFor(text: string, bounds: SearchBounds, tracksOrigins: boolean): Prepared {
  const test = parseLitmus('random.litmus', text);
  const names = new Names(shapesOf(test));
  const unrolled = prepare(test, names, bounds, { tracksOrigins });
  return { unrolled, collector: new Collector(test, names, unrolled.outcomes) };
}

function found(
  { unrolled, collector }: Prepared,
  go: (system: System, visit: (found: OrderOutcomes) => 'go-on') => void,
): string[] {
  go(unrolled.system, (order) => {
    collector.add(order);
    return 'go-on';
  });
  return [...collector.states.keys()].toSorted();
}

function statesBySearch(text: string, arch: Arch): string[] {
  return found(preparedFor(text, DEFAULT_BOUNDS, true), (system, visit) => {
    expect(search(system, armModel(arch), DEFAULT_BOUNDS, visit).stoppedBy).toBeNull();
  });
}

/** Null if that is no small program. */
function statesOneByOne(text: string, arch: Arch, tracksOrigins = false): string[] | null {
  try {
    const prepared = preparedFor(text, SMALL, tracksOrigins);
    const model = armModel(arch);
    if (ordersTried(prepared.unrolled.system, model) <= ORDERS_MAX) {
      return found(prepared, (system, visit) => plainSearch(system, model, visit));
    }
  } catch (error) {
    if (!(error instanceof TreeTooLarge)) throw error;
  }
  return tracksOrigins ? null : statesOneByOne(text, arch, true);
}

describe('random small programs', () => {
  it(`have the same final states in the search and in the plain enumeration, ${PROGRAMS} of them`, () => {
    fc.assert(
      fc.property(column, column, fc.constantFrom<Arch>('base', 'ets2'), (p0, p1, arch) => {
        const text = source([p0, p1]);
        const plain = statesOneByOne(text, arch);
        fc.pre(plain !== null);
        expect({ text, states: statesBySearch(text, arch) }).toEqual({ text, states: plain });
      }),
      { numRuns: PROGRAMS, examples: HANDED_ON },
    );
  });
});
