/**
 * Wrong: a block is moved to another output address with nT, as if that were a change of size. What is
 * stored to the old place between the copy and the flush is lost.
 *
 * Evidence: R_WHZWS (the output address changes and one of the two is writable: break-before-make),
 * R_PVTFW. Caught by: lost-access, and break-before-make from the operations.
 */
import { defineProtocol, flushVmid, NT } from '../../port/index.ts';
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const ntRelocated = defineMutant({
  name: 'nt-relocated',
  what: 'a block is moved to another output address with nT instead of break-before-make',
  evidence: 'R_WHZWS, R_PVTFW',
  rule: 'lost-access',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'nt-relocated',
      kind: 'coalesce',
      summary: 'block|nT, flush VMID, block, for a block that moves',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t) {
        cpu.writeRelease(t.entry, t.wanted | NT);
        flushVmid(cpu);
        cpu.write(t.entry, t.wanted);
        flushVmid(cpu);
      },
    }),
  },
  caughtBy: onThreads(['lost-access'], { scenario: 'relocate' }),
  missedBy: [notInModel('its regions do not move')],
});
