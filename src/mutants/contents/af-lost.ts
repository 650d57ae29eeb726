/**
 * Wrong: the block is installed with its access flag clear, though every page of the table had it
 * set. Each vCPU's next access faults once more, for nothing.
 *
 * Evidence: R_RTBRL and kernel commit ca5de2448c3b (v6.2) are about access flags lost in updates.
 * Caught by: break-before-make, from the operations (the block is not the one wanted); an access
 * flag fault is no violation by itself.
 */
import { AF, childLevel, defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const afLost = defineMutant({
  name: 'af-lost',
  what: 'the block is installed with its access flag clear',
  evidence: 'kernel commit ca5de2448c3b (v6.2); R_RTBRL',
  rule: 'break-before-make',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'af-lost',
      kind: 'coalesce',
      summary: 'bbm-early that installs the block with AF clear',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted & ~AF);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['break-before-make'], { by: 'operations' }),
    inModel(['break-before-make'], { by: 'operations' }),
  ],
  missedBy: [],
});
