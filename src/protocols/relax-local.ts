/**
 * A vCPU that was denied a store makes the page writable again and flushes the TLBs of its own PE
 * (v6.4 on: __kvm_tlb_flush_vmid_ipa_nsh). Others that still deny fault once more and do the same. It
 * flushes also if somebody else was faster: its own TLB denies all the same (review of a12ab1378a88).
 */
import { defineProtocol } from '../port/index.ts';

export default defineProtocol({
  name: 'relax-local',
  kind: 'protect',
  form: 'relax',
  summary: 'cmpxchg the write permission in, flush the IPA on the own PE',
  origin: 'KVM v6.4 and later, kvm_pgtable_stage2_relax_perms',
  claims: { neverInvalid: true },
  lock: 'shared',
  run(cpu, t) {
    cpu.compareExchange(t.entry, t.old, t.wanted);
    cpu.dsb('nshst');
    cpu.tlbi({ kind: 'ipas2e1', ipa: t.ipa, ttl: t.level });
    cpu.dsb('nsh');
    cpu.tlbi({ kind: 'vmalle1' });
    cpu.dsb('nsh');
    cpu.isb();
  },
});
