/**
 * Wrong: the two halves of the range flush in the wrong order. A combined entry dropped by VMALLE1IS
 * is filled again out of the stage-2 entry that IPAS2 has yet to take, and IPAS2 does not touch it.
 *
 * Evidence: KVM's comment on the order in __kvm_tlb_flush_vmid_ipa; R_VZZVZ. Caught by:
 * stale-translation or tlb-conflict, on any engine; on threads the gap between the two is enough.
 */
import { childLevel, defineProtocol, LOCKED } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const stage1BeforeStage2 = defineMutant({
  name: 'stage1-before-stage2',
  what: 'VMALLE1IS before IPAS2: combined entries are filled again from stage-2 ones',
  evidence: 'kernel nvhe/tlb.c, comment in __kvm_tlb_flush_vmid_ipa; R_VZZVZ',
  rule: 'stale-translation',
  twin: 'bbm-early-range',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'stage1-before-stage2',
      kind: 'coalesce',
      summary: 'bbm-early-range with VMALLE1IS before RIPAS2E1IS',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
        cpu.dsb('ish');
        cpu.isb();
        tables.put(t.entry);
        tables.cleanDcache(t.pa, t.size);
        tables.get(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDownAfterGrace(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'tlb-conflict']),
    inModel(['stale-translation', 'tlb-conflict']),
  ],
  missedBy: [],
});
