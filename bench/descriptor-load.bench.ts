/**
 * Which 64-bit descriptor load should the walker use? Only `wasm` and `atomics` are atomic by
 * specification, and `atomics` makes garbage.
 */
import { createArena } from '../src/machine/arena.ts';
import {
  ACCESS_MODES,
  type AccessMode,
  createDescriptorLoad,
} from '../src/machine/walk/descriptor-load.ts';
import { VCPU } from '../src/machine/layout.ts';
import { answer } from './answer.ts';
import { CHUNK } from './mixes.ts';
import { nsOf, type Question, type Subject } from './question.ts';
import { rateOf } from './rate.ts';

const ENTRIES_MASK = 511;

export const question: Question = {
  name: 'descriptor-load',
  asks: 'one 64-bit atomic descriptor load, both halves looked at',
  unit: 'loads/s',
  variants: ACCESS_MODES,
  hasPeer: false,
  aim: null,
  open: (variant) => openLoads(variant as AccessMode),
  conclude: (runs) =>
    `descriptor-load: ${runs.map((r, i) => `${ACCESS_MODES[i]} ${nsOf(r.ours).toFixed(1)} ns`).join(', ')}`,
};

function openLoads(access: AccessMode): Subject {
  const arena = createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 4 });
  const { i32, layout } = arena;
  const scratchW = layout.vcpuW + VCPU.scratch;
  const load = createDescriptorLoad(arena.handle.memory, scratchW * 4, access);
  let sum = 0;

  function loads(): void {
    let total = 0;
    for (let i = 0; i < CHUNK; i++) {
      const low = load(layout.tablesB + (i & ENTRIES_MASK) * 8);
      total = (total + low + (i32[scratchW + 1] as number)) | 0;
    }
    sum ^= total;
  }

  return {
    sample: (ms) => rateOf(loads, CHUNK, ms),
    close() {
      // Read, so that the loads are not dead code.
      if (!Number.isInteger(sum)) throw new Error('unreachable');
    },
  };
}

if (import.meta.main) await answer(question, import.meta.url);
