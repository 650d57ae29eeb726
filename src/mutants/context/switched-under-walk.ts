/**
 * Wrong: the DSB before VTTBR_EL2 changes covers stores only, so that a walk which the host has begun goes
 * on under the VM's VMID and fills the TLB with what the host's table says.
 *
 * Evidence: kernel commit 7e1b2329c205; v6.3 is this protocol, v6.4 its twin. Caught by: an access of a
 * vCPU that comes to run on that PE, under explore.
 */
import { childLevel, defineProtocol, HOST_VMID, VALID } from '../../port/index.ts';
import { inModel } from '../catches.ts';
import { onNoThread } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const switchedUnderWalk = defineMutant({
  name: 'switched-under-walk',
  what: 'VTTBR_EL2 changes behind a DSB ISHST, which waits for no walk that is under way',
  evidence: 'kernel commit 7e1b2329c205 (v6.4): nvhe/tlb.c of v6.3',
  rule: 'wrong-output-address',
  twin: 'bbm-early-nvhe',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'switched-under-walk',
      kind: 'coalesce',
      context: 'nvhe-host',
      summary: 'bbm-early-nvhe with the DSB ISHST of v6.3 before VTTBR_EL2',
      origin: 'KVM v6.3, hyp/nvhe/tlb.c __kvm_tlb_flush_vmid',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.writeVttbr(t.vmid, 'guest');
        cpu.isb();
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeVttbr(HOST_VMID, 'host');
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [inModel(['wrong-output-address'])],
  missedBy: onNoThread(
    'the thread that runs the protocol has no TLB of its own, and walks nothing',
  ),
});
