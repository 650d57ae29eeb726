/**
 * The access mixes that ours and the native peer (native/peer.c, `MIXES`) both run: one vCPU, one
 * region of 512 pages of 4K in table state, pages drawn uniformly.
 */
import { DEFAULT_CPU } from '../src/arch/cpu-model.ts';
import type { Mix } from '../src/stress/thread/vcpu-alone.ts';

export const MIXES = {
  /** A TLB slot for every page: after 512 walks nothing misses. Loads: no branch is a coin toss. */
  'tlb-hit': { cpu: { ...DEFAULT_CPU, tlb: 512 }, storesPercent: 0 },
  /** No TLB and no walk cache: three descriptors for every access. */
  'walk-3-level': { cpu: { ...DEFAULT_CPU, tlb: 0, walkcache: false }, storesPercent: 0 },
  /** What a vCPU does between transitions in the default campaign: every second access misses. */
  mixed: { cpu: DEFAULT_CPU, storesPercent: 50 },
} as const satisfies Record<string, Mix>;

export type MixName = keyof typeof MIXES;

/** Accesses of one timed call, as in the peer: long beside a clock read, short beside a tick. */
export const CHUNK = 100_000;
