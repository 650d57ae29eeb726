/**
 * Block to table without an invalid moment, the SMMU specification's split sequence for BBM level
 * 1: nT is set on the *live* block first and flushed, so that no TLB holds the block when the table
 * replaces it; then the table, then a flush again. Made the other way round (table first) old and
 * new sizes meet and conflict.
 */
import { defineProtocol, flushIpa, NT } from '../port/index.ts';

export default defineProtocol({
  name: 'nt-split',
  kind: 'split',
  summary: 'nT on the live block, flush IPA, store-release the full table, flush IPA',
  origin: 'SMMU IHI0070H.a 3.21.1.2 (split at BBM level 1)',
  claims: { neverInvalid: true },
  run(cpu, t, tables) {
    const table = tables.buildSubtree(t.level, t.wanted);
    cpu.write(t.entry, t.old | NT);
    flushIpa(cpu, t.ipa, t.level);
    cpu.writeRelease(t.entry, tables.descriptorFor(table));
    flushIpa(cpu, t.ipa, t.level);
  },
});
