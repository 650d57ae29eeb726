/**
 * A block moves to another output address, contents and all: page migration under an mmu notifier.
 * Only break-before-make will do (R_WHZWS): what is stored to the old place after the contents were
 * copied is lost, and only a complete flush keeps everybody from it.
 */
import { defineProtocol, flushIpa, VALID } from '../port/index.ts';

export default defineProtocol({
  name: 'relocate-break',
  kind: 'relocate',
  summary: 'invalidate, flush IPA, copy the contents, store-release the block at its new place',
  origin: 'KVM, kvm_unmap_gfn_range and the next fault',
  claims: {},
  run(cpu, t, tables) {
    cpu.write(t.entry, t.old & ~VALID);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    tables.get(t.entry);
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});
