/** A second VM on a vCPU's thread: what it finds wrong, and that a flush of the first is not it. */
import { describe, expect, test } from 'vitest';
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { createArena } from '../../src/machine/arena.ts';
import { CONTROL, NEIGHBOUR_VMID, VCPU, VMID } from '../../src/machine/layout.ts';
import { createMmu } from '../../src/machine/walk/mmu.ts';
import { createNeighbour, neighbourBlock } from '../../src/machine/vcpu/neighbour.ts';
import { createRecorder } from '../../src/machine/recorder.ts';
import { decodeEvidence } from '../../src/stress/results/decode.ts';

const TURN = 32;

function twoVms() {
  const arena = createArena({
    granule: '64k',
    level: 2,
    blocks: 1,
    vcpus: 1,
    transitionsMax: 1,
    hasNeighbours: true,
  });
  const { i32, layout, descriptors } = arena;
  const recorder = createRecorder(arena, 1);
  const { tlbs } = createMmu(arena, 0, DEFAULT_CPU, 'wasm', recorder);
  const steps: string[] = [];
  const neighbour = createNeighbour(arena, 0, tlbs, DEFAULT_CPU.tlb, recorder, {
    enter: () => void steps.push('enter'),
    leave: () => void steps.push('leave'),
    poll: () => {},
  });
  // With 64 KiB pages the start table holds the block itself.
  const block = 15 + layout.ipaBase / 2 ** 29;
  for (const which of [0, 1]) {
    const table = layout.startPages + which;
    descriptors[table * layout.entriesPerTable + block] = neighbourBlock(arena, which);
  }
  return {
    run: (number: number) => {
      i32[CONTROL.neighbour] = number;
      return neighbour.run(12_345);
    },
    walks: () => i32[layout.vcpuW + VCPU.neighbourWalks],
    flush: (vmid: number) => {
      tlbs.combined.invalidate(vmid, 0, layout.pages, 0);
      tlbs.stage2.invalidate(vmid, 0, layout.pages, 0);
    },
    evidence: () => [...new Set(decodeEvidence(arena).recorded.map((r) => r.evidence.kind))],
    steps,
  };
}

test('walks once, whatever the first VM flushes, and is in the guest meanwhile', () => {
  const m = twoVms();
  expect([m.run(0), m.run(0)]).toEqual([TURN, TURN]);
  m.flush(VMID);
  expect(m.run(0)).toBe(TURN);
  expect([m.walks(), m.evidence()]).toEqual([1, []]);
  expect(m.steps).toEqual(['enter', 'leave', 'enter', 'leave', 'enter', 'leave']);
});

test('does not run while none may', () => {
  const m = twoVms();
  expect([m.run(-1), m.steps]).toEqual([0, []]);
});

describe('is written down', () => {
  test('an entry that went with a flush of its own VMID', () => {
    const m = twoVms();
    m.run(0);
    m.flush(NEIGHBOUR_VMID);
    m.run(0);
    expect(m.evidence()).toEqual(['neighbour']);
  });

  test('not one that went with a flush of all VMIDs', () => {
    const m = twoVms();
    m.run(0);
    m.flush(-1);
    m.run(0);
    expect([m.walks(), m.evidence()]).toEqual([2, []]);
  });

  test('the memory of who had the VMID before, unless it was flushed', () => {
    const reused = twoVms();
    reused.run(0);
    reused.run(1);
    expect(reused.evidence()).toEqual(['foreign']);
    const flushed = twoVms();
    flushed.run(0);
    flushed.flush(-1);
    flushed.run(1);
    expect(flushed.evidence()).toEqual([]);
  });
});
