/**
 * Where a walker's update of a descriptor may stand: what it waits for and what waits for it, as sets of outcomes of
 * small programs, and the pruned search against the whole one.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { armModel, DEFAULT_BOUNDS, REDUCTIONS, search } from '../../../src/explore/model/index.ts';
import { skeletonsOf } from '../../../src/explore/model/skeleton.ts';
import { Names } from '../../../src/litmus/tree/translation.ts';
import { prepare } from '../../../src/litmus/run-test.ts';
import { parseLitmus } from '../../../src/litmus/parse/parse.ts';
import { statesOf } from '../../litmus/states.ts';
import { column, litmusSource } from './random-programs.ts';

const CLEAN = '(oa:PA(x), db:0, dbm:1)';
const DIRTY = '(oa:PA(x), dbm:1)';

/** P0 stores to the clean page x under TTHM=P0:HD. X3 is the entry, X4 a flag. */
function dirtying(p0: readonly string[], p1: readonly string[], shown: string): string {
  const registers = (thread: number): string =>
    [`X0=1`, `X1=x`, `X3=PTE(x)`, `X4=f`].map((set) => `${thread}:${set};`).join(' ');
  const rows = Array.from(
    { length: Math.max(p0.length, p1.length) },
    (_, i) => `${p0[i] ?? ''} | ${p1[i] ?? ''} ;`,
  );
  const init = `{ pte_x=${CLEAN}; ${registers(0)} ${registers(1)} 1:X2=z; 1:X7=(oa:PA(x), valid:0); pte_z=(oa:PA(x)); }`;
  const head = ['AArch64 T', 'TTHM=P0:HD', init, 'P0 | P1 ;'];
  return [...head, ...rows, `locations [${shown}]`, 'exists (true)'].join('\n');
}

describe('the update', () => {
  it('may be seen by an earlier load of the entry', () => {
    const states = statesOf(dirtying(['LDR X6,[X3]', 'STR W0,[X1]'], [], '0:X6;'), 'ets2');
    expect(states).toEqual([`0:X6=${CLEAN};`, `0:X6=${DIRTY};`]);
  });

  it('may be seen and then not seen by loads that nothing orders, on its own PE only', () => {
    const loads = ['LDR X6,[X3]', 'LDR X7,[X3]'];
    const back = (thread: number): string => `${thread}:X6=${DIRTY}; ${thread}:X7=${CLEAN};`;
    const own = (...between: string[]): string[] => {
      const p0 = [loads[0] ?? '', ...between, loads[1] ?? '', 'STR W0,[X1]'];
      return statesOf(dirtying(p0, [], '0:X6; 0:X7;'), 'ets2');
    };
    expect(own()).toContain(back(0));
    expect(own('DMB LD')).not.toContain(back(0));
    const other = statesOf(dirtying(['STR W0,[X1]'], loads, '1:X6; 1:X7;'), 'ets2');
    expect(other).not.toContain(back(1));
  });

  it('is not, where the load decides about the store', () => {
    const p0 = ['LDR X6,[X3]', 'TST X6,#128', 'B.NE L0', 'L0:', 'STR W0,[X1]'];
    expect(statesOf(dirtying(p0, [], '0:X6;'), 'ets2')).toEqual([`0:X6=${CLEAN};`]);
  });

  const publish = ['LDR X6,[X3]', 'DMB SY', 'STR W0,[X4]'];
  const early = `0:X5=1; 1:X6=${DIRTY};`;
  const seen = (...between: readonly string[]): string[] =>
    statesOf(dirtying(['LDR W5,[X4]', ...between, 'STR W0,[X9]'], publish, '0:X5; 1:X6;'), 'ets2');

  it('waits for a load that picks the address', () => {
    expect(seen('CMP W0,#1', 'CSEL X9,X1,X1,EQ')).toContain(early);
    expect(seen('CMP W5,#1', 'CSEL X9,X1,X1,EQ')).not.toContain(early);
  });

  it('waits with its walk for a context synchronisation, and not for a barrier', () => {
    expect(seen('MOV X9,X1', 'DMB SY')).toContain(early);
    expect(seen('MOV X9,X1', 'DSB LD', 'ISB')).not.toContain(early);
  });

  it('and its store are made before a shootdown of the descriptor is complete', () => {
    const p1 = (flush: readonly string[]): string[] => [
      'SWP X7,X6,[X3]',
      'DSB ISH',
      'LSR X9,X1,#12',
      ...flush,
      'LDR W5,[X2]',
    ];
    const seen = (flush: readonly string[]): string[] =>
      statesOf(dirtying(['STR W0,[X1]'], p1(flush), 'x; 1:X5; 1:X6;'), 'ets2');
    const late = `[x]=1; 1:X5=0; 1:X6=${DIRTY};`;
    expect(seen(['DSB ISH'])).toContain(late);
    expect(seen(['TLBI VAAE1IS,X9', 'DSB ISH'])).not.toContain(late);
  });
});

describe('the pruned search', () => {
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
        const joint = threads.slice(0, 2).map((ways) => [...ways.keys()].join());
        found.add(`${memory.join()} ${joint.join(' ')}`);
        return 'go-on';
      },
      REDUCTIONS,
      pruned ? skeletonsOf : unordered,
    );
    expect(stats.stoppedBy).toBeNull();
    return [...found].toSorted();
  }

  const short = column.map((instructions) => instructions.slice(0, 3));

  it('finds what the whole search finds', () => {
    fc.assert(
      fc.property(
        short,
        short,
        fc.constantFrom('base' as const, 'ets2' as const),
        fc.constantFrom('HA', 'P0:HD', 'HD'),
        (p0, p1, arch, tthm) => {
          const text = litmusSource(p0, p1)
            .replace('\n', `\nTTHM=${tthm}\n`)
            .replace('pte_z=', 'pte_x=(af:0, db:0, dbm:1); pte_z=');
          expect(outcomes(text, arch, true)).toEqual(outcomes(text, arch, false));
        },
      ),
      { numRuns: 60, seed: 3 },
    );
  });
});
