/** What a TLBI acts on, by what was written to the context and what has been synchronised. */
import { describe, expect, test } from 'vitest';
import { CpuContext, HOST_VMID, vmidTag } from '../../src/arch/context.ts';
import { describeTlbi, mustInvalidate, type TlbiOp } from '../../src/arch/tlbi.ts';
import { geometryOf } from '../../src/arch/geometry.ts';

const ALL: TlbiOp = { kind: 'vmalls12e1is' };
const STAGE1: TlbiOp = { kind: 'vmalle1is' };
const texts = (context: CpuContext, op: TlbiOp): string[] => context.readings(op).map(describeTlbi);

test("in the VM's own context an operation is what it says, and no other object", () => {
  const context = new CpuContext({ vmid: 7 });
  context.isb();
  expect(context.reading(ALL)).toBe(ALL);
  expect(context.readings(STAGE1)).toEqual([STAGE1]);
});

test('between a write of VTTBR_EL2 and the ISB either VMID may be meant, the old one first', () => {
  const context = new CpuContext({ start: 'nvhe-host', vmid: 7 });
  expect(texts(context, ALL)).toEqual([`TLBI VMALLS12E1IS vmid=${HOST_VMID}`]);
  context.writeVttbr(7, 'guest');
  expect(texts(context, ALL)).toEqual(['TLBI VMALLS12E1IS vmid=0', 'TLBI VMALLS12E1IS']);
  expect(context.reading(ALL)).toEqual({ ...ALL, vmid: 0 });
  context.isb();
  expect(context.readings(ALL)).toEqual([ALL]);
  context.writeVttbr(9, 'other');
  context.writeVttbr(9, 'other');
  expect(texts(context, ALL)).toEqual(['TLBI VMALLS12E1IS', 'TLBI VMALLS12E1IS vmid=9']);
});

test('the return to a host at EL1 synchronises; a host at EL2 has to do it itself', () => {
  for (const [start, left] of [
    ['nvhe-host', ['TLBI VMALLS12E1IS vmid=0']],
    ['vhe-host', ['TLBI VMALLS12E1IS', 'TLBI VMALLS12E1IS vmid=0']],
  ] as const) {
    const context = new CpuContext({ start });
    context.writeVttbr(1, 'guest');
    context.isb();
    context.writeVttbr(HOST_VMID, 'host');
    expect(texts(context, ALL)).toEqual(left);
  }
});

test('an operation on every VMID, or on one that it names, asks for no context', () => {
  const context = new CpuContext({ start: 'nvhe-host' });
  const everything: TlbiOp = { kind: 'alle1is' };
  const named: TlbiOp = { kind: 'vmalls12e1is', vmid: 3 };
  expect([context.readings(everything), context.readings(named)]).toEqual([[everything], [named]]);
});

describe('with TGE set', () => {
  test('VMALLE1 acts on EL2&0, what names stage 2 does not', () => {
    const context = new CpuContext({ start: 'vhe-host', vmid: 1 });
    context.writeVttbr(1, 'guest');
    context.isb();
    expect(texts(context, STAGE1)).toEqual(['TLBI VMALLE1IS of EL2&0']);
    expect(texts(context, ALL)).toEqual(['TLBI VMALLS12E1IS']);
    context.writeTge(false);
    expect(texts(context, STAGE1)).toEqual(['TLBI VMALLE1IS of EL2&0', 'TLBI VMALLE1IS']);
    context.isb();
    expect(context.readings(STAGE1)).toEqual([STAGE1]);
  });

  test('no entry of a guest has to go', () => {
    const entry = { structure: 'combined', vmid: 1, ipa: 0, level: 3 } as const;
    const [op = ALL] = new CpuContext({ start: 'vhe-host' }).readings(STAGE1);
    const g = geometryOf('4k');
    expect([mustInvalidate(g, STAGE1, entry, 1), mustInvalidate(g, op, entry, 1)]).toEqual([
      true,
      false,
    ]);
  });
});

test('8 bits leave the upper byte out', () => {
  expect([vmidTag(0x101, 8), vmidTag(0x101, 16), vmidTag(0x100, 8)]).toEqual([1, 0x101, 0]);
  const narrow = new CpuContext({ vmid: 0x102, bits: 8 });
  expect(texts(narrow, { ...ALL, vmid: 0x302 })).toEqual(['TLBI VMALLS12E1IS vmid=2']);
  const entered = new CpuContext({ start: 'nvhe-host', vmid: 0x101, bits: 8 });
  entered.writeVttbr(1, 'guest');
  entered.isb();
  expect(entered.readings(ALL)).toEqual([ALL]);
});
