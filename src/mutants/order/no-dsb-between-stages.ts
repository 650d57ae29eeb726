/**
 * Wrong: no DSB between IPAS2 and VMALLE1IS. TLBIs are not ordered with one another, so the stage-1
 * flush may be done first, and a combined entry filled again out of the old stage-2 one.
 *
 * Evidence: KVM's comment on that DSB in __kvm_tlb_flush_vmid_ipa; R_TGVWD. Caught by:
 * stale-translation or tlb-conflict in `stress` with --reorder and by `explore`.
 */
import { childLevel, defineProtocol, LOCKED } from '../../port/index.ts';
import { inModel, whenReordered } from '../catches.ts';
import { hostOrdersIt } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const noDsbBetweenStages = defineMutant({
  name: 'no-dsb-between-stages',
  what: 'no DSB between IPAS2 and VMALLE1IS: the stage-1 flush may be done first',
  evidence: 'kernel nvhe/tlb.c, comment in __kvm_tlb_flush_vmid_ipa; R_TGVWD',
  rule: 'stale-translation',
  twin: 'bbm-early-range',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'no-dsb-between-stages',
      kind: 'coalesce',
      summary: 'bbm-early-range without the DSB between its TLBIs',
      origin: 'seeded bug',
      claims: {},
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, LOCKED) !== t.old) return;
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
        cpu.tlbi({ kind: 'vmalle1is' });
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
    ...whenReordered(['stale-translation', 'tlb-conflict']),
    inModel(['stale-translation', 'tlb-conflict']),
  ],
  missedBy: hostOrdersIt(),
});
