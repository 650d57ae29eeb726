/**
 * Stage-2 and combined entries flushed, without a DSB in between. TLBIs are unordered with each other
 * (R_TGVWD): VMALLE1IS may take effect first, and a combined entry be filled again out of a stage-2
 * entry that is still there. That is why KVM has a DSB ISH between the two (I_RGYNM).
 */
import { flushRange } from '../../../../src/port/index.ts';
import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'ipas2-beside-vmalle1',
  weak: {
    protocol: coalesceBroken('stage-2 and combined entries at once', (cpu, t) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
    }),
    expected: leftovers('combined entries could be refilled', { tables: false }),
  },
  synchronised: {
    protocol: coalesceBroken('flush range', (cpu, t) => flushRange(cpu, t.ipa, t.size)),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
