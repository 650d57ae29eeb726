/**
 * Block to table as kvm_pgtable_stage2_map does on a dirty-logging write fault (v5.10 and later):
 * break the block, install an *empty* table, map the one page that faulted. Every other page of the
 * block is faulted in again later, so most of the cost comes after the transition, as genuine
 * faults.
 */
import { childLevel, defineProtocol, flushIpa, type Level, VALID } from '../port/index.ts';

export default defineProtocol({
  name: 'split-lazy',
  kind: 'split',
  summary: 'invalidate, flush IPA, store-release an empty table, map one page',
  origin: 'KVM v5.10 and later, stage2_map_walk_leaf',
  claims: {},
  run(cpu, t, tables) {
    const top = tables.allocate(childLevel(t.level));
    cpu.write(t.entry, t.old & ~VALID);
    flushIpa(cpu, t.ipa, t.level);
    tables.put(t.entry);
    cpu.writeRelease(t.entry, tables.descriptorFor(top));
    tables.get(t.entry);
    let table = top;
    let like = t.wanted;
    for (let level: Level = t.level; ;) {
      like = tables.childLeaf(like, level, 0);
      level = childLevel(level);
      const entry = tables.entryOf(table, 0);
      if (level === 3) {
        cpu.writeRelease(entry, like);
        tables.get(entry);
        break;
      }
      table = tables.allocate(childLevel(level));
      cpu.writeRelease(entry, tables.descriptorFor(table));
      tables.get(entry);
    }
    cpu.dsb('ishst');
  },
});
