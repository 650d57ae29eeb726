/** What a protocol file may say, and the flush sequences spelt out. */
import { describe, expect, test } from 'vitest';
import { describeTlbi } from '../../src/arch/tlbi.ts';
import {
  type Cpu,
  defineProtocol,
  flushIpa,
  flushRange,
  flushVmid,
  type Protocol,
} from '../../src/port/index.ts';

const sketch = (name: string): Protocol => ({
  name,
  kind: 'coalesce',
  summary: 'nothing',
  origin: 'here',
  claims: {},
  run: () => {},
});

test.each(['a', 'bbm-late', 'rfc-l0', '2nd-try'])('"%s" is a protocol name', (name) => {
  const protocol = defineProtocol(sketch(name));
  expect(protocol.name).toBe(name);
  expect(Object.isFrozen(protocol)).toBe(true);
});

test.each(['', 'A', 'a b', 'a--b', '-a', 'a-', 'a_b', 'ä', 'a\n'])('"%s" is none', (name) => {
  expect(() => defineProtocol(sketch(name))).toThrow('lower-case words joined by hyphens');
});

describe('flushes of KVM', () => {
  function operationsOf(flush: (cpu: Cpu) => void): string[] {
    const log: string[] = [];
    const unexpected = (): never => {
      throw new Error('a flush touches no entry');
    };
    flush({
      read: unexpected,
      write: unexpected,
      writeRelease: unexpected,
      compareExchange: unexpected,
      dsb: (kind) => log.push(`dsb ${kind}`),
      dmb: (kind) => log.push(`dmb ${kind}`),
      isb: () => log.push('isb'),
      writeVttbr: (vmid, table) => log.push(`vttbr ${table} ${vmid}`),
      writeTge: (on) => log.push(`tge ${on}`),
      ipi: () => log.push('ipi'),
      tlbi: (op) => log.push(describeTlbi(op)),
    });
    return log;
  }

  test('__kvm_tlb_flush_vmid', () => {
    expect(operationsOf(flushVmid)).toEqual(['dsb ishst', 'TLBI VMALLS12E1IS', 'dsb ish', 'isb']);
  });

  test.each([
    [0, ''],
    [2, ' ttl=2'],
  ] as const)('__kvm_tlb_flush_vmid_ipa with hint %i', (ttl, hint) => {
    expect(operationsOf((cpu) => flushIpa(cpu, 0x20_0000, ttl))).toEqual([
      'dsb ishst',
      `TLBI IPAS2E1IS 0x200000${hint}`,
      'dsb ish',
      'TLBI VMALLE1IS',
      'dsb ish',
      'isb',
    ]);
  });

  test('__kvm_tlb_flush_vmid_range', () => {
    expect(operationsOf((cpu) => flushRange(cpu, 0x20_0000, 0x4000))).toEqual([
      'dsb ishst',
      'TLBI RIPAS2E1IS 0x200000 +0x4000',
      'dsb ish',
      'TLBI VMALLE1IS',
      'dsb ish',
      'isb',
    ]);
  });
});
