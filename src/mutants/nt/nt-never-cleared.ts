/**
 * Wrong: nT is never cleared. Every access works, and every access walks: no TLB caches the block.
 *
 * Evidence: I_DXRJK (performance "can be significantly impacted"). Caught by: break-before-make,
 * from the operations; there is nothing wrong for a guest to see.
 */
import { childLevel, defineProtocol, flushVmid, NT } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const ntNeverCleared = defineMutant({
  name: 'nt-never-cleared',
  what: 'nT is never cleared: correct, and every access walks',
  evidence: 'I_DXRJK',
  rule: 'break-before-make',
  twin: 'rfc-nt-intended',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'nt-never-cleared',
      kind: 'coalesce',
      summary: 'rfc-nt-intended without its last store',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.wanted | NT);
        flushVmid(cpu);
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
