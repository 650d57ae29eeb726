/**
 * Wrong: VMIDs are numbered with 16 bits on a CPU that was left at 8 (VTCR_EL2.VS = 0). The upper byte is
 * left out, and two VMs have one VMID: flushes of one take the other's entries, and entries of one serve
 * the other.
 *
 * Evidence: FreeBSD D55860 (2026, Fixes 47e073941f4e). Caught by: what the second VM loses, under stress;
 * by the operations under explore.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

/** That of the second VM, but for the upper byte. */
const ALIAS_VMID = 0x102;

const SETTINGS = { scenario: 'two-vms', cpu: { vmid: 8 } } as const;

export const vmidTooWide = defineMutant({
  name: 'vmid-too-wide',
  what: 'VMIDs are numbered with 16 bits where the CPU uses 8: two VMs have the same',
  evidence: 'FreeBSD D55860 (bhyve/arm64 allocates 16-bit VMIDs and never sets VTCR_EL2.VS)',
  rule: 'vmid-isolation',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'vmid-too-wide',
      kind: 'coalesce',
      vmid: ALIAS_VMID,
      summary: 'bbm-early for a VM whose VMID does not fit into 8 bits',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['vmid-isolation'], SETTINGS),
    inModel(['vmid-isolation'], { ...SETTINGS, by: 'operations' }),
  ],
  missedBy: [],
});
