/**
 * What a thread writes down while it runs: its last events, and evidence for the checker. Numbers
 * into the thread's own rings in shared memory; nobody judges here, and nothing allocates.
 *
 * Records carry the TLBI generation the thread had seen and a local sequence number. A shared
 * sequence would order threads exactly and cost 51 to 59 ns per access (measured with two vCPUs);
 * the generation orders what matters, which is before or after a flush.
 *
 * Rings belong to one thread; others read them after the end barrier, or after the thread is gone.
 */
import type { Arena } from './arena.ts';
import { CONTROL, EVENT_RING, EVIDENCE_AREA, LINE_WORDS, evidenceCounter } from './layout.ts';

/** Event codes: what happened; meaning of the operands a, b, c beside it. */
export const EVENT = {
  /** page, level, data */
  walk: 1,
  /** page, fault code, level */
  fault: 2,
  /** page, what the handler did */
  handled: 3,
  /** generation applied up to, records applied */
  tlbiApplied: 4,
  enter: 5,
  leave: 6,
  /** page, level of one, level of other */
  conflict: 7,
  /** role, low, high half of the value */
  write: 8,
  read: 9,
  /** dsb kind index */
  dsb: 10,
  isb: 11,
  /** tlbi kind index, first page, ttl */
  tlbi: 12,
  /** version from, protocol index */
  transitionStart: 13,
  transitionEnd: 14,
  /** tables freed, 1 for now / 2 after a grace period */
  free: 15,
  /** page, value stored or loaded, 1 for a store */
  access: 16,
  settled: 17,
  /** stage */
  sweeping: 18,
  /** page, level, the bits the walker has set in the low half of the leaf */
  updated: 19,
  /** dmb kind index */
  dmb: 20,
  /** entries there were, pages of them that went to the dirty log */
  ringFlushed: 21,
  /** VMID; or -1, and whether TGE is set */
  context: 22,
} as const;

/**
 * Evidence codes, below EVIDENCE_AREA.codes; the operands' order is that of the decoder in
 * src/stress/results/decode.ts.
 */
export const EVIDENCE = {
  /** page, tag, ghost before, ghost after, via, level */
  version: 1,
  /** page, found guest page (-1: outside), expected, via, level */
  address: 2,
  /** page, flags found, wanted, via */
  permission: 3,
  /** page, found, expected, 0 load / 1 end */
  value: 4,
  /** page, low, high, level */
  torn: 5,
  /** page, reader (FREED_READER), table, expected, found, poisoned */
  freed: 6,
  /** page, aborted, level, level */
  conflict: 7,
  /** page, low, high */
  spurious: 8,
  /** page, faults of one access */
  livelock: 9,
  /** page, ms waited after the end of the round */
  progress: 10,
  /** page, what was copied, what memory holds, whose word */
  dirty: 11,
  /** page, found guest page, expected */
  foreign: 12,
  /** page */
  neighbour: 13,
} as const;

/** Who met a freed table page: by a load, by the update of a descriptor (FEAT_HAFDBS), in software. */
export const FREED_READER = { hardware: 0, software: 1, update: 2 } as const;

export const VIA = { combined: 0, stage2: 1, walk: 2 } as const;

export interface Recorder {
  event(code: number, a: number, b: number, c: number): void;
  evidence(code: number, a: number, b: number, c: number, d: number, e: number, f: number): void;
  /**
   * Evidence this thread has of what vCPU `vcpu` did: with that one's last events, so between rounds
   * only. The vCPU becomes operand d.
   */
  evidenceAbout(vcpu: number, code: number, a: number, b: number, c: number): void;
}

/** `thread` 0 is the hypervisor, vCPU v is v + 1. */
export function createRecorder(arena: Arena, thread: number): Recorder {
  const { i32, layout } = arena;
  const eventW = layout.eventW + thread * EVENT_RING.words;
  const evidenceW = layout.evidenceW + thread * EVIDENCE_AREA.words;
  // Constants of this closure, which V8 folds; imported ones it loads each time.
  const eventMask = EVENT_RING.records - 1;
  const recordWords = EVENT_RING.recordWords;
  const firstW = eventW + LINE_WORDS;
  const generationW = CONTROL.tlbiGeneration;

  return {
    event(code, a, b, c) {
      const sequence = i32[eventW] as number;
      i32[eventW] = sequence + 1;
      const at = firstW + (sequence & eventMask) * recordWords;
      i32[at] = sequence;
      i32[at + 1] = i32[generationW] as number;
      i32[at + 2] = code;
      i32[at + 3] = a;
      i32[at + 4] = b;
      i32[at + 5] = c;
    },
    evidence: (code, a, b, c, d, e, f) => keep(eventW, code, a, b, c, d, e, f),
    evidenceAbout(vcpu, code, a, b, c) {
      keep(layout.eventW + (vcpu + 1) * EVENT_RING.words, code, a, b, c, vcpu, 0, 0);
    },
  };

  /**
   * The first few of each code are kept with their surroundings, later ones only counted: no flood
   * hides another. `ring` is that of the thread concerned.
   */
  function keep(
    ring: number,
    code: number,
    a: number,
    b: number,
    c: number,
    d: number,
    e: number,
    f: number,
  ): void {
    const item = i32[CONTROL.planItem] as number;
    const counter = evidenceCounter(evidenceW, item, code);
    const count = i32[counter] as number;
    i32[counter] = count + 1;
    Atomics.add(i32, CONTROL.evidenceSeen, 1);
    const used = i32[evidenceW + EVIDENCE_AREA.used] as number;
    if (count >= EVIDENCE_AREA.perKey || used >= EVIDENCE_AREA.records) return;
    i32[evidenceW + EVIDENCE_AREA.used] = used + 1;
    const at = evidenceW + EVIDENCE_AREA.firstRecord + used * EVIDENCE_AREA.recordWords;
    i32[at] = code;
    i32[at + 1] = i32[CONTROL.round] as number;
    i32[at + 2] = a;
    i32[at + 3] = b;
    i32[at + 4] = c;
    i32[at + 5] = d;
    i32[at + 6] = e;
    i32[at + 7] = f;
    i32[at + 8] = item;
    snapshot(ring, at + LINE_WORDS);
    // The hypervisor's ring is its own; a record torn by its next event is a garbled line in a
    // report, no more.
    snapshot(
      layout.eventW,
      at + LINE_WORDS + EVIDENCE_AREA.snapshotEvents * EVENT_RING.recordWords,
    );
  }

  function snapshot(ring: number, to: number): void {
    const end = i32[ring] as number;
    const first = Math.max(0, end - EVIDENCE_AREA.snapshotEvents);
    let at = to;
    for (let sequence = first; sequence < end; sequence++) {
      const from = ring + LINE_WORDS + (sequence & eventMask) * EVENT_RING.recordWords;
      i32.copyWithin(at, from, from + EVENT_RING.recordWords);
      at += EVENT_RING.recordWords;
    }
  }
}
