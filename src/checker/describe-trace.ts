/**
 * A transition's events as lines for a violation: the ones up to the event to blame and a few after
 * it.
 */
import { assertNever } from '../arch/assert.ts';
import { describeDescriptor, type Descriptor } from '../arch/descriptor.ts';
import { describeTlbi } from '../arch/tlbi.ts';
import { isOldTable, type TraceEvent, type TransitionTrace } from '../port/trace.ts';
import type { ViolationEvent } from '../result/stress.ts';
import { geometryOfTrace } from './place.ts';

/** Lines shown of one transition at most, and how many of them come after the event to blame. */
export const TRACE_LINES_MAX = 24;
const LINES_AFTER = 4;

function describe(trace: TransitionTrace, event: TraceEvent): string {
  const value = (d: Descriptor): string =>
    describeDescriptor(geometryOfTrace(trace), d, trace.level);
  switch (event.op) {
    case 'read':
      if (event.expected !== undefined)
        return `compare-exchange target: ${value(event.value)}, not what it expected; it failed`;
      if (event.table === null) return `read target: ${value(event.value)}`;
      return `read ${event.entry} of ${event.table}: 0x${event.value.toString(16)}`;
    case 'write': {
      const { place } = event;
      if (place === null) return `write (${event.order}) target: ${value(event.value)}`;
      const where = `${place.table}[${place.index}]`;
      return `write (${event.order}) ${where}: 0x${event.value.toString(16)}`;
    }
    case 'dsb':
      return `DSB ${event.kind.toUpperCase()}`;
    case 'dmb':
      return `DMB ${event.kind.toUpperCase()}`;
    case 'ipi':
      return 'an interrupt to each PE';
    case 'isb':
      return 'ISB';
    case 'vttbr':
      return `VTTBR_EL2 = the ${event.table}'s table, VMID ${event.vmid}`;
    case 'tge':
      return `HCR_EL2.TGE = ${event.on ? 1 : 0}`;
    case 'tlbi':
      return describeTlbi(event.tlbi);
    case 'build':
      return `build subtree ${event.table}`;
    case 'allocate':
      return `allocate ${event.table}`;
    case 'no-memory':
      return 'an allocation fails';
    case 'free': {
      const whose = isOldTable(event.table) ? 'the old subtree' : event.table;
      return `free ${event.tables} table page(s) of ${whose} (${event.when})`;
    }
    case 'get':
    case 'put':
      return `${event.op} ${event.entry}`;
    case 'cmo':
      return `clean data cache: 0x${event.size.toString(16)} bytes from 0x${event.pa.toString(16)}`;
    default:
      return assertNever(event);
  }
}

/**
 * `sequence` is the event's number from 1, as sentences cite it; `generation` counts the TLBIs before it.
 */
export function traceEvents(trace: TransitionTrace, blamed: number | null): ViolationEvent[] {
  const end = Math.min(trace.events.length, (blamed ?? trace.events.length) + 1 + LINES_AFTER);
  const start = Math.max(0, end - TRACE_LINES_MAX);
  let generation = 0;
  return trace.events
    .map((event, index) => {
      const sequence = index + 1;
      const mark = index === blamed ? '  <- here' : '';
      const text = `${describe(trace, event)}${mark}`;
      const line = { thread: 'hypervisor', generation, sequence, text };
      if (event.op === 'tlbi') generation++;
      return line;
    })
    .slice(start, end);
}
