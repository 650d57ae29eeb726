/**
 * Data cache maintenance: what a block shows has to be cleaned to the point of coherency before the
 * block is there, or a guest with its caches off reads stale memory through it (no FWB;
 * Alexandru Elisei, 2021-03-19). Whether it is needed at all is the CPU's and the caller's business:
 * up to v5.13 KVM did it before the map. So a protocol is held to what it begins.
 */
import { typeOf } from '../arch/descriptor.ts';
import type { TraceEvent, TransitionTrace } from '../port/trace.ts';

export interface CleanFinding {
  readonly code: 'clean-elsewhere' | 'clean-late' | 'clean-part';
  readonly why: string;
  readonly event: number;
}

type CleanEvent = Extract<TraceEvent, { readonly op: 'cmo' }>;

const hex = (n: number): string => `0x${n.toString(16)}`;

/** Bytes of the region that these clean. */
function covered(trace: TransitionTrace, cleans: readonly CleanEvent[]): number {
  const sorted = cleans.toSorted((a, b) => a.pa - b.pa);
  let bytes = 0;
  let done = trace.pa;
  for (const { pa, size } of sorted) {
    const from = Math.max(done, pa);
    const to = Math.min(trace.pa + trace.size, pa + size);
    if (to <= from) continue;
    bytes += to - from;
    done = to;
  }
  return bytes;
}

export function judgeCleans(trace: TransitionTrace): CleanFinding | null {
  const cleans: { readonly at: number; readonly event: CleanEvent }[] = [];
  let shownAt = Infinity;
  for (const [at, event] of trace.events.entries()) {
    if (event.op === 'cmo') cleans.push({ at, event });
    if (event.op !== 'write' || event.entry !== 'target') continue;
    if (typeOf(event.value, trace.level) === 'block') shownAt = Math.min(shownAt, at);
  }
  const [first] = cleans;
  if (first === undefined) return null;
  const end = trace.pa + trace.size;
  const astray = cleans.find(({ event }) => event.pa + event.size <= trace.pa || end <= event.pa);
  if (astray !== undefined) {
    const { pa, size } = astray.event;
    const isIpa = pa === trace.ipa ? ' (that is its IPA)' : '';
    const why =
      `data cache cleaned for ${hex(size)} bytes from ${hex(pa)}${isIpa}, but the memory the entry ` +
      `maps begins at ${hex(trace.pa)}: wrong address`;
    return { code: 'clean-elsewhere', why, event: astray.at };
  }
  // What a split shows was all shown before.
  if (typeOf(trace.old, trace.level) !== 'table') return null;
  const before = cleans.filter(({ at }) => at < shownAt).map(({ event }) => event);
  const bytes = covered(trace, before);
  if (bytes === trace.size) return null;
  const all = covered(
    trace,
    cleans.map(({ event }) => event),
  );
  const reads = 'a guest with its caches off reads stale memory through it';
  if (all === trace.size) {
    const late = cleans.find(({ at }) => at > shownAt) ?? first;
    const why = `data cache cleaned only after the block was stored: until then ${reads}`;
    return { code: 'clean-late', why, event: late.at };
  }
  const why =
    `data cache cleaned for ${hex(all)} of the ${hex(trace.size)} bytes that the block maps: ` +
    `through the rest ${reads.replace(' through it', '')}`;
  return { code: 'clean-part', why, event: first.at };
}
