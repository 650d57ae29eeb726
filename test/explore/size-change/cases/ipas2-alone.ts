/**
 * Stage-2 entries flushed by IPA and nothing else. TLBI IPAS2E1IS need not touch entries that keep
 * stage 1 and 2 in one piece (R_VZZVZ, R_TVTYQ), so those of the old pages stay, even with stage 1
 * off (I_CKZGP): they are used after the transition, and they meet the block. They name no table
 * page, so none is walked after it was freed.
 *
 * The twin completes the stage-2 invalidation and then takes the combined entries, by VMALLE1IS.
 */
import { flushRange } from '../../../../src/port/index.ts';
import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'ipas2-alone',
  weak: {
    protocol: coalesceBroken('stage-2 entries by range', (cpu, t) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
      cpu.dsb('ish');
    }),
    expected: leftovers('I_CKZGP', { tables: false }),
  },
  synchronised: {
    protocol: coalesceBroken('flush range', (cpu, t) => flushRange(cpu, t.ipa, t.size)),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
