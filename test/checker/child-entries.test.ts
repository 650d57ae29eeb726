/**
 * Stores to entries that are not the target: of the old table while it is linked, of a table under
 * construction, of one that is linked already, of the page that holds the target.
 */
import { describe, expect, it } from 'vitest';
import {
  AF,
  EMPTY,
  type Descriptor,
  makeLeaf,
  makeTable,
  NORMAL_RW,
} from '../../src/arch/descriptor.ts';
import { entrySize } from '../../src/arch/geometry.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import type { AutomatonVerdict } from '../../src/checker/automaton-verdict.ts';
import type { TransitionTrace } from '../../src/port/trace.ts';
import { type Place, PLACE, type Step, traceOf, words } from './trace-builder.ts';

const w = words();
const release = w.store(w.block, 'release');
const BBM = [w.clear, ...w.flushVmid, release, w.free(), w.final];
const coalesce = (steps: readonly Step[], over: Partial<TransitionTrace> = {}): AutomatonVerdict =>
  judgeTrace(traceOf('coalesce', steps, PLACE, over), 1);
const split = (steps: readonly Step[]): AutomatonVerdict => judgeTrace(traceOf('split', steps), 1);
const codes = (verdict: AutomatonVerdict): string[] => verdict.violations.map((v) => v.code);
const why = (verdict: AutomatonVerdict): string =>
  verdict.violations.map((violation) => violation.why).join('\n');

describe('an entry of the old table while it is linked', () => {
  it('must not be moved without break-before-make of its own', () => {
    const verdict = coalesce([w.child(w.page(1)), ...BBM]);
    expect(codes(verdict)).toEqual(['valid-to-valid']);
    expect(why(verdict)).toMatch(
      /^entry 0 of the old table, which is linked: valid to valid without break \(output address/,
    );
    expect(verdict.violations[0]?.event).toBe(0);
  });

  it('is told once, whichever of many entries it is', () => {
    const all = [0, 1, 2].map((index) =>
      w.child(w.page(index + 1), 'plain', { index, before: w.page(index) }),
    );
    expect(codes(coalesce([...all, ...BBM]))).toEqual(['valid-to-valid']);
  });

  it('must not change its memory type in place', () => {
    const device = w.page(0) & ~(0xfn << 2n);
    expect(why(coalesce([w.child(device), ...BBM]))).toMatch(/memory type/);
  });

  it('may be given the same mapping again, in another version too', () => {
    const retagged = w.page(0) ^ (1n << 55n);
    expect(codes(coalesce([w.child(w.page(0)), w.child(retagged), ...BBM]))).toEqual([]);
  });

  it('may be unmapped first: the flush of the table takes its translation as well', () => {
    const verdict = coalesce([w.child(EMPTY), ...BBM]);
    expect(codes(verdict)).toEqual([]);
    expect(verdict.windowed, 'its accesses fault meanwhile').toBe(true);
  });

  it('may be moved by break-before-make of its own', () => {
    const moved = w.child(w.page(1), 'release', { before: EMPTY });
    const one = w.flushIpa.map((step) =>
      step.part === 'stage2'
        ? w.tlbi({ kind: 'ipas2e1is', ipa: PLACE.ipa, ttl: 3 }, 'stage2')
        : step,
    );
    expect(codes(coalesce([w.child(EMPTY), ...one, moved, ...BBM]))).toEqual([]);
    const early = [w.child(EMPTY), moved, ...one, ...BBM];
    expect(codes(coalesce(early))).toEqual(['valid-over-unclean']);
  });

  it('of a level-1 table lies at its own address', () => {
    const place: Place = { ...PLACE, level: 1, tablePa: 0x2_0000_0000 };
    const big = words(place);
    const page = (index: number): Descriptor => big.page(5 * 512 + index);
    const at = { table: 'old 5', index: 3, before: page(3) } as const;
    const ipa = place.ipa + 5 * entrySize(big.g, 2) + 3 * 4096;
    const flush = (to: number): Step[] => [
      big.dsb('ishst', 'order'),
      big.tlbi({ kind: 'ipas2e1is', ipa: to }, 'stage2'),
      big.dsb('ish', 'between'),
      big.tlbi({ kind: 'vmalle1is' }, 'stage1'),
      big.dsb('ish', 'complete'),
    ];
    const steps = (to: number): Step[] => [
      big.child(EMPTY, 'plain', at),
      ...flush(to),
      big.child(page(3), 'release', { ...at, before: EMPTY }),
      big.clear,
      ...big.flushVmid,
      big.store(big.block, 'release'),
    ];
    const judge = (to: number): string[] =>
      codes(judgeTrace(traceOf('coalesce', steps(to), place), 1));
    expect(judge(ipa)).toEqual([]);
    // Put back unflushed it is still the same mapping; another one is not.
    expect(
      codes(
        judgeTrace(
          traceOf(
            'coalesce',
            [
              big.child(EMPTY, 'plain', at),
              ...flush(ipa + 4096),
              big.child(page(4), 'release', { ...at, before: EMPTY }),
              big.clear,
              ...big.flushVmid,
              big.store(big.block, 'release'),
            ],
            place,
          ),
          1,
        ),
      ),
    ).toEqual(['valid-over-unclean']);
  });
});

describe('a level-1 table coalesced table by table', () => {
  const place: Place = { ...PLACE, granule: 'tiny', level: 1, ipa: 0x8000, pa: 0x8000_0000 };
  const big = words(place);
  const leaf = { ...NORMAL_RW, sw: place.sw };
  const blocks = [0, 1].map((i) => makeLeaf(big.g, 2, place.pa + i * entrySize(big.g, 2), leaf));
  const free = (table: 'old' | 'old 0' | 'old 1'): Step =>
    big.step('other', {
      op: 'free',
      when: 'now',
      table,
      part: 'all',
      level: table === 'old' ? 2 : 3,
      tables: 1,
    });
  /** One level-2 entry of the old table: broken, flushed, made, its own table freed. */
  const one = (index: 0 | 1, early = false): Step[] => {
    const table = makeTable(big.g, place.tablePa + 0x1000 * (1 + index));
    const at = { table: 'old', index } as const;
    const freed = free(`old ${index}`);
    return [
      big.child(EMPTY, 'plain', { ...at, before: table }),
      ...(early ? [freed] : []),
      ...big.flushVmid,
      big.child(blocks[index] ?? EMPTY, 'release', { ...at, before: EMPTY }),
      ...(early ? [] : [freed]),
    ];
  };
  const rest = (flush: readonly Step[]): Step[] => [
    big.clear,
    ...flush,
    big.store(big.block, 'release'),
    free('old'),
  ];
  const judge = (...steps: readonly Step[]): AutomatonVerdict =>
    judgeTrace(traceOf('coalesce', steps, place), 0);

  it('is right, if each step is', () => {
    expect(codes(judge(...one(0), ...one(1), ...rest(big.flushVmid)))).toEqual([]);
    expect(codes(judge(...one(0), ...one(1), ...rest(big.flushRange)))).toEqual([]);
  });

  it('frees no table below before its own entry is clean', () => {
    const verdict = judge(...one(0), ...one(1, true), ...rest(big.flushVmid));
    expect(verdict.violations).toMatchObject([{ rule: 'freed-table', code: 'freed-unclean' }]);
  });

  it('has level-2 blocks below it in the end: a hint of level 3 does not reach them', () => {
    const hinted = big.flushRange.map((step) =>
      step.event.op === 'tlbi' && step.part === 'stage2'
        ? big.tlbi({ ...step.event.tlbi, ttl: 3 }, 'stage2')
        : step,
    );
    expect(codes(judge(...rest(hinted))), 'pages alone').toEqual([]);
    expect(why(judge(...one(0), ...one(1), ...rest(hinted)))).toMatch(/has a TTL hint that is not/);
  });

  it('publishes a table below by release, or after a DSB', () => {
    const split = (order: 'plain' | 'release'): AutomatonVerdict => {
      const top = big.step('other', { op: 'allocate', table: 'table 0', level: 2 });
      const below = big.step('other', {
        op: 'build',
        table: 'table 1',
        level: 2,
        like: blocks[0] ?? EMPTY,
      });
      const d = makeTable(big.g, place.tablePa + 0x9000);
      const at = { table: 'table 0', index: 0, before: EMPTY } as const;
      const link = big.child(d, order, at, 'table 1');
      const steps = [top, big.breakBlock, ...big.flushVmid, big.link(), below, link];
      return judgeTrace(traceOf('split', steps, place), 0);
    };
    expect(codes(split('release'))).toEqual([]);
    expect(codes(split('plain'))).toEqual(['published-unordered']);
  });

  it('publishes with a table what was linked into it before', () => {
    const ordered = (late: boolean): AutomatonVerdict => {
      const top = big.step('other', { op: 'allocate', table: 'table 0', level: 2 });
      const below = big.step('other', { op: 'allocate', table: 'table 1', level: 3 });
      const d = makeTable(big.g, place.tablePa + 0x9000);
      const at = { table: 'table 0', index: 0, before: EMPTY } as const;
      const link = big.child(d, 'plain', at, 'table 1');
      const page = big.child(big.page(0), 'plain', { table: 'table 1', index: 0, before: EMPTY });
      const made = late ? [link, big.final, page] : [link, page, big.final];
      const steps = [top, below, ...made, big.breakBlock, big.link('plain')];
      return judgeTrace(traceOf('split', steps, place), 0);
    };
    expect(codes(ordered(true))).toContain('published-unordered');
    expect(codes(ordered(false))).not.toContain('published-unordered');
  });
});

describe('an entry of a new table', () => {
  const fresh = { table: 'table 0', before: EMPTY } as const;
  const fill = (index: number, value = w.page(index)): Step =>
    w.child(value, 'plain', { ...fresh, index });
  const make = [w.allocate, w.breakBlock, ...w.flushIpa];

  it('may be filled before the table is linked and, where it was empty, after', () => {
    expect(codes(split([w.allocate, fill(0), w.breakBlock, ...w.flushIpa, w.link()]))).toEqual([]);
    expect(codes(split([...make, w.link(), fill(0), fill(1)]))).toEqual([]);
  });

  it('must not be moved once the table is linked', () => {
    const moved = w.child(w.page(1), 'plain', { ...fresh, before: w.page(0) });
    const verdict = split([...make, w.link(), fill(0), moved]);
    expect(codes(verdict)).toEqual(['valid-to-valid', 'ends-elsewhere', 'left-unclean']);
    expect(why(verdict)).toMatch(/^entry 0 of the new table 0, which is linked/);
  });

  it('unmapped again must be flushed', () => {
    const gone = w.child(EMPTY, 'plain', { ...fresh, before: w.page(0) });
    expect(codes(split([...make, w.link(), fill(0), gone, ...w.flushVmid]))).toEqual([]);
    const verdict = split([...make, w.link(), fill(0), gone]);
    expect(codes(verdict)).toEqual(['left-unclean']);
    expect(why(verdict)).toMatch(/of what entry 0 of the new table 0 held may survive: no TLBI/);
  });

  it.each([
    [
      'another page',
      w.page(1),
      /^entry 0 of the new table 0 maps 0x80001000 instead of 0x80000000/,
    ],
    ['no access flag', w.page(0) & ~AF, /differs from the wanted block in access flag$/],
    ['less permission', w.page(0) & ~(1n << 7n), /in write permission$/],
    [
      'another memory type',
      w.page(0) & ~(0xfn << 2n),
      /in memory type \(Device-nGnRnE instead of Normal Write-Back\)$/,
    ],
    ['the type of a block', w.page(0) & ~2n, /is reserved: a page descriptor has bit 1 set$/],
  ])('must map what was wanted: not %s', (_, value, says) => {
    const verdict = split([w.allocate, fill(0, value), w.breakBlock, ...w.flushIpa, w.link()]);
    expect(codes(verdict)).toEqual(['ends-elsewhere']);
    expect(why(verdict)).toMatch(says);
  });

  it('of a whole subtree, too', () => {
    const like = w.block & ~(1n << 7n);
    const build = w.step('other', { op: 'build', table: 'table 0', level: 2, like });
    const verdict = split([build, w.breakBlock, ...w.flushIpa, w.link()]);
    expect(why(verdict)).toBe(
      'the new subtree table 0 differs from the wanted block in write permission',
    );
  });

  it('that nobody links may hold anything', () => {
    const other = w.child(w.page(9), 'plain', { table: 'table 1', before: EMPTY });
    const spare = w.step('other', { op: 'allocate', table: 'table 1', level: 3 });
    const steps = [w.build, spare, other, w.breakBlock, ...w.flushIpa, w.link()];
    expect(codes(split(steps))).toEqual([]);
  });
});

it('an entry beside the target is not the protocol to change', () => {
  const sibling = w.child(EMPTY, 'plain', { table: 'parent', index: 4, before: w.block });
  expect(codes(coalesce([sibling, ...BBM]))).toEqual(['stored-elsewhere']);
});
