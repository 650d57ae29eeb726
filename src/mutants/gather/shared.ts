/** What the seeded bugs of gathered flushes have in common: a table of pages is unmapped entry by entry. */
import { EMPTY, type Cpu, isValid, type Table, type Tables } from '../../port/index.ts';

/** Clears every leaf of a table of pages. */
export function clearPages(cpu: Cpu, tables: Tables, table: Table): void {
  for (let index = 0; index < tables.entries; index++) {
    const entry = tables.entryOf(table, index);
    if (!isValid(cpu.read(entry))) continue;
    cpu.write(entry, EMPTY);
    tables.put(entry);
  }
}
