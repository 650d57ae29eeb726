/**
 * The automaton on whole sequences: the protocol table at every BBM level, then the violations that
 * no single weakening of a legal sequence leads to, each with its sentence.
 */
import { describe, expect, it } from 'vitest';
import {
  type Descriptor,
  LOCKED,
  makeLeaf,
  makeTable,
  NORMAL_RW,
} from '../../src/arch/descriptor.ts';
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import type { Level } from '../../src/arch/geometry.ts';
import type { AutomatonFinding, AutomatonVerdict } from '../../src/checker/automaton-verdict.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import { judgeTrace } from '../../src/checker/automaton.ts';
import type { TransitionTrace } from '../../src/port/trace.ts';
import { legalSequences } from './legal-sequences.ts';
import { type Place, PLACE, type Step, traceOf, words } from './trace-builder.ts';

const LEVELS: readonly BbmLevel[] = [0, 1, 2, 3];
const w = words();

function coalesce(
  bbm: BbmLevel,
  steps: readonly Step[],
  over: Partial<TransitionTrace> = {},
): AutomatonVerdict {
  return judgeTrace(traceOf('coalesce', steps, PLACE, over), bbm);
}

function split(bbm: BbmLevel, steps: readonly Step[]): AutomatonVerdict {
  return judgeTrace(traceOf('split', steps), bbm);
}

function codes(verdict: AutomatonVerdict): AutomatonFinding['code'][] {
  return verdict.violations.map((violation) => violation.code);
}

function sentences(verdict: AutomatonVerdict): string {
  return verdict.violations.map((violation) => violation.why).join('\n');
}

describe('the protocol table', () => {
  const cases = legalSequences().flatMap((s) => LEVELS.map((bbm) => ({ ...s, bbm })));
  it.each(cases)('$name at BBM level $bbm', ({ kind, steps, legalAt, bbm, ...expected }) => {
    const verdict = judgeTrace(traceOf(kind, steps), bbm);
    expect(codes(verdict).length === 0).toBe(legalAt.includes(bbm));
    expect(verdict.windowed).toBe(expected.windowed);
    expect(verdict.ntWindowed).toBe(expected.ntWindowed);
  });
});

describe('where a sequence is not legal, the sentence says why', () => {
  const named = (name: string): readonly Step[] =>
    legalSequences().find((s) => s.name === name)?.steps ?? [];

  it('rfc-nt-posted at level 0: the break never became clean', () => {
    const verdict = coalesce(0, named('rfc-nt-posted'));
    expect(codes(verdict)).toEqual(['valid-over-unclean']);
    expect(verdict.violations[0]).toMatchObject({ rule: 'break-before-make', event: 1 });
    expect(sentences(verdict)).toBe(
      'valid stored over an invalid entry that was not clean (table to block, BBM level 0): ' +
        'no TLBI came between the store of event 1 and this',
    );
  });

  it('rfc-nt-intended at level 0: nT is of no use', () => {
    const verdict = coalesce(0, named('rfc-nt-intended'));
    expect(sentences(verdict)).toBe(
      'valid to valid without break (table to block, BBM level 0; nT needs level 1): ' +
        'the entry was not made invalid and flushed first',
    );
  });

  it('bbml2-direct at level 1: the block lacks nT', () => {
    const verdict = coalesce(1, named('bbml2-direct'));
    expect(codes(verdict)).toEqual(['block-without-nt']);
    expect(sentences(verdict)).toMatch(/table replaced by a block without nT/);
  });
});

it('a flush of one PE alone is two things at once, and both are said', () => {
  const cleared = w.store(0n);
  const flush = (kind: 'vmalls12e1' | 'vmalls12e1is'): readonly Step[] => [
    w.dsb('nshst', 'order'),
    w.tlbi({ kind }, 'stage2'),
    w.dsb('nsh', 'complete'),
  ];
  const early = 'an Inner Shareable DSB is missing';
  const said = (kind: 'vmalls12e1' | 'vmalls12e1is'): string =>
    sentences(coalesce(0, [cleared, ...flush(kind), w.store(w.block, 'release')]));
  expect(said('vmalls12e1')).toMatch(
    new RegExp(
      `${early}; TLBI VMALLS12E1 \\(event 3\\) is local, too, where a broadcast \\(IS\\) one is needed$`,
      'm',
    ),
  );
  expect(said('vmalls12e1is')).toMatch(new RegExp(`${early}$`, 'm'));
});

describe('nT at level 1', () => {
  it('may be stored over the broken block before the flush of the break is complete', () => {
    const [order, flush, complete] = w.flushVmid;
    const link = [w.store(w.table, 'release'), ...w.flushVmid];
    const steps = [w.build, w.breakBlock, order, flush, w.store(w.nt), complete, ...link];
    expect(
      codes(
        split(
          1,
          steps.filter((s) => s !== undefined),
        ),
      ),
    ).toEqual([]);
  });

  it('may be taken back from a live block, flushed or not', () => {
    const back = [w.store(w.nt), w.store(w.block)];
    const steps = [w.build, ...back, w.breakBlock, ...w.flushIpa, w.store(w.table, 'release')];
    expect(codes(split(1, steps))).toEqual([]);
  });

  it('must not be cleared before the flush is complete', () => {
    const [order, flush] = w.flushVmid;
    const early = [w.store(w.nt), order, flush, w.store(w.block), ...w.flushVmid, w.free()];
    const steps = early.filter((s) => s !== undefined);
    expect(codes(coalesce(1, steps))).toEqual(['nt-cleared-early']);
    expect(sentences(coalesce(1, steps))).toMatch(/the TLBI was not followed by a DSB ISH/);
    expect(codes(coalesce(2, steps))).toEqual([]);
  });

  it('must be set and flushed before a block becomes a table', () => {
    const table = w.link();
    expect(codes(split(1, [w.build, table, ...w.flushVmid]))).toEqual(['split-without-nt']);
    const unflushed = [w.build, w.store(w.nt), table, ...w.flushVmid];
    expect(codes(split(1, unflushed))).toEqual(['split-nt-unflushed']);
    expect(sentences(split(1, unflushed))).toMatch(/no TLBI came between the store of event 2/);
    expect(codes(split(2, unflushed))).toEqual([]);
  });

  it('must not stay set', () => {
    const verdict = coalesce(1, [w.store(w.nt), ...w.flushVmid, w.free()]);
    expect(codes(verdict)).toEqual(['ends-with-nt']);
    expect(sentences(verdict)).toMatch(/ends with nT still set/);
  });

  it('leaves no note on a live block that is then split by the book', () => {
    const nt = [w.store(w.nt), ...w.flushIpa];
    const verdict = split(1, [w.build, ...nt, w.store(w.table, 'release'), ...w.flushIpa]);
    expect(verdict).toMatchObject({ violations: [], notes: [] });
  });

  it('leaves a note if the second TLBI is missing', () => {
    const steps = [w.store(w.nt, 'release'), ...w.flushVmid, w.store(w.block), w.final];
    expect(coalesce(1, steps).notes).toEqual([
      'second TLBI after clearing nT missing; what lingers is slow, not wrong (R_GPPYH): ' +
        'no TLBI came between the store of event 6 and this; the last TLBI, event 3, came before it',
    ]);
  });
});

describe('the order of store, DSB and TLBI', () => {
  it('a TLBI before the store removes nothing that matters', () => {
    const verdict = coalesce(2, [...w.flushVmid, w.store(w.block, 'cas'), w.final]);
    expect(codes(verdict)).toEqual(['left-unclean']);
    expect(sentences(verdict)).toBe(
      'left unclean, translations of the old table may survive: no TLBI came between the store of ' +
        'event 5 and this; the last TLBI, event 2, came before it',
    );
  });

  it('stage 1 before stage 2 is the wrong order', () => {
    const [order, stage2, between, stage1, complete] = w.flushRange;
    const swapped = [w.invalidate, order, stage1, between, stage2, complete];
    const steps = [...swapped.filter((s) => s !== undefined), w.store(w.block, 'release')];
    const verdict = coalesce(0, steps);
    expect(sentences(verdict)).toMatch(/TLBI VMALLE1IS \(event 3\).*wrong stage order/);
  });

  it('by-address TLBIs may add up to the range, but not less than the range', () => {
    const page = (i: number): Step =>
      w.tlbi({ kind: 'ipas2e1is', ipa: PLACE.ipa + i * 4096 }, 'stage2');
    const [order, , ...rest] = w.flushIpa;
    const pages = Array.from({ length: 512 }, (_, i) => page(i));
    const loop = (n: number): Step[] =>
      [w.invalidate, order, ...pages.slice(0, n), ...rest, w.store(w.block, 'release')].filter(
        (s) => s !== undefined,
      );
    expect(codes(coalesce(0, loop(512)))).toEqual([]);
    expect(sentences(coalesce(0, loop(511)))).toMatch(
      /of 0x200000 bytes that the old table mapped 0x1ff000 were invalidated/,
    );
  });

  it('one page is enough for a table without valid children', () => {
    const steps = [w.invalidate, ...w.flushRange, w.store(w.block, 'release')].map((s) =>
      s.part === 'stage2' ? w.tlbi({ kind: 'ipas2e1is', ipa: PLACE.ipa }, 'stage2') : s,
    );
    expect(codes(coalesce(0, steps, { oldLeaves: [] }))).toEqual([]);
    expect(codes(coalesce(0, steps))).toEqual(['valid-over-unclean']);
  });

  it('a TLBI of leaves leaves the walk-cache entry of the table', () => {
    const steps = [w.invalidate, ...w.flushRange, w.store(w.block, 'release')].map((s) =>
      s.part === 'stage2' ? w.tlbi({ kind: 'ipas2le1is', ipa: PLACE.ipa }, 'stage2') : s,
    );
    const verdict = coalesce(0, steps, { oldLeaves: [] });
    expect(sentences(verdict)).toMatch(/reaches leaves only and leaves the old table in walk/);
  });

  it('a barrier that was too weak for the first DSB is not blamed for the last', () => {
    const [order, flush] = w.flushVmid;
    const steps = [w.store(w.block, 'cas'), w.dsb('nsh', 'other'), order, flush];
    const verdict = coalesce(
      2,
      steps.filter((s) => s !== undefined),
    );
    expect(sentences(verdict)).toMatch(/the TLBI was not followed by a DSB ISH/);
  });

  it('invalid over an invalid clean entry makes nothing stale', () => {
    const steps = [w.invalidate, ...w.flushVmid, w.locked(), w.store(w.block, 'release')];
    expect(codes(coalesce(0, steps))).toEqual([]);
  });

  it('a second break in one transition is judged from what stood before it', () => {
    const release = w.store(w.block, 'release');
    const steps = [w.invalidate, ...w.flushVmid, release, w.breakBlock, release];
    expect(codes(coalesce(0, steps))).toEqual([]);
  });

  it('ALLE1IS reaches every VMID', () => {
    const steps = [w.invalidate, ...w.flushVmid, w.store(w.block, 'release')].map((s) =>
      s.part === 'flush' ? w.tlbi({ kind: 'alle1is', vmid: 99 }, 'flush') : s,
    );
    expect(codes(coalesce(0, steps))).toEqual([]);
  });
});

describe('a level-1 table of the tiny geometry', () => {
  const place: Place = { ...PLACE, granule: 'tiny', level: 1, ipa: 0x8000 };
  const tiny = words(place);
  const judge = (ops: readonly TlbiOp[], oldLeaves: readonly Level[] = [3]): AutomatonVerdict => {
    const [order, , ...rest] = tiny.flushRange;
    const flush = ops.map((op) => tiny.tlbi(op, 'stage2'));
    const steps = [tiny.invalidate, order, ...flush, ...rest, tiny.store(tiny.block, 'release')];
    return judgeTrace(
      traceOf(
        'coalesce',
        steps.filter((s) => s !== undefined),
        place,
        { oldLeaves },
      ),
      0,
    );
  };

  it('may have held blocks: a hint of level 3 does not reach those, but it does reach pages', () => {
    const range = { kind: 'ripas2e1is', ipa: place.ipa, size: tiny.size } as const;
    expect(codes(judge([range], [2, 3]))).toEqual([]);
    expect(sentences(judge([{ ...range, ttl: 3 }], [2, 3]))).toMatch(/has a TTL hint/);
    expect(codes(judge([{ ...range, ttl: 3 }], [3]))).toEqual([]);
    expect(sentences(judge([{ ...range, ttl: 2 }], [3]))).toMatch(/has a TTL hint/);
  });

  it('may have held tables: their walk-cache entries go too', () => {
    const pages = [0, 1, 2, 3].map((i) => place.ipa + i * 4096);
    const leaves = pages.map((ipa): TlbiOp => ({ kind: 'ipas2le1is', ipa }));
    const one: TlbiOp = { kind: 'ipas2e1is', ipa: place.ipa };
    const half: TlbiOp = { kind: 'ipas2e1is', ipa: place.ipa + 2 * 4096 };
    expect(codes(judge([...leaves, one]))).toEqual(['valid-over-unclean']);
    // As long as one of them is there, leaves that are gone are filled again.
    expect(codes(judge([...leaves, one, half]))).toEqual(['valid-over-unclean']);
    const whole = pages.map((ipa): TlbiOp => ({ kind: 'ipas2e1is', ipa }));
    expect(codes(judge(whole))).toEqual([]);
  });
});

describe('changes that need break-before-make at every level', () => {
  const g = w.g;
  const moved = makeLeaf(g, 2, PLACE.pa + w.size, { ...NORMAL_RW, sw: 1 });
  const device = makeLeaf(g, 2, PLACE.pa, { ...NORMAL_RW, memAttr: 1 });
  const shared = makeLeaf(g, 2, PLACE.pa, { ...NORMAL_RW, sh: 2 });
  const table = makeTable(g, PLACE.tablePa + 4096);
  const cases: readonly (readonly [string, Descriptor, Descriptor])[] = [
    ['output address', w.block, moved],
    ['memory type', w.block, device],
    ['shareability', w.block, shared],
    ['one table to another', w.table, table],
  ];
  it.each(cases)('%s', (change, old, next) => {
    for (const bbm of LEVELS) {
      const steps = [w.store(next, 'cas'), ...w.flushVmid];
      const trace = traceOf('coalesce', steps, PLACE, { old, wanted: next });
      const verdict = judgeTrace(trace, bbm);
      expect(codes(verdict)).toContain('valid-to-valid');
      expect(sentences(verdict)).toContain(change);
    }
  });

  it('permissions and software bits do not', () => {
    const readOnly = makeLeaf(g, 2, PLACE.pa, { ...NORMAL_RW, write: false, sw: PLACE.sw });
    const retagged = makeLeaf(g, 2, PLACE.pa, { ...NORMAL_RW, sw: 9 });
    const judge = (next: Descriptor): AutomatonVerdict =>
      coalesce(0, [w.store(next, 'cas'), w.final], { old: w.block, wanted: next });
    // A block as the old descriptor makes this a split, which must end in a table.
    expect(codes(judge(readOnly))).toEqual(['ends-elsewhere']);
    expect(judge(readOnly).notes.join()).toMatch(
      /permissions changed, but the TLBI .* \(R_GPPYH\)/,
    );
    expect(codes(judge(retagged))).toEqual(['ends-elsewhere']);
    expect(judge(retagged).notes).toEqual([]);
  });
});

describe('freeing the old table', () => {
  it('needs the entry clean, now and after a grace period', () => {
    for (const when of ['now', 'grace'] as const) {
      const steps = [w.invalidate, w.free(when), ...w.flushVmid, w.store(w.block, 'release')];
      const verdict = coalesce(0, steps);
      expect(verdict.violations).toMatchObject([{ rule: 'freed-table', event: 1 }]);
      expect(sentences(verdict)).toMatch(/while walkers may still use it: no TLBI came between/);
    }
  });

  it('needs it unlinked first', () => {
    const verdict = coalesce(0, [w.free(), w.invalidate, ...w.flushVmid, w.store(w.block)]);
    expect(codes(verdict)).toEqual(['freed-linked']);
  });

  it('must not be preceded by stores to its entries', () => {
    const release = w.store(w.block, 'release');
    const steps = [w.invalidate, w.child(w.page(1)), ...w.flushVmid, release];
    expect(codes(coalesce(0, steps))).toEqual(['child-of-unclean']);
    // What is cleared is as gone as the entry above it.
    const cleared = [w.invalidate, w.child(0n), ...w.flushVmid, release];
    expect(codes(coalesce(0, cleared))).toEqual([]);
    const same = [w.invalidate, w.child(w.page(0)), ...w.flushVmid, release];
    expect(codes(coalesce(0, same))).toEqual([]);
    // What a split writes is entries of the new table.
    const own = w.child(w.page(0), 'plain', { table: 'table 0', before: 0n });
    expect(codes(split(0, [w.allocate, w.breakBlock, own, ...w.flushIpa, w.link()]))).toEqual([]);
  });
});

describe('publication', () => {
  it('of a block by a plain store after cleaning the cache is noted', () => {
    const steps = [w.invalidate, ...w.flushVmid, w.store(w.block), w.final];
    expect(coalesce(0, steps).notes).toEqual([]);
    expect(coalesce(0, steps.toSpliced(5, 0, w.cmo)).notes).toEqual([
      'block stored with a plain store, and no barrier orders the memory it shows before it',
    ]);
  });
});

describe('publication of a table', () => {
  const flush = w.flushVmid;
  it('by a plain store right after filling it is a violation', () => {
    const plain = split(2, [w.build, w.link('plain'), ...flush]);
    expect(codes(plain)).toEqual(['published-unordered']);
    expect(plain.violations[0]).toMatchObject({ event: 1 });
    const filled = w.child(w.page(0), 'plain', { table: 'table 0', before: 0n });
    const child = split(2, [w.allocate, w.final, filled, w.link('plain'), ...flush]);
    expect(sentences(child)).toMatch(/filled until event 3/);
  });

  it('by release, compare-exchange or after a DSB is not', () => {
    expect(codes(split(2, [w.build, w.link('release'), ...flush]))).toEqual([]);
    expect(codes(split(2, [w.build, w.link('cas'), ...flush]))).toEqual([]);
    expect(codes(split(2, [w.build, w.final, w.link('plain'), ...flush]))).toEqual([]);
    const local = w.dsb('nshst', 'other');
    expect(codes(split(2, [w.build, local, w.link('plain'), ...flush]))).not.toEqual([]);
    // What is not below it is not shown by its link.
    const spare = w.step('other', { op: 'allocate', table: 'table 1', level: 3 });
    const beside = split(2, [w.build, w.final, spare, w.link('plain'), ...flush]);
    expect(codes(beside)).not.toContain('published-unordered');
  });
});

describe('the end', () => {
  it('with the entry invalid (the RFC with an unknown BBM level: -EINVAL after the store)', () => {
    const verdict = coalesce(3, [w.invalidate]);
    expect(codes(verdict)).toEqual(['ends-invalid', 'left-unclean']);
    expect(codes(coalesce(3, [w.invalidate, ...w.flushVmid]))).toEqual(['ends-invalid']);
  });

  it('with something else than was wanted', () => {
    expect(codes(coalesce(1, []))).toEqual(['ends-elsewhere']);
    expect(sentences(coalesce(1, []))).toMatch(/nothing was stored to the entry/);
    expect(codes(split(1, [w.breakBlock, ...w.flushIpa, w.store(w.block)]))).toEqual([
      'ends-elsewhere',
    ]);
  });

  it('without a DSB after the last store is a note', () => {
    const steps = [w.invalidate, ...w.flushVmid, w.store(w.block, 'release')];
    expect(coalesce(0, steps).notes).toEqual([
      expect.stringMatching(
        /^no DSB after the last store to the entry \(R_FFWJK, B2\.3\): .* fault once more/,
      ),
    ]);
    expect(coalesce(0, [...steps, w.final]).notes).toEqual([]);
  });

  it('after losing a race is a note', () => {
    const seen = w.read(w.block);
    const verdict = coalesce(1, [seen]);
    expect(codes(verdict)).toEqual([]);
    expect(verdict.notes).toEqual([
      'gave way: another agent had changed the entry, which was left as found',
    ]);
  });

  it('after what another agent stored is judged from there', () => {
    const seen = w.read(w.block);
    const back = [seen, w.breakBlock, w.store(w.block, 'release'), w.final];
    expect(codes(coalesce(0, back))).toEqual([]);
    expect(codes(coalesce(0, back.slice(1)))).toEqual(['valid-over-unclean']);
    const locked = w.read(LOCKED);
    expect(codes(coalesce(0, [locked, w.store(w.block, 'release')]))).toEqual([]);
  });

  it('with the old mapping put back is not unclean, but not what was wanted', () => {
    const back = coalesce(0, [w.invalidate, w.store(w.table, 'release')]);
    expect(codes(back)).toEqual(['ends-elsewhere']);
  });
});
