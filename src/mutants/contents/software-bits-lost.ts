/**
 * Wrong: the block is installed without the software bits of the descriptor that was asked for.
 * Hardware ignores them, software does not: here they say which version of the mapping it is.
 *
 * Evidence: KVM's own software bits of leaves (KVM_PGTABLE_PROT_SW0 to SW3), which pKVM keeps the
 * page's owner state in. Caught by: wrong-output-address or stale-translation (no version of the
 * mapping, or an old one, has the tag), on any engine.
 */
import { childLevel, defineProtocol, flushVmid, VALID, type Descriptor } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

/** Bits [58:55]. */
const SOFTWARE_BITS: Descriptor = 0xfn << 55n;

export const softwareBitsLost = defineMutant({
  name: 'software-bits-lost',
  what: 'the block is installed without the software bits of the wanted descriptor',
  evidence: 'kernel kvm_pgtable.h, KVM_PGTABLE_PROT_SW0 to SW3 (page state of pKVM)',
  rule: 'wrong-output-address',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'software-bits-lost',
      kind: 'coalesce',
      summary: 'bbm-early that clears the software bits of the block',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted & ~SOFTWARE_BITS);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['wrong-output-address', 'stale-translation']),
    inModel(['wrong-output-address']),
  ],
  missedBy: [],
});
