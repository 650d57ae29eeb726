/**
 * `bbm-early` with a range flush as VHE makes it (hyp/vhe/tlb.c, v6.6 and later): the host runs at EL2
 * with TGE set, which has to be clear while the flush of stage 1 is to reach the guest's entries.
 */
import { childLevel, defineProtocol, inVheContext, VALID } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-early-vhe',
  kind: 'coalesce',
  context: 'vhe-host',
  summary: 'bbm-early from the host: DSB ISHST, VTTBR_EL2, TGE off, ISB, flush the range, TGE on',
  origin: 'KVM v6.6, hyp/vhe/tlb.c __kvm_tlb_flush_vmid_range',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.old & ~VALID);
    inVheContext(cpu, t, () => {
      cpu.tlbi({ kind: 'ripas2e1is', ipa: t.ipa, size: t.size });
      cpu.dsb('ish');
      cpu.tlbi({ kind: 'vmalle1is' });
      cpu.dsb('ish');
      cpu.isb();
    });
    cpu.writeRelease(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
