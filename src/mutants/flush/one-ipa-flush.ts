/**
 * Wrong: table to block flushes the one IPA that faulted instead of the VMID, so stage-2-only
 * entries of the table's other pages stay beside the block. A model that has combined entries only
 * cannot see it: VMALLE1IS takes all of those.
 *
 * Evidence: kernel commit 3a0b870e3448 (v5.10). Caught by: stale-translation or tlb-conflict, on
 * any engine.
 */
import { childLevel, defineProtocol, flushIpa, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const oneIpaFlush = defineMutant({
  name: 'one-ipa-flush',
  what: 'a table is replaced by a block and only one IPA of it is flushed',
  evidence: 'kernel commit 3a0b870e3448 (v5.10)',
  rule: 'stale-translation',
  twin: 'bbm-late',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'one-ipa-flush',
      kind: 'coalesce',
      summary: 'bbm-late that flushes one IPA in place of the VMID',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushIpa(cpu, t.ipa);
        tables.tearDown(child, childLevel(t.level));
        tables.put(t.entry);
        cpu.writeRelease(t.entry, t.wanted);
        tables.get(t.entry);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['stale-translation', 'tlb-conflict']),
    inModel(['stale-translation', 'tlb-conflict']),
  ],
  missedBy: [],
});
