/**
 * Unmap with one flush for all: every leaf is cleared and gathered, then the entry itself, and what the
 * gather says is flushed once, before any table is freed. With the entry a table is in the gather, so that
 * the flush has no hint.
 */
import {
  childLevel,
  type Cpu,
  defineProtocol,
  EMPTY,
  flushGathered,
  type Gather,
  gathered,
  isTable,
  isValid,
  type Level,
  NOTHING_GATHERED,
  type Table,
  type Tables,
} from '../port/index.ts';

/** Clears the leaves below `table`, whose entries are of `level` and map `bytes` each from `ipa` on. */
function clearLeaves(
  cpu: Cpu,
  tables: Tables,
  table: Table,
  level: Level,
  ipa: number,
  bytes: number,
  before: Gather,
): Gather {
  let gather = before;
  for (let index = 0; index < tables.entries; index++) {
    const entry = tables.entryOf(table, index);
    const d = cpu.read(entry);
    const from = ipa + index * bytes;
    if (isTable(d, level)) {
      const size = bytes / tables.entries;
      gather = clearLeaves(cpu, tables, tables.follow(d), childLevel(level), from, size, gather);
    } else if (isValid(d)) {
      cpu.write(entry, EMPTY);
      tables.put(entry);
      gather = gathered(gather, from, bytes, level, 'leaf');
    }
  }
  return gather;
}

export default defineProtocol({
  name: 'unmap-gathered',
  kind: 'unmap',
  summary:
    'clear the leaves and the entry, one flush for all of them without a hint, free the tables',
  origin: 'generic page tables and KVM (stage-2 gather), many entries with one deferred flush',
  claims: {},
  run(cpu, t, tables) {
    const { ipa, size, level } = t;
    const isOfTable = isTable(t.old, level);
    const below = size / tables.entries;
    const leaves = isOfTable
      ? clearLeaves(
          cpu,
          tables,
          tables.follow(t.old),
          childLevel(level),
          ipa,
          below,
          NOTHING_GATHERED,
        )
      : NOTHING_GATHERED;
    cpu.write(t.entry, EMPTY);
    tables.put(t.entry);
    const all = gathered(leaves, ipa, size, level, isOfTable ? 'table' : 'leaf');
    flushGathered(cpu, all, 'range');
    if (isOfTable) tables.tearDown(tables.follow(t.old), childLevel(level));
  },
});
