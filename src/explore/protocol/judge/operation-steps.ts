/**
 * The protocol's own operations as steps, up to the one that the checker's automaton blames: what is
 * shown where no schedule of the small machine is needed, or none breaks.
 */
import { assertNever } from '../../../arch/assert.ts';
import { describeTlbi } from '../../../arch/tlbi.ts';
import type { TraceEvent } from '../../../port/index.ts';
import type { ExploreStep } from '../../../result/explore.ts';
import { contextText, placeName, valueText } from '../machine/describe.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import type { Path } from '../run/unroll.ts';

/** Of a longer list the first and last ones are shown. */
const STEPS_MAX = 48;
const STEPS_AT_ENDS = 12;

/** What a run did, and where. */
export type Recorded = Pick<Path, 'trace' | 'locations'>;

/** `blamed`: index of the event, null for all of them. */
export function operationSteps(
  map: MemoryMap,
  { trace, locations }: Recorded,
  blamed: number | null,
): ExploreStep[] {
  const steps = trace
    .slice(0, blamed === null ? undefined : blamed + 1)
    .map((event, i): ExploreStep => ({
      thread: 'hypervisor',
      op: opOf(event),
      detail: detailOf(map, event, locations[i] ?? null),
    }));
  if (steps.length <= STEPS_MAX) return steps;
  const left = steps.length - 2 * STEPS_AT_ENDS;
  const between = {
    thread: 'hypervisor',
    op: '…',
    detail: `${left} operations more`,
    number: null,
  };
  const numbered = steps.map((step, i) => ({ ...step, number: i + 1 }));
  return [...steps.slice(0, STEPS_AT_ENDS), between, ...numbered.slice(-STEPS_AT_ENDS)];
}

function opOf(event: TraceEvent): string {
  return event.op === 'read' && event.expected !== undefined ? 'compare-exchange' : event.op;
}

function detailOf(map: MemoryMap, event: TraceEvent, location: number | null): string {
  switch (event.op) {
    case 'read':
    case 'write': {
      const at = location ?? map.target;
      const order = event.op === 'write' && event.order !== 'plain' ? ` (${event.order})` : '';
      const failed =
        event.op === 'read' && event.expected !== undefined
          ? `, not ${valueText(map, at, event.expected)}: it failed, and stored nothing`
          : '';
      return `${placeName(map, at)} = ${valueText(map, at, event.value)}${order}${failed}`;
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
    case 'tge':
      return contextText(event);
    case 'tlbi':
      return describeTlbi(event.tlbi);
    case 'build':
    case 'allocate':
      return event.table;
    case 'no-memory':
      return 'an allocation fails';
    case 'free':
      return (
        `${event.tables} table page(s), ${event.table}` +
        (event.when === 'grace' ? ', after a grace period' : '')
      );
    case 'get':
    case 'put':
      return placeName(map, location ?? map.target);
    case 'cmo':
      return `0x${event.size.toString(16)} bytes from 0x${event.pa.toString(16)}`;
    default:
      return assertNever(event);
  }
}
