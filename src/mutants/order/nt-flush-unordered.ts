/**
 * Wrong: no DSB between the store of the nT block and the TLBI. A walker may read the old table
 * after the TLBI and keep page entries beside the block, whose nT is then cleared.
 *
 * Evidence: R_TGVWD; the RFC of 2021-01-26 was suspected of it and does not have it, as
 * __kvm_tlb_flush_vmid begins with DSB ISHST. Caught by: tlb-conflict or stale-translation, in
 * `stress` with --reorder and by `explore`.
 */
import { childLevel, defineProtocol, NT } from '../../port/index.ts';
import { inModel, whenReordered } from '../catches.ts';
import { hostOrdersIt } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const ntFlushUnordered = defineMutant({
  name: 'nt-flush-unordered',
  what: 'no DSB orders the nT block before the TLBI: page entries are filled again beside it',
  evidence: 'R_TGVWD; SMMU IHI0070H.a 3.21.1.2',
  rule: 'tlb-conflict',
  twin: 'rfc-nt-intended',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'nt-flush-unordered',
      kind: 'coalesce',
      summary: 'rfc-nt-intended without the DSB before its TLBI',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.wanted | NT);
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.write(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...whenReordered(['tlb-conflict', 'stale-translation', 'freed-table']),
    inModel(['tlb-conflict', 'stale-translation', 'freed-table']),
  ],
  missedBy: hostOrdersIt(),
});
