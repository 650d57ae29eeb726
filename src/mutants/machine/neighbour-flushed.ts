/**
 * Wrong: the flush goes to the VM itself and to another one. Nothing breaks, and the other VM has to
 * walk for all it had in the TLBs, after each change of size in a VM that is none of its business.
 *
 * Evidence: casemate's bad_bbm_by_wrong_VMID, seen from the other VM. Caught by: vmid-isolation,
 * where there is a second VM.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

/** The neighbour's in scenario two-vms. */
const OTHER_VMID = 2;

export const neighbourFlushed = defineMutant({
  name: 'neighbour-flushed',
  what: 'the flush is sent to another VM as well',
  evidence: 'casemate bad_bbm_by_wrong_VMID',
  rule: 'vmid-isolation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'neighbour-flushed',
      kind: 'coalesce',
      summary: 'bbm-early that flushes another VMID too',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.tlbi({ kind: 'vmalls12e1is', vmid: OTHER_VMID });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['vmid-isolation'], { scenario: 'two-vms' }),
    inModel(['vmid-isolation'], { scenario: 'two-vms', by: 'operations' }),
  ],
  missedBy: [],
});
