/** A thread's last events and its evidence: bounded, with their surroundings, and read back. */
import { describe, expect, test } from 'vitest';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import { CONTROL, EVENT_RING, EVIDENCE_AREA } from '../../src/machine/layout.ts';
import { createRecorder, EVENT, EVIDENCE } from '../../src/machine/recorder.ts';
import { decodeEvidence } from '../../src/stress/results/decode.ts';

const arenaOf = (): Arena =>
  createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 2, transitionsMax: 1 });
const HYPERVISOR = 0;
const VCPU_1 = 2;

test('evidence comes back with thread, round and plan item', () => {
  const arena = arenaOf();
  arena.i32[CONTROL.round] = 41;
  arena.i32[CONTROL.planItem] = 3;
  createRecorder(arena, VCPU_1).evidence(EVIDENCE.freed, 7, 0, 12, 5, 6, 1);
  const { recorded, unkept } = decodeEvidence(arena);
  expect(recorded.map((r) => [r.item, r.evidence])).toEqual([
    [
      3,
      {
        kind: 'freed',
        vcpu: 1,
        round: 41,
        ipa: arena.layout.ipaBase + 7 * 4096,
        reader: 'hardware',
        table: 12,
        expectedGeneration: 5,
        foundGeneration: 6,
        poisoned: true,
      },
    ],
  ]);
  expect(unkept.size).toBe(0);
  expect(arena.i32[CONTROL.evidenceSeen]).toBe(1);
});

test('the first of each code and item are kept, and no flood hides another', () => {
  const arena = arenaOf();
  const recorder = createRecorder(arena, VCPU_1);
  for (let i = 0; i < 100; i++) recorder.evidence(EVIDENCE.value, i, 1, 2, 0, 0, 0);
  recorder.evidence(EVIDENCE.torn, 9, 1, 2, 3, 0, 0);
  arena.i32[CONTROL.planItem] = 1;
  recorder.evidence(EVIDENCE.value, 200, 1, 2, 0, 0, 0);
  createRecorder(arena, 1).evidence(EVIDENCE.value, 50, 1, 2, 1, 0, 0);
  const { recorded, unkept } = decodeEvidence(arena);
  const seen = recorded.map(({ item, evidence: e }) => [
    item,
    e.kind,
    e.vcpu,
    ((e.ipa ?? 0) - arena.layout.ipaBase) / 4096,
  ]);
  expect(seen).toEqual([
    [1, 'value', 0, 50],
    ...Array.from({ length: EVIDENCE_AREA.perKey }, (_, i) => [0, 'value', 1, i]),
    [0, 'torn', 1, 9],
    [1, 'value', 1, 200],
  ]);
  expect(unkept.size).toBe(0);
  expect(arena.i32[CONTROL.evidenceSeen]).toBe(103);
});

test('a full area names the items of which nothing was kept', () => {
  const arena = arenaOf();
  const recorder = createRecorder(arena, VCPU_1);
  for (let item = 0; item < EVIDENCE_AREA.items - 1; item++) {
    arena.i32[CONTROL.planItem] = item;
    for (let i = 0; i < EVIDENCE_AREA.perKey; i++) {
      recorder.evidence(EVIDENCE.value, i, 1, 2, 0, 0, 0);
    }
  }
  const { recorded, unkept } = decodeEvidence(arena);
  expect(recorded).toHaveLength(EVIDENCE_AREA.records);
  const full = EVIDENCE_AREA.records / EVIDENCE_AREA.perKey;
  expect([...unkept]).toEqual(
    Array.from({ length: EVIDENCE_AREA.items - 1 - full }, (_, i) => full + i),
  );
});

describe('events around a piece of evidence', () => {
  const textsOf = (arena: Arena): string[] =>
    decodeEvidence(arena).recorded[0]?.events.map((e) => `${e.thread} ${e.sequence}`) ?? [];

  test('are the last of the thread and of the hypervisor, by the generation each had seen', () => {
    const arena = arenaOf();
    const hypervisor = createRecorder(arena, HYPERVISOR);
    const vcpu = createRecorder(arena, VCPU_1);
    arena.i32[CONTROL.tlbiGeneration] = 1;
    vcpu.event(EVENT.enter, 0, 0, 0);
    arena.i32[CONTROL.tlbiGeneration] = 2;
    hypervisor.event(EVENT.isb, 0, 0, 0);
    hypervisor.event(EVENT.dsb, 0, 0, 0);
    arena.i32[CONTROL.tlbiGeneration] = 3;
    vcpu.event(EVENT.leave, 0, 0, 0);
    vcpu.evidence(EVIDENCE.progress, 0, 10, 0, 0, 0, 0);
    vcpu.event(EVENT.enter, 0, 0, 0);
    expect(textsOf(arena)).toEqual(['vcpu 1 0', 'hypervisor 0', 'hypervisor 1', 'vcpu 1 1']);
  });

  test('are those of the vCPU it is about, if the hypervisor found it', () => {
    const arena = arenaOf();
    const hypervisor = createRecorder(arena, HYPERVISOR);
    createRecorder(arena, 1).event(EVENT.enter, 0, 0, 0);
    createRecorder(arena, VCPU_1).event(EVENT.leave, 0, 0, 0);
    hypervisor.event(EVENT.isb, 0, 0, 0);
    hypervisor.evidenceAbout(1, EVIDENCE.dirty, 5, 16, 17);
    expect(textsOf(arena)).toEqual(['hypervisor 0', 'vcpu 1 0']);
    expect(decodeEvidence(arena).recorded[0]?.evidence).toEqual({
      kind: 'dirty',
      vcpu: 1,
      round: 0,
      ipa: arena.layout.ipaBase + 5 * 4096,
      copied: 16,
      inMemory: 17,
    });
  });

  test('are the latest ones after the ring has turned over', () => {
    const arena = arenaOf();
    const vcpu = createRecorder(arena, VCPU_1);
    const count = EVENT_RING.records * 2 + 10;
    for (let i = 0; i < count; i++) vcpu.event(EVENT.enter, i, 0, 0);
    vcpu.evidence(EVIDENCE.progress, 0, 10, 0, 0, 0, 0);
    const last = Array.from({ length: EVIDENCE_AREA.snapshotEvents }, (_, i) => {
      return `vcpu 1 ${count - EVIDENCE_AREA.snapshotEvents + i}`;
    });
    expect(textsOf(arena)).toEqual(last);
  });
});
