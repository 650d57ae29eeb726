/** Cores whose TLBIs fall short: when a store under way lands, and what the kernel's own flushes add. */
import { describe, expect, it, test } from 'vitest';
import type { TlbiCompletion } from '../../src/arch/cpu-model.ts';
import { describeTlbi } from '../../src/arch/tlbi.ts';
import { createLateStore, repairing } from '../../src/machine/tlb/erratum.ts';
import { createSettleTracker } from '../../src/machine/hypervisor/settle.ts';
import type { Issuer, Receiver } from '../../src/machine/tlb/shootdown.ts';

/** What happens around one TLBI, while another one (`next`) arrives before the store has landed. */
function around(tlbi: TlbiCompletion, next: 'nothing' | 'tlbi' | 'interrupt'): string[] {
  const log: string[] = [];
  let pending = false;
  const receiver: Receiver = {
    applyPending() {
      log.push('acknowledged');
      pending = false;
    },
    enter: () => {},
    leave: () => {},
    setFenced: () => {},
    applyUninterrupted() {
      if (next === 'interrupt') return false;
      receiver.applyPending();
      return true;
    },
    seen: () => 0,
  };
  const late = createLateStore(tlbi, receiver, {
    translate: () => (log.push('translated'), 7),
    store: (data) => log.push(`stored ${data}`),
    isTlbiPending: () => pending,
  });
  late?.translate();
  receiver.applyPending();
  pending = next !== 'nothing';
  late?.land();
  if (pending) receiver.applyPending();
  return log;
}

describe('a store that was translated before the TLBI', () => {
  it('takes effect after its acknowledgement', () => {
    const words = ['translated', 'acknowledged', 'stored 7'];
    expect(around('late-writes', 'nothing')).toEqual(words);
    expect(around('ipi', 'nothing')).toEqual(words);
    expect(around('ok', 'nothing')).toEqual(['acknowledged']);
    expect(around('repeat', 'nothing'), 'there the TLB lags').toEqual(['acknowledged']);
  });

  it('is waited for by the next TLBI, or by an interrupt alone', () => {
    const waited = ['translated', 'acknowledged', 'stored 7', 'acknowledged'];
    expect(around('late-writes', 'tlbi')).toEqual(waited);
    expect(around('ipi', 'interrupt')).toEqual(waited);
    expect(around('ipi', 'tlbi')).toEqual([
      'translated',
      'acknowledged',
      'acknowledged',
      'stored 7',
    ]);
  });
});

test('what arrives while it is looked whether it is waited for is not acknowledged before it landed', () => {
  let looks = 0;
  const log: string[] = [];
  const receiver: Receiver = {
    applyPending: () => log.push('acknowledged'),
    enter: () => {},
    leave: () => {},
    setFenced: () => {},
    applyUninterrupted: () => (log.push('acknowledged'), true),
    seen: () => 0,
  };
  const late = createLateStore('late-writes', receiver, {
    translate: () => 7,
    store: () => log.push('stored'),
    isTlbiPending: () => ++looks > 1,
  });
  late?.translate();
  late?.land();
  expect(log).toEqual(['stored']);
});

test('the kernel repeats behind a stage-1 flush, and behind no other', () => {
  const wordsOf = (tlbi: TlbiCompletion): string[] => {
    const log: string[] = [];
    const plain: Issuer = {
      tlbi: (op) => log.push(describeTlbi(op)),
      dsb: (kind) => log.push(kind),
      ipi: () => log.push('ipi'),
      kick: () => log.push('kick'),
    };
    const issuer = repairing(plain, tlbi);
    issuer.tlbi({ kind: 'ipas2e1is', ipa: 0x1000 });
    issuer.dsb('ish');
    issuer.tlbi({ kind: 'vmalle1is' });
    issuer.dsb('ishst');
    issuer.dsb('ish');
    issuer.dsb('ish');
    return log;
  };
  const plain = ['TLBI IPAS2E1IS 0x1000', 'ish', 'TLBI VMALLE1IS', 'ishst', 'ish'];
  expect(wordsOf('ok')).toEqual([...plain, 'ish']);
  expect(wordsOf('ipi')).toEqual([...plain, 'ipi', 'ish']);
  const again = [...plain, 'TLBI IPAS2LE1IS 0x0', 'ish', 'ish'];
  expect(wordsOf('repeat')).toEqual(again);
  expect(wordsOf('late-writes')).toEqual(again);
});

test('where the next TLBI completes the last, a flush is complete at its DSB', () => {
  const dsbsUntilSettled = (steps: readonly ('tlbi' | 'dsb')[], byNext: boolean): number => {
    const tracker = createSettleTracker(byNext);
    tracker.begin(1n, 2, 0, 4096);
    let dsbs = 0;
    for (const step of steps) {
      if (step === 'tlbi') tracker.onTlbi({ kind: 'vmalls12e1is' }, 0n);
      else if (++dsbs > 0 && tracker.onDsbIsh()) return dsbs;
    }
    return -1;
  };
  expect(dsbsUntilSettled(['tlbi', 'dsb'], false)).toBe(1);
  expect(dsbsUntilSettled(['tlbi', 'dsb', 'dsb'], true)).toBe(-1);
  expect(dsbsUntilSettled(['tlbi', 'tlbi', 'dsb'], true)).toBe(-1);
  expect(dsbsUntilSettled(['tlbi', 'dsb', 'tlbi', 'dsb'], true)).toBe(2);
});
