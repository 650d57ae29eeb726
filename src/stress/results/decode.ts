/**
 * From the numbers workers left in their rings to evidence and to lines people can read. The only
 * reader of both rings; it runs in the main thread when the group is over.
 */
import type { BlockLevel, Level } from '../../arch/geometry.ts';
import { TLBI_KINDS } from '../../arch/tlbi.ts';
import { AF, describeDescriptor, S2AP_W } from '../../arch/descriptor.ts';
import type { Evidence, Via } from '../../result/evidence.ts';
import type { Arena } from '../../machine/arena.ts';
import { descriptorOf } from '../../machine/vcpu/fault-exit.ts';
import { newestAllowed, oldestAllowed } from '../../machine/ghost.ts';
import {
  EVENT_RING,
  EVIDENCE_AREA,
  evidenceCounter,
  LINE_WORDS,
  threadsOf,
} from '../../machine/layout.ts';
import { EVENT, EVIDENCE, FREED_READER } from '../../machine/recorder.ts';
import { dataLevel, dataTag, FAULT, FLAG_W } from '../../machine/tlb-entry.ts';
import { DMB_KINDS, DSB_KINDS } from '../../port/cpu.ts';
import type { ViolationEvent } from '../../result/stress.ts';

const VIAS: readonly Via[] = ['combined', 'stage2', 'walk'];

/**
 * One piece of evidence with the plan item it belongs to and what the two threads had done just
 * before.
 */
export interface RecordedEvidence {
  readonly item: number;
  readonly evidence: Evidence;
  readonly events: readonly ViolationEvent[];
}

export interface ThreadEvidence {
  readonly recorded: readonly RecordedEvidence[];
  /** Plan items of which some kind of evidence was counted and none of it kept. */
  readonly unkept: ReadonlySet<number>;
}

export function decodeEvidence(arena: Arena): ThreadEvidence {
  const { i32, layout } = arena;
  const recorded: RecordedEvidence[] = [];
  const unkept = new Set<number>();
  for (let thread = 0; thread < threadsOf(layout.config); thread++) {
    const area = layout.evidenceW + thread * EVIDENCE_AREA.words;
    const kept = new Set<number>();
    for (let i = 0; i < (i32[area + EVIDENCE_AREA.used] as number); i++) {
      const at = area + EVIDENCE_AREA.firstRecord + i * EVIDENCE_AREA.recordWords;
      const item = i32[at + 8] as number;
      kept.add(evidenceCounter(area, item, i32[at] as number));
      recorded.push({
        item,
        evidence: decodeRecord(arena, thread, i32.subarray(at, at + LINE_WORDS)),
        events: snapshotEvents(
          arena,
          // What the hypervisor finds of a vCPU comes with that one's events.
          i32[at] === EVIDENCE.dirty ? (i32[at + 5] as number) + 1 : thread,
          at + LINE_WORDS,
          i32[at + 2] as number,
        ),
      });
    }
    for (let item = 0; item < EVIDENCE_AREA.items; item++) {
      for (let code = 1; code < EVIDENCE_AREA.codes; code++) {
        const counter = evidenceCounter(area, item, code);
        if ((i32[counter] as number) > 0 && !kept.has(counter)) unkept.add(item);
      }
    }
  }
  return { recorded, unkept };
}

function decodeRecord(arena: Arena, thread: number, words: Int32Array): Evidence {
  const { layout } = arena;
  const [code = 0, round = 0, page = 0, b = 0, c = 0, d = 0, e = 0, f = 0] = words;
  const pageBytes = 2 ** layout.pageShift;
  const where = {
    vcpu: thread === 0 ? null : thread - 1,
    round,
    ipa: layout.ipaBase + page * pageBytes,
  };
  const via = (n: number): Via => VIAS[n] ?? 'walk';
  switch (code) {
    case EVIDENCE.version:
      return {
        ...where,
        kind: 'version',
        tag: b,
        allowed: { oldest: oldestAllowed(c), newest: newestAllowed(d) },
        via: via(e),
        level: f as Level,
      };
    case EVIDENCE.address:
      return {
        ...where,
        kind: 'address',
        found: b < 0 ? -1 : layout.guestPaBase + b * pageBytes,
        expected: layout.guestPaBase + c * pageBytes,
        via: via(d),
        level: e as Level,
      };
    case EVIDENCE.permission:
      return {
        ...where,
        kind: 'permission',
        found: (b & FLAG_W) !== 0 ? 'rw' : 'r-',
        expected: (c & FLAG_W) !== 0 ? 'rw' : 'r-',
        via: via(d),
      };
    case EVIDENCE.value:
      return { ...where, kind: 'value', found: b, expected: c, when: d === 1 ? 'end' : 'load' };
    case EVIDENCE.torn:
      return { ...where, kind: 'torn', descriptor: descriptorOf(b, c), level: d as Level };
    case EVIDENCE.freed:
      return {
        ...where,
        kind: 'freed',
        reader: freedReader(b),
        table: c,
        expectedGeneration: d,
        foundGeneration: e,
        poisoned: f === 1,
      };
    case EVIDENCE.conflict:
      return { ...where, kind: 'conflict', aborted: b === 1, levels: [c as Level, d as Level] };
    case EVIDENCE.spurious:
      return { ...where, kind: 'spurious', descriptor: descriptorOf(b, c) };
    case EVIDENCE.progress:
      return { ...where, kind: 'progress', waitedMs: b };
    case EVIDENCE.livelock:
      return { ...where, kind: 'livelock', faults: b };
    case EVIDENCE.foreign:
      return {
        ...where,
        kind: 'foreign',
        found: layout.guestPaBase + b * pageBytes,
        expected: layout.guestPaBase + c * pageBytes,
      };
    case EVIDENCE.neighbour:
      return { ...where, kind: 'neighbour' };
    case EVIDENCE.dirty:
      return { ...where, vcpu: d, kind: 'dirty', copied: b, inMemory: c };
    default:
      throw new Error(`unknown evidence code ${code}`);
  }
}

function freedReader(code: number): 'hardware' | 'software' | 'update' {
  if (code === FREED_READER.software) return 'software';
  return code === FREED_READER.update ? 'update' : 'hardware';
}

/**
 * Both snapshots of an evidence record, merged by the TLBI generation each thread had seen: within
 * one generation the order between threads is not known. Walks of other pages than the one concerned,
 * and what they set, are left out, but for the last few.
 */
function snapshotEvents(arena: Arena, thread: number, at: number, page: number): ViolationEvent[] {
  const half = EVIDENCE_AREA.snapshotEvents * EVENT_RING.recordWords;
  const own = eventsAt(arena, thread, at, page);
  const hypervisor = thread === 0 ? [] : eventsAt(arena, 0, at + half, page);
  return [...hypervisor, ...own].sort(
    (a, b) => a.generation - b.generation || (a.thread === b.thread ? a.sequence - b.sequence : 0),
  );
}

/** Walks of other pages kept, so that a reader sees what the vCPU was about. */
const OTHER_WALKS_KEPT = 2;

function eventsAt(arena: Arena, thread: number, first: number, page: number): ViolationEvent[] {
  const { i32 } = arena;
  const events: ViolationEvent[] = [];
  const otherWalks: number[] = [];
  for (let i = 0; i < EVIDENCE_AREA.snapshotEvents; i++) {
    const at = first + i * EVENT_RING.recordWords;
    const [sequence = 0, generation = 0, code = 0, a = 0, b = 0, c = 0] = i32.subarray(
      at,
      at + EVENT_RING.recordWords,
    );
    if (code === 0) break;
    const isWalk = code === EVENT.walk || code === EVENT.updated;
    if (isWalk && a !== page) otherWalks.push(events.length);
    events.push({
      thread: thread === 0 ? 'hypervisor' : `vcpu ${thread - 1}`,
      generation,
      sequence,
      text: describeEvent(arena, code, a, b, c),
    });
  }
  const left = new Set(otherWalks.slice(0, -OTHER_WALKS_KEPT));
  return events.filter((_, i) => !left.has(i));
}

const FAULT_NAMES: Readonly<Record<number, string>> = {
  [FAULT.translation]: 'translation fault',
  [FAULT.nt]: 'translation fault (nT)',
  [FAULT.conflict]: 'TLB conflict abort',
  [FAULT.permission]: 'permission fault',
  [FAULT.accessFlag]: 'access flag fault',
  [FAULT.ringFull]: 'permission fault (dirty ring full)',
  [FAULT.wild]: 'address outside of memory',
};
const HANDLED_NAMES = [
  'spurious',
  'mapped',
  'relaxed',
  'again (locked)',
  'error',
  'stopped',
  'split',
];

/** What a walker has set: bits of the low half of a leaf. */
function updatedBits(bits: number): string {
  const names = [
    (bits & Number(AF)) === 0 ? '' : 'AF',
    (bits & Number(S2AP_W)) === 0 ? '' : 'S2AP[1] (dirty)',
  ];
  return names.filter(Boolean).join(' and ');
}

function describeEvent(arena: Arena, code: number, a: number, b: number, c: number): string {
  const { layout, geometry } = arena;
  const ipa = (page: number): string =>
    `0x${(layout.ipaBase + page * 2 ** layout.pageShift).toString(16)}`;
  const level: BlockLevel = layout.config.level;
  const value = (low: number, high: number, at: Level): string =>
    describeDescriptor(geometry, descriptorOf(low, high), at);
  switch (code) {
    case EVENT.walk:
      return c < 0
        ? `walk of ${ipa(a)} ends at level ${b}: ${FAULT_NAMES[c] ?? c}`
        : `walk of ${ipa(a)}: level ${dataLevel(c)} leaf v${dataTag(c)}`;
    case EVENT.fault:
      return `${FAULT_NAMES[b] ?? `fault ${b}`} at ${ipa(a)}, level ${c}`;
    case EVENT.handled:
      return `fault at ${ipa(a)} handled: ${HANDLED_NAMES[b] ?? b}`;
    case EVENT.tlbiApplied:
      return `applies ${b} TLBI, acknowledges ${a}`;
    case EVENT.enter:
      return 'enters the guest';
    case EVENT.leave:
      return 'leaves the guest';
    case EVENT.conflict:
      return `two TLB entries match ${ipa(a)}: level ${b} and level ${c}`;
    case EVENT.write:
      return `writes ${a === 0 ? 'the entry' : `entry ${a}`}: ${value(b, c, a === 0 ? level : 3)}`;
    case EVENT.dsb:
      return `DSB ${(DSB_KINDS[a] ?? '').toUpperCase()}`;
    case EVENT.dmb:
      return `DMB ${(DMB_KINDS[a] ?? '').toUpperCase()}`;
    case EVENT.isb:
      return 'ISB';
    case EVENT.context:
      return a < 0 ? `HCR_EL2.TGE = ${b}` : `VTTBR_EL2 with VMID ${a}`;
    case EVENT.tlbi:
      return [
        `TLBI ${(TLBI_KINDS[a] ?? '').toUpperCase()}`,
        b >= 0 ? ipa(b) : '',
        c > 0 ? `ttl=${c}` : '',
      ]
        .filter(Boolean)
        .join(' ');
    case EVENT.transitionStart:
      return `transition v${a} to v${a + 1} starts${b === 1 ? '' : ' (reset)'}`;
    case EVENT.transitionEnd:
      return `transition ends at v${a}`;
    case EVENT.free:
      return `frees ${a} table page${a === 1 ? '' : 's'}${b === 2 ? ' after a grace period' : ''}`;
    case EVENT.access:
      return `${c === 1 ? 'stores' : 'loads'} ${b} at ${ipa(a)}`;
    case EVENT.settled:
      return 'flush complete: the old mapping is gone';
    case EVENT.updated:
      return `sets ${updatedBits(c)} of the level ${b} leaf of ${ipa(a)}`;
    case EVENT.ringFlushed:
      return `dirty ring flushed: ${a} entries, ${b} pages to the log`;
    case EVENT.sweeping:
      return `vCPUs sweep, stage ${a}`;
    default:
      return `event ${code} ${a} ${b} ${c}`;
  }
}
