/**
 * The protocol's own operations as steps, up to the one that the checker's automaton blames: what is
 * shown where no schedule of the small machine is needed, or none breaks.
 */
import { assertNever } from '../../arch/assert.ts';
import { describeTlbi } from '../../arch/tlbi.ts';
import type { TraceEvent, TransitionTrace } from '../../port/index.ts';
import type { ExploreStep } from '../../result/explore.ts';
import { valueText } from './describe.ts';
import { type MemoryMap, TARGET } from './memory-map.ts';

/** `blamed`: index of the event, null for all of them. */
export function operationSteps(
  map: MemoryMap,
  trace: TransitionTrace,
  blamed: number | null,
): ExploreStep[] {
  const shown = trace.events.slice(0, blamed === null ? undefined : blamed + 1);
  return shown.map((event) => ({
    thread: 'hypervisor',
    op: event.op,
    detail: detailOf(map, event),
  }));
}

function detailOf(map: MemoryMap, event: TraceEvent): string {
  switch (event.op) {
    case 'read':
    case 'write': {
      const name = event.entry === 'target' ? 'entry' : event.entry;
      // Any place below the entry will do: only the descriptor's own bits are shown.
      const at = event.entry === 'target' ? TARGET : TARGET + 1;
      const order = event.op === 'write' && event.order !== 'plain' ? ` (${event.order})` : '';
      return `${name} = ${valueText(map, at, event.value)}${order}`;
    }
    case 'dsb':
      return `DSB ${event.kind.toUpperCase()}`;
    case 'dmb':
      return `DMB ${event.kind.toUpperCase()}`;
    case 'isb':
      return 'ISB';
    case 'tlbi':
      return describeTlbi(event.tlbi);
    case 'build':
    case 'allocate':
      return event.table;
    case 'free':
      return (
        `${event.tables} table page(s), ${event.table}` +
        (event.when === 'grace' ? ', after a grace period' : '')
      );
    case 'get':
    case 'put':
      return event.entry === 'target' ? 'entry' : event.entry;
    case 'cmo':
      return `0x${event.size.toString(16)} bytes from 0x${event.pa.toString(16)}`;
    default:
      return assertNever(event);
  }
}
