/**
 * A migration withdraws the write permission before it sends the memory: the descriptor is changed in
 * place, which needs no break (R_WHZWS), and the flush has to be complete before anybody relies on it
 * (R_GPPYH). KVM flushes once for all that one pass has protected.
 */
import { defineProtocol, flushVmid } from '../port/index.ts';

export default defineProtocol({
  name: 'write-protect',
  kind: 'protect',
  form: 'restrict',
  summary: 'store without the write permission, flush VMID',
  origin: 'KVM, kvm_pgtable_stage2_wrprotect and kvm_flush_remote_tlbs',
  claims: { neverInvalid: true },
  run(cpu, t) {
    cpu.write(t.entry, t.wanted);
    flushVmid(cpu);
  },
});
