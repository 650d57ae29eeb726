/**
 * Each reduction of the search against the search without it, on random programs of two threads, with
 * walkers that update descriptors and without.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  armModel,
  DEFAULT_BOUNDS,
  type ModelOptions,
  type OrderOutcomes,
  type Reductions,
  REDUCTIONS,
  search,
} from '../../../src/explore/model/index.ts';
import { parseLitmus } from '../../../src/litmus/parse/parse.ts';
import { prepare } from '../../../src/litmus/run-test.ts';
import { Names } from '../../../src/litmus/tree/translation.ts';
import { column, columnWithExclusives, litmusSource } from './random-programs.ts';

/** Everything that can be seen at the end of some execution. */
function endings(text: string, options: ModelOptions, reductions: Reductions): string[] {
  const { system } = prepare(parseLitmus('r.litmus', text), new Names(), DEFAULT_BOUNDS);
  const seen = new Set<string>();
  const visit = ({ memory, outcomes }: OrderOutcomes): 'go-on' => {
    let ends = [memory.join(',')];
    for (const mine of outcomes)
      ends = ends.flatMap((end) => [...mine.keys()].map((outcome) => `${end}; ${outcome}`));
    for (const end of ends) seen.add(end);
    return 'go-on';
  };
  expect(search(system, options, DEFAULT_BOUNDS, visit, reductions).stoppedBy).toBeNull();
  return [...seen].toSorted();
}

interface Found {
  /** Every order visited, with what came of it. */
  readonly orders: readonly string[];
  readonly states: number;
}

function searched(text: string, options: ModelOptions, reductions: Reductions): Found {
  const { system } = prepare(parseLitmus('r.litmus', text), new Names(), DEFAULT_BOUNDS);
  const orders: string[] = [];
  const { states, stoppedBy } = search(
    system,
    options,
    DEFAULT_BOUNDS,
    ({ choice, numbers, memory, outcomes }) => {
      const ends = outcomes.map((mine) => [...mine].join(' '));
      orders.push([choice, numbers, memory, ...ends].join('; '));
      return 'go-on';
    },
    reductions,
  );
  expect(stoppedBy).toBeNull();
  return { orders, states };
}

/** As the architecture has it, and cores whose TLBIs fall short. */
const models = fc.constantFrom(
  armModel('base'),
  armModel('ets2'),
  armModel('ets2', { memory: 'tso' }),
  armModel('ets2', { tlbi: 'repeat' }),
  armModel('ets2', { tlbi: 'late-writes' }),
);

const short = column.map((instructions) => instructions.slice(0, 3));

/** Walkers of these threads set the access flag and the dirty state of x's descriptor. */
function withUpdates(text: string, tthm: string): string {
  return text
    .replace('\n', `\nTTHM=${tthm}\n`)
    .replace('pte_z=', 'pte_x=(af:0, db:0, dbm:1); pte_z=');
}

describe('looking ahead', () => {
  it('takes writes that are to come in any order', () => {
    const text = [
      'AArch64 three',
      '{ x=0; y=0; z=0; 0:X0=1; 0:X1=x; 1:X1=x; 1:X2=y; 1:X3=z; 2:X0=2; 2:X1=x; }',
      'P0 | P1 | P2 ;',
      'STR W0,[X1] | LDR W5,[X1] | STR W0,[X1] ;',
      ' | LDR W6,[X1] | ;',
      // What it has read is known before the order is.
      ' | STR W5,[X2] | ;',
      ' | STR W6,[X3] | ;',
      'locations [1:X5; 1:X6; x; y; z;]',
      'exists (true)',
    ].join('\n');
    const whole = searched(text, armModel('ets2'), { ...REDUCTIONS, lookAhead: false });
    const { orders } = searched(text, armModel('ets2'), { ...REDUCTIONS, lookAhead: true });
    expect(orders).toEqual(whole.orders);
  });

  it('loses no order', () => {
    fc.assert(
      fc.property(columnWithExclusives, columnWithExclusives, models, (p0, p1, model) => {
        const text = litmusSource(p0, p1);
        const whole = searched(text, model, { ...REDUCTIONS, lookAhead: false });
        const { orders, states } = searched(text, model, { ...REDUCTIONS, lookAhead: true });
        expect(orders).toEqual(whole.orders);
        expect(states).toBeLessThanOrEqual(whole.states);
      }),
      { numRuns: 300, seed: 11 },
    );
  });

  it('loses none where walkers update descriptors, and gives up most of the others', () => {
    let all = 0;
    let ahead = 0;
    fc.assert(
      fc.property(
        short,
        short,
        models,
        fc.constantFrom('HA', 'P0:HD', 'HD'),
        (p0, p1, model, tthm) => {
          const text = withUpdates(litmusSource(p0, p1), tthm);
          const whole = searched(text, model, { ...REDUCTIONS, lookAhead: false });
          const { orders, states } = searched(text, model, { ...REDUCTIONS, lookAhead: true });
          expect(orders).toEqual(whole.orders);
          all += whole.states;
          ahead += states;
        },
      ),
      { numRuns: 80, seed: 12 },
    );
    expect(ahead).toBeLessThan(all / 2);
  });
});

describe('what nobody else can tell', () => {
  const WHOLE: Reductions = {
    ...REDUCTIONS,
    sealing: false,
    unlinked: false,
    programOrder: false,
  };

  /** A second thread that sees little of the first, or nothing. */
  const few = fc.constantFrom([], ['LDR W5,[X2]'], ['STR W0,[X2]'], ['LDR W5,[X2]', 'LDR W7,[X2]']);

  it('may be left out, walks of its own thread included', () => {
    fc.assert(
      fc.property(columnWithExclusives, few, models, (p0, p1, model) => {
        const text = litmusSource(p0, p1);
        expect(endings(text, model, REDUCTIONS)).toEqual(endings(text, model, WHOLE));
      }),
      { numRuns: 300, seed: 15 },
    );
  });

  /** Of threads that translate nothing: loads, stores and barriers on three descriptors. */
  const plain = fc.array(
    fc.constantFrom(
      'STR X0,[X1]',
      'STR X0,[X2]',
      'STR X0,[X3]',
      'STR X4,[X1]',
      'STLR X4,[X2]',
      'LDR X5,[X1]',
      'LDR X6,[X2]',
      'LDAR X7,[X3]',
      'DMB ISH',
      'DMB ST',
      'DSB ISH',
    ),
    { minLength: 1, maxLength: 4 },
  );

  function plainSource(columns: readonly (readonly string[])[]): string {
    const height = Math.max(...columns.map(({ length }) => length));
    const rows = Array.from(
      { length: height },
      (_, i) => `${columns.map((column) => column[i] ?? '').join(' | ')} ;`,
    );
    const values = ['(oa:PA(y))', '(oa:PA(z))', '(oa:PA(y), valid:0)', '(oa:PA(z), valid:0)'];
    const init = columns.map((_, t) => {
      const words = `${t}:X1=PTE(x); ${t}:X2=PTE(y); ${t}:X3=PTE(z);`;
      return `${t}:X0=${values[2 * t]}; ${t}:X4=${values[2 * t + 1]}; ${words}`;
    });
    const shown = columns.map((_, t) => `${t}:X5; ${t}:X6; ${t}:X7;`).join(' ');
    const names = `${columns.map((_, t) => `P${t}`).join(' | ')} ;`;
    const head = ['AArch64 plain', `{ x=0; y=0; z=0; ${init.join(' ')} }`, names];
    const last = [`locations [${shown} PTE(x); PTE(y); PTE(z);]`, 'exists (true)'];
    return [...head, ...rows, ...last].join('\n');
  }

  it('may be left out of plain programs', () => {
    fc.assert(
      fc.property(plain, plain, models, (p0, p1, model) => {
        const text = plainSource([p0, p1]);
        expect(endings(text, model, REDUCTIONS)).toEqual(endings(text, model, WHOLE));
      }),
      { numRuns: 300, seed: 16 },
    );
  });

  it('is told apart by what memory holds in the end', () => {
    // 2+2W: nobody reads, and each of the four endings is possible.
    const text = plainSource([
      ['STR X0,[X1]', 'STR X4,[X2]'],
      ['STR X0,[X2]', 'STR X4,[X1]'],
    ]);
    const found = endings(text, armModel('ets2'), REDUCTIONS);
    expect(found).toEqual(endings(text, armModel('ets2'), WHOLE));
    expect(found).toHaveLength(4);
  });

  it('is told apart by a walk of its own thread', () => {
    // The store may take effect before the TLBI, which then ends what was cached, or after it.
    const local = ['STR X6,[X3]', 'TLBI VMALLE1', 'DSB ISH', 'ISB', 'LDR W5,[X1]'];
    const text = litmusSource(local, []);
    for (const arch of ['base', 'ets2'] as const) {
      const model = armModel(arch);
      expect(endings(text, model, REDUCTIONS)).toEqual(endings(text, model, WHOLE));
    }
  });
});
