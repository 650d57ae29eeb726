/**
 * Names of pages that are used twice. A page that was freed may be handed out again in the same
 * transition, and a trace goes on to call it what it was: here it gets a name of its own from there on,
 * so that what is done to the new table is not taken for the old one's.
 */
import { isOldTable, type TableName, type TraceEvent } from '../../port/trace.ts';

function tableNumber(name: TableName): number {
  const found = /^table (\d+)$/.exec(name);
  return found === null ? -1 : Number(found[1]);
}

/** Every event, with one name for one life of a page. */
export function withOwnNames(events: readonly TraceEvent[]): readonly TraceEvent[] {
  const made = new Set<TableName>();
  const aliases = new Map<TableName, TableName>();
  let next =
    1 +
    events.reduce((most, event) => {
      const isMade = event.op === 'build' || event.op === 'allocate';
      return isMade ? Math.max(most, tableNumber(event.table)) : most;
    }, -1);
  const named = (name: TableName): TableName => aliases.get(name) ?? name;
  return events.map((event): TraceEvent => {
    switch (event.op) {
      case 'build':
      case 'allocate': {
        const isUsed = isOldTable(event.table) || made.has(event.table);
        made.add(event.table);
        if (isUsed) aliases.set(event.table, `table ${next++}`);
        return { ...event, table: named(event.table) };
      }
      case 'free':
        return { ...event, table: named(event.table) };
      case 'read':
        return event.table === null ? event : { ...event, table: named(event.table) };
      case 'write': {
        const links = event.links === null ? null : named(event.links);
        const { place } = event;
        if (place === null) return { ...event, links };
        return { ...event, links, place: { ...place, table: named(place.table) } };
      }
      default:
        return event;
    }
  });
}
