/**
 * How fast is a guest access that hits the TLB, from the first one on? Measured in a process of its
 * own (workers/access-speed.ts), whose compilers may be switched off.
 */
import { DEFAULT_CPU } from '../arch/cpu-model.ts';
import { createVcpuAlone } from '../stress/thread/vcpu-alone.ts';

export interface AccessSpeed {
  /** Of the fastest quarter of the second half of the chunks: what the loop can do in the end. */
  readonly settledNs: number;
  /** Accesses before the first chunk that was within a quarter of that. */
  readonly warmUpAccesses: number;
}

const CHUNK = 2_000;
/** With the interpreter alone about half a second. */
const CHUNKS = 2_000;
/** A TLB slot for every page, and loads only: after one walk per page nothing misses. */
const MIX = { cpu: { ...DEFAULT_CPU, tlb: 512 }, storesPercent: 0 };

export function measureAccesses(): AccessSpeed {
  const vcpu = createVcpuAlone(MIX);
  const perAccessNs = new Float64Array(CHUNKS);
  for (let chunk = 0; chunk < CHUNKS; chunk++) {
    const startMs = performance.now();
    vcpu.runAccesses(CHUNK);
    perAccessNs[chunk] = ((performance.now() - startMs) * 1e6) / CHUNK;
  }
  vcpu.assertClean();
  return speedOf(perAccessNs, CHUNK);
}

const NEAR = 1.25;

/** Pure: from ns per access, chunk by chunk. A chunk that lost its CPU is slow, never fast. */
export function speedOf(perAccessNs: Float64Array, chunk: number): AccessSpeed {
  const later = perAccessNs.slice(perAccessNs.length >> 1).sort();
  const settledNs = later[later.length >> 2] as number;
  const at = perAccessNs.findIndex((ns) => ns <= NEAR * settledNs);
  return { settledNs, warmUpAccesses: at * chunk };
}
