/** Pages that are freed in use, freed again, used after; and what was cleaned before it is shown. */
import { describe, expect, it } from 'vitest';
import { EMPTY, softwareBits } from '../../src/arch/descriptor.ts';
import type { Level } from '../../src/arch/geometry.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import type { AutomatonFinding } from '../../src/checker/automaton-verdict.ts';
import type { FreedPart, TableName } from '../../src/port/trace.ts';
import { PLACE, type Step, traceOf, words } from './trace-builder.ts';

const w = words();
const release = w.store(w.block, 'release');
const MADE = [w.clear, ...w.flushVmid, release];
const judge = (
  kind: 'coalesce' | 'split',
  ...steps: readonly Step[]
): readonly AutomatonFinding[] => judgeTrace(traceOf(kind, steps), 1).violations;
const codes = (findings: readonly AutomatonFinding[]): string[] => findings.map((v) => v.code);
const free = (table: TableName, part: FreedPart = 'all', level: Level = 3, tables = 1): Step =>
  w.step('other', {
    op: 'free',
    when: 'now',
    table,
    part,
    level: part === 'page' ? null : level,
    tables,
  });

describe('a table page', () => {
  it('is freed once, or from below and then itself', () => {
    expect(codes(judge('coalesce', ...MADE, free('old')))).toEqual([]);
    expect(codes(judge('coalesce', ...MADE, free('old', 'below'), free('old', 'page')))).toEqual(
      [],
    );
    const twice = judge('coalesce', ...MADE, free('old'), free('old'));
    expect(twice).toMatchObject([{ rule: 'freed-table', code: 'freed-twice' }]);
    const below = judge('coalesce', ...MADE, free('old'), free('old 3'));
    expect(codes(below)).toEqual(['freed-twice']);
    // The explorer's books give no page back the second time.
    const none = judge('coalesce', ...MADE, free('old'), free('old', 'all', 3, 0));
    expect(codes(none)).toEqual(['freed-twice']);
    expect(codes(judge('coalesce', ...MADE, free('old', 'all', 3, 0)))).not.toContain(
      'freed-twice',
    );
  });

  it('that was made and is linked is not freed', () => {
    const steps = [w.build, w.breakBlock, ...w.flushIpa, w.link(), free('table 0')];
    expect(codes(judge('split', ...steps))).toEqual(['freed-linked']);
  });

  it('that was linked for a while is freed only when its translations are gone', () => {
    const twoSubtrees = [
      w.build,
      w.step('other', { op: 'build', table: 'table 1', level: 2, like: w.block }),
      w.breakBlock,
      ...w.flushIpa,
      w.store(w.table, 'release', 'table 1'),
      w.clear,
    ];
    const early = judge('split', ...twoSubtrees, free('table 1'), ...w.flushVmid, w.link());
    expect(early).toMatchObject([{ code: 'freed-unclean', why: /^table 1 freed while walkers/ }]);
    const late = judge('split', ...twoSubtrees, ...w.flushVmid, free('table 1'), w.link());
    expect(codes(late)).toEqual([]);
  });

  it('that was not linked may be freed any time', () => {
    expect(codes(judge('coalesce', w.build, free('table 0'), ...MADE, free('old')))).toEqual([]);
  });

  it('is torn down at its own level', () => {
    expect(judge('coalesce', ...MADE, free('old', 'all', 2))).toMatchObject([
      {
        code: 'freed-level',
        why: 'old table torn down as a table of level 2, but its entries are of level 3',
      },
    ]);
  });

  it('that holds the target is never freed', () => {
    expect(codes(judge('coalesce', ...MADE, free('parent')))).toEqual(['freed-parent']);
  });

  it('is not used after it was freed, but may be read before a grace period is over', () => {
    const read = w.step('other', { op: 'read', entry: 'child 1', value: EMPTY, table: 'old' });
    expect(judge('coalesce', ...MADE, w.free(), read)).toMatchObject([
      { rule: 'freed-table', code: 'freed-used', why: /was read after the page was freed$/ },
    ]);
    expect(codes(judge('coalesce', ...MADE, w.free(), w.child(EMPTY)))).toEqual(['freed-used']);
    expect(codes(judge('coalesce', ...MADE, read, w.free()))).toEqual([]);
    expect(codes(judge('coalesce', ...MADE, w.free('grace'), read))).toEqual([]);
  });
});

describe('the data cache', () => {
  const clean = (offset: number, size: number): Step =>
    w.step('other', { op: 'cmo', pa: PLACE.pa + offset, size });
  const broken = [w.clear, ...w.flushVmid];
  const cleaning = (before: readonly Step[], after: readonly Step[] = []) =>
    judge('coalesce', ...broken, ...before, release, ...after, w.free());

  it('need not be cleaned, or is cleaned whole before the block is there', () => {
    expect(codes(cleaning([]))).toEqual([]);
    expect(codes(cleaning([w.cmo]))).toEqual([]);
    expect(codes(cleaning([clean(w.size / 2, w.size / 2), clean(0, w.size / 2)]))).toEqual([]);
    expect(codes(cleaning([clean(-4096, w.size + 8192)]))).toEqual([]);
    expect(codes(judge('coalesce', w.cmo, ...MADE, w.free()))).toEqual([]);
  });

  it('cleaned at another address is not cleaned', () => {
    const ipa = w.step('other', { op: 'cmo', pa: PLACE.ipa, size: w.size });
    expect(cleaning([ipa])).toMatchObject([
      {
        code: 'clean-elsewhere',
        event: 5,
        why: /from 0x40000000 \(that is its IPA\), but .* wrong address$/,
      },
    ]);
    expect(codes(cleaning([w.cmo, clean(w.size, 4096)]))).toEqual(['clean-elsewhere']);
  });

  it('cleaned in part leaves the rest', () => {
    expect(cleaning([clean(0, w.size / 2)])).toMatchObject([
      { code: 'clean-part', why: /^data cache cleaned for 0x100000 of the 0x200000 bytes/ },
    ]);
    expect(codes(cleaning([clean(0, w.size / 2), clean(0, w.size / 2)]))).toEqual(['clean-part']);
  });

  it('cleaned after the block is there is too late', () => {
    expect(cleaning([], [w.cmo])).toMatchObject([{ code: 'clean-late', event: 6 }]);
  });
});

it('the wanted block without its software bits is not what was wanted', () => {
  const other = w.block ^ (1n << 55n);
  expect(judge('coalesce', w.clear, ...w.flushVmid, w.store(other, 'release'))).toMatchObject([
    {
      code: 'ends-elsewhere',
      why: new RegExp(`software bits are ${softwareBits(other)} instead of ${PLACE.sw}`),
    },
  ]);
});
