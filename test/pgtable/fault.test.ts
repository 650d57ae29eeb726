import { describe, expect, test } from 'vitest';
import { AF, LOCKED, makeLeaf, NORMAL_RW, NT, S2AP_W } from '../../src/arch/descriptor.ts';
import {
  type Fault,
  type FaultPolicy,
  type FaultResult,
  handleFault,
} from '../../src/pgtable/fault.ts';
import { findLeaf } from '../../src/pgtable/lookup.ts';
import { map } from '../../src/pgtable/map.ts';
import { makeOld, writeProtect } from '../../src/pgtable/permissions.ts';
import { createMachine, type Machine, type MachineOptions } from '../support/pgtable-machine.ts';

const PAGE = 0x1000;
const MIB2 = 0x20_0000;
const GIB = 0x4000_0000;
/** The slot: IPA [1 GiB, 3 GiB) at PA 16 GiB + IPA. */
const PA = 16 * GIB;
const IPA = GIB + 5 * MIB2 + 9 * PAGE;

const FAULT: Fault = { ipa: IPA + 8, access: 'read', status: 'translation', level: 3 };

function policy(more: Partial<FaultPolicy> = {}): FaultPolicy {
  return {
    logging: false,
    blockLevel: null,
    slot: (ipa) => (ipa >= GIB && ipa < 3 * GIB ? PA + ipa : null),
    attributes: () => NORMAL_RW,
    ...more,
  };
}

function run(m: Machine, fault: Partial<Fault> = {}, more: Partial<FaultPolicy> = {}): FaultResult {
  m.log.length = 0;
  return handleFault(m.s2, { ...FAULT, ...fault }, policy(more));
}

function machine(size: number, options: MachineOptions = {}): Machine {
  const m = createMachine({ pages: 600, ...options });
  const ipa = Math.floor(IPA / size) * size;
  expect(map(m.s2, { ipa, size, pa: PA + ipa, attributes: NORMAL_RW }).kind).toBe('mapped');
  return m;
}

const leaf = (m: Machine) => {
  const found = findLeaf(m.s2, IPA);
  if (found === null) throw new Error('out of range');
  return found;
};
const stores = (m: Machine): string[] => m.log.filter((l) => /write|release|cas|TLBI/.test(l));

describe('genuine translation fault', () => {
  test.each([
    [null, 3],
    [2, 2],
    [1, 1],
  ] as const)('largest block level %s maps at level %i', (blockLevel, level) => {
    const m = createMachine();
    expect(run(m, {}, { blockLevel })).toEqual({ kind: 'mapped', level });
    expect(leaf(m).level).toBe(level);
    expect(run(m, {}, { blockLevel })).toEqual({ kind: 'spurious', level });
    expect(stores(m)).toEqual([]);
  });

  test('a block must lie within the slot, contiguous and congruent with it', () => {
    const m = createMachine();
    const half = (ipa: number) => (ipa >= GIB + 5 * MIB2 && ipa < 3 * GIB ? PA + ipa : null);
    expect(run(m, {}, { blockLevel: 1, slot: half })).toEqual({ kind: 'mapped', level: 2 });
    const broken = createMachine();
    const halves = (ipa: number) => PA + ipa + (ipa < GIB + MIB2 ? 0 : GIB);
    expect(run(broken, {}, { blockLevel: 1, slot: halves })).toEqual({ kind: 'mapped', level: 2 });
    const skewed = createMachine();
    expect(run(skewed, {}, { blockLevel: 1, slot: (ipa) => PA + ipa + PAGE })).toEqual({
      kind: 'mapped',
      level: 3,
    });
    expect(leaf(skewed).old).toBe(makeLeaf(skewed.s2.geometry, 3, PA + IPA + PAGE));
  });

  test('under dirty logging pages only, writable only for a write', () => {
    const m = createMachine();
    const dirty: number[] = [];
    const more = {
      logging: true,
      blockLevel: 1,
      onDirty: (ipa: number) => dirty.push(ipa),
    } as const;
    expect(run(m, {}, more)).toEqual({ kind: 'mapped', level: 3 });
    expect(leaf(m).old & S2AP_W).toBe(0n);
    expect(dirty).toEqual([]);
    const writing = { access: 'write', status: 'permission' } as const;
    expect(run(m, writing, more)).toEqual({ kind: 'relaxed', level: 3 });
    expect(leaf(m).old & S2AP_W).toBe(S2AP_W);
    expect(dirty).toEqual([IPA]);
  });

  test('the software tag of a new leaf is the policy’s', () => {
    const m = createMachine();
    run(m, {}, { attributes: () => ({ ...NORMAL_RW, sw: 11 }) });
    expect(leaf(m).old).toBe(makeLeaf(m.s2.geometry, 3, PA + IPA, { ...NORMAL_RW, sw: 11 }));
  });

  test('cleans the cache before map (v5.12), in the broken entry (v6.2)', () => {
    const before = createMachine();
    run(before, {}, { cleanCache: true });
    expect(before.log[0]).toBe('clean');
    const inside = createMachine({ shared: true });
    run(inside, {}, { cleanCache: true });
    const at = inside.log.indexOf('clean');
    expect(inside.log.filter((line) => line === 'clean')).toEqual(['clean']);
    expect(inside.log.slice(at - 1, at + 2)).toEqual(['cas locked', 'clean', 'get']);
  });
});

describe('permission fault', () => {
  test('of the level wanted: relaxed in place', () => {
    const m = machine(PAGE);
    writeProtect(m.s2, IPA, PAGE);
    const fault = { access: 'write', status: 'permission', level: 3 } as const;
    expect(run(m, fault)).toEqual({ kind: 'relaxed', level: 3 });
    expect(stores(m)[0]).toBe('write table-or-page');
  });

  test('of a block under logging: split down to the page, the rest faults again', () => {
    const m = machine(GIB);
    writeProtect(m.s2, GIB, GIB);
    const fault = { access: 'write', status: 'permission', level: 1 } as const;
    expect(run(m, fault, { logging: true, blockLevel: 1 })).toEqual({ kind: 'mapped', level: 3 });
    expect(leaf(m).old).toBe(makeLeaf(m.s2.geometry, 3, PA + IPA));
    expect(findLeaf(m.s2, IPA + PAGE)?.old).toBe(0n);
  });

  test('of a page that is a write-protected block by now: split, not relaxed', () => {
    const late = { access: 'write', status: 'permission', level: 3 } as const;
    const logging = { logging: true, blockLevel: 1 } as const;
    const m = machine(GIB);
    writeProtect(m.s2, GIB, GIB);
    expect(run(m, late, logging)).toEqual({ kind: 'mapped', level: 3 });
    expect(leaf(m).level).toBe(3);
    // As KVM decides it, all of the block can be stored to and one page is logged.
    const kvm = machine(GIB);
    writeProtect(kvm.s2, GIB, GIB);
    expect(run(kvm, late, { ...logging, relaxes: 'by-syndrome' })).toMatchObject({
      kind: 'relaxed',
    });
    expect(leaf(kvm).old).toBe(makeLeaf(kvm.s2.geometry, 1, PA + GIB));
  });

  test('of a page after logging: coalesced to the block', () => {
    const m = machine(PAGE);
    writeProtect(m.s2, IPA, PAGE);
    const fault = { access: 'write', status: 'permission', level: 3 } as const;
    expect(run(m, fault, { blockLevel: 2 })).toEqual({ kind: 'mapped', level: 2 });
    expect(leaf(m)).toMatchObject({ level: 2 });
    expect(m.audit.run(null).evidence).toEqual([]);
  });

  test('of a page after logging, by the protocol under test', () => {
    const m = machine(PAGE);
    writeProtect(m.s2, IPA, PAGE);
    const fault = { access: 'write', status: 'permission', level: 3 } as const;
    expect(run(m, fault, { blockLevel: 2, coalesce: () => false })).toEqual({
      kind: 'again',
      why: 'raced',
    });
    expect(leaf(m).level).toBe(3);
  });

  test('resolved meanwhile: spurious, but the own TLB is flushed or it would come back', () => {
    const m = machine(PAGE);
    const fault = { access: 'write', status: 'permission', level: 3 } as const;
    expect(run(m, fault)).toEqual({ kind: 'spurious', level: 3 });
    expect(stores(m)).toEqual(['TLBI IPAS2E1IS 0x40a09000 ttl=3', 'TLBI VMALLE1IS']);
    expect(run(m, fault, { relaxScope: 'local' })).toEqual({ kind: 'spurious', level: 3 });
    expect(stores(m)).toEqual(['TLBI IPAS2E1 0x40a09000 ttl=3', 'TLBI VMALLE1']);
  });

  test('unmapped meanwhile: again', () => {
    const fault = { access: 'write', status: 'permission', level: 3 } as const;
    expect(run(createMachine(), fault)).toEqual({ kind: 'again', why: 'raced' });
  });

  test('on a read is an error, and so is a write to what may only be read', () => {
    const m = machine(PAGE);
    expect(run(m, { status: 'permission' })).toEqual({ kind: 'error', why: 'read-permission' });
    writeProtect(m.s2, IPA, PAGE);
    const readOnly = { attributes: () => ({ ...NORMAL_RW, write: false }) };
    const fault = { access: 'write', status: 'permission', level: 3 } as const;
    expect(run(m, fault, readOnly)).toEqual({ kind: 'error', why: 'read-only' });
  });
});

describe('spurious translation fault', () => {
  test('leaves a block alone even where pages are wanted, and pages where a block is', () => {
    const block = machine(GIB);
    expect(run(block, {}, { logging: true })).toEqual({ kind: 'spurious', level: 1 });
    const page = machine(PAGE);
    expect(run(page, {}, { blockLevel: 1 })).toEqual({ kind: 'spurious', level: 3 });
    expect(stores(page)).toEqual([]);
  });

  test('a write to a read-only leaf comes back as a permission fault', () => {
    const m = machine(PAGE);
    writeProtect(m.s2, IPA, PAGE);
    expect(run(m, { access: 'write' })).toEqual({ kind: 'again', why: 'permission' });
  });
});

describe('access flag fault', () => {
  test('sets the flag in place', () => {
    const m = machine(PAGE);
    makeOld(m.s2, IPA, PAGE);
    expect(run(m, { status: 'access-flag' })).toEqual({ kind: 'relaxed', level: 3 });
    expect(leaf(m).old & AF).toBe(AF);
    expect(run(m, { status: 'access-flag' })).toEqual({ kind: 'spurious', level: 3 });
  });
});

describe('beside other vCPUs', () => {
  test('a LOCKED entry: again, untouched', () => {
    const m = machine(MIB2, { shared: true });
    m.poke(leaf(m).entry, LOCKED);
    expect(run(m)).toEqual({ kind: 'again', why: 'locked' });
    expect(run(m, { status: 'permission', access: 'write' })).toEqual({
      kind: 'again',
      why: 'locked',
    });
    expect(stores(m)).toEqual([]);
  });

  test('a block with nT is being changed: again; left over (exclusive) it is replaced', () => {
    const shared = machine(MIB2, { shared: true });
    shared.poke(leaf(shared).entry, leaf(shared).old | NT);
    expect(run(shared)).toEqual({ kind: 'again', why: 'changing' });
    const exclusive = machine(MIB2);
    exclusive.poke(leaf(exclusive).entry, leaf(exclusive).old | NT);
    expect(run(exclusive, {}, { blockLevel: 2 })).toEqual({ kind: 'mapped', level: 2 });
    expect(leaf(exclusive).old & NT).toBe(0n);
  });

  test('losing the race for the entry: again', () => {
    const m = createMachine({ shared: true });
    m.beforeCas = (entry) => m.poke(entry, LOCKED);
    expect(run(m)).toEqual({ kind: 'again', why: 'raced' });
  });
});

test('outside the slot or the table: error', () => {
  expect(run(createMachine(), { ipa: 4 * GIB })).toEqual({ kind: 'error', why: 'no-memslot' });
  expect(run(createMachine(), { ipa: 512 * GIB })).toEqual({ kind: 'error', why: 'out-of-range' });
});
