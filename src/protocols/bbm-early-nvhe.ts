/**
 * `bbm-early` with its flush as nVHE's hypercall makes it (hyp/nvhe/tlb.c, v6.4 and later): it begins in
 * the host's context, enters the VM's, flushes, and leaves it.
 */
import { childLevel, defineProtocol, inVmidContext, VALID } from '../port/index.ts';

export default defineProtocol({
  name: 'bbm-early-nvhe',
  kind: 'coalesce',
  context: 'nvhe-host',
  summary: 'bbm-early from the host: DSB ISH, VTTBR_EL2, ISB, flush VMID, VTTBR_EL2 back',
  origin: 'KVM v6.4, hyp/nvhe/tlb.c __kvm_tlb_flush_vmid (commit 7e1b2329c205)',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.old & ~VALID);
    inVmidContext(cpu, t, () => {
      cpu.tlbi({ kind: 'vmalls12e1is' });
      cpu.dsb('ish');
      cpu.isb();
    });
    cpu.writeRelease(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
