/**
 * Unmap as kvm_pgtable_stage2_unmap does it where ranges can be flushed at once: the leaves are
 * cleared and flushed together, then each table that has become empty is cleared and flushed by
 * itself. A table's flush has no level hint: a hint names the level of a leaf, and what walk caches
 * hold of the table would stay (36e008323926, v6.9). The memory is given away by whoever asked, after.
 */
import {
  childLevel,
  type Cpu,
  defineProtocol,
  EMPTY,
  type Entry,
  flushIpa,
  flushRange,
  isTable,
  isValid,
  type Level,
  type Table,
  type Tables,
} from '../port/index.ts';

/** Clears the leaves below `table`, whose entries are of `level`. */
function clearLeaves(cpu: Cpu, tables: Tables, table: Table, level: Level): void {
  for (let index = 0; index < tables.entries; index++) {
    const entry = tables.entryOf(table, index);
    const d = cpu.read(entry);
    if (isTable(d, level)) clearLeaves(cpu, tables, tables.follow(d), childLevel(level));
    else if (isValid(d)) {
      cpu.write(entry, EMPTY);
      tables.put(entry);
    }
  }
}

/** An entry of `level` from which `bytes` from `ipa` on are mapped. */
interface Place {
  readonly entry: Entry;
  readonly level: Level;
  readonly ipa: number;
  readonly bytes: number;
}

function zap(cpu: Cpu, tables: Tables, { entry, ipa }: Place, ttl: Level): void {
  cpu.write(entry, EMPTY);
  flushIpa(cpu, ipa, ttl);
  tables.put(entry);
}

/** Takes an empty table off its entry, the tables below it first. */
function zapTable(cpu: Cpu, tables: Tables, place: Place, table: Table): void {
  const level = childLevel(place.level);
  const bytes = place.bytes / tables.entries;
  const entries = level < 3 ? tables.entries : 0;
  for (let index = 0; index < entries; index++) {
    const entry = tables.entryOf(table, index);
    const d = cpu.read(entry);
    const below = { entry, level, ipa: place.ipa + index * bytes, bytes };
    if (isTable(d, level)) zapTable(cpu, tables, below, tables.follow(d));
  }
  zap(cpu, tables, place, 0);
  tables.freeNow(table);
}

export default defineProtocol({
  name: 'unmap-leafwise',
  kind: 'unmap',
  summary: 'clear the leaves, flush the range, clear each table, flush it without a hint, free it',
  origin: 'KVM v6.9 and later, kvm_pgtable_stage2_unmap',
  claims: {},
  run(cpu, t, tables) {
    const place = { entry: t.entry, level: t.level, ipa: t.ipa, bytes: t.size };
    if (!isTable(t.old, t.level)) return zap(cpu, tables, place, t.level);
    const table = tables.follow(t.old);
    clearLeaves(cpu, tables, table, childLevel(t.level));
    flushRange(cpu, t.ipa, t.size);
    zapTable(cpu, tables, place, table);
  },
});
