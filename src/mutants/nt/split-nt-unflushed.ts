/**
 * Wrong: nT is set on the live block, and the table linked without a flush in between. The block is
 * still in TLBs from before, without the bit, when page entries come to stand beside it.
 *
 * Evidence: SMMU IHI0070H.a 3.21.1.2 (split: nT first, then invalidate, then the table). Caught by:
 * tlb-conflict, by `explore`, where a walk may begin at any time.
 */
import { defineProtocol, flushIpa, NT } from '../../port/index.ts';
import { inModel } from '../catches.ts';
import { onNoThread } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const splitNtUnflushed = defineMutant({
  name: 'split-nt-unflushed',
  what: 'the table replaces the nT block before the block is flushed',
  evidence: 'SMMU IHI0070H.a 3.21.1.2 (split sequence)',
  rule: 'tlb-conflict',
  twin: 'nt-split',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'split-nt-unflushed',
      kind: 'split',
      summary: 'nt-split without its first flush',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const table = tables.buildSubtree(t.level, t.wanted);
        cpu.write(t.entry, t.old | NT);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
        flushIpa(cpu, t.ipa, t.level);
      },
    }),
  },
  caughtBy: [inModel(['tlb-conflict'])],
  missedBy: onNoThread(
    'a vCPU that has the block in its TLB never misses, so it fetches no page entry beside it',
  ),
});
