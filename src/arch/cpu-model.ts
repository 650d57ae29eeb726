/**
 * The knobs of the simulated CPU, all of them choices the architecture leaves to the
 * implementation.
 */
import type { BbmLevel } from './feat-bbm.ts';

/**
 * What a PE does with a block whose nT bit is set (R_MRRPW, I_XPRKH; SMMU IHI0070H.a 3.21.1 for
 * `ignored`).
 */
export const NT_BEHAVIOURS = ['translate', 'conflict', 'fault', 'ignored'] as const;
export type NtBehaviour = (typeof NT_BEHAVIOURS)[number];

/**
 * What a PE does when two TLB entries match one IPA (R_FVQCK). `amalgamate` needs a PE of BBM level
 * 0.
 */
export const MULTIHIT_BEHAVIOURS = ['abort', 'old', 'new', 'amalgamate'] as const;
export type MultihitBehaviour = (typeof MULTIHIT_BEHAVIOURS)[number];

export interface CpuModel {
  /** BBM level of each PE; PE `i` has `bbm[i % bbm.length]`. Protocols see the minimum. */
  readonly bbm: readonly BbmLevel[];
  readonly nt: NtBehaviour;
  readonly multihit: MultihitBehaviour;
  /** A prefetching walker fills entries for addresses nobody asked for. */
  readonly spec: boolean;
  /** The walker itself sets the access flag and dirty state (FEAT_HAFDBS). */
  readonly hafdbs: boolean;
  readonly ets: 'none' | 'ets2';
  /** Page entries per TLB structure; 0 is no TLB at all. A power of two. */
  readonly tlb: number;
  readonly walkcache: boolean;
}

export const DEFAULT_CPU: CpuModel = Object.freeze({
  bbm: Object.freeze([1 as BbmLevel]),
  nt: 'translate',
  multihit: 'abort',
  spec: false,
  hafdbs: false,
  ets: 'ets2',
  tlb: 256,
  walkcache: true,
});

/** `bbm=1,nt=translate,…` in the order and spelling of the command line. */
export function describeCpu(cpu: CpuModel): string {
  return [
    `bbm=${cpu.bbm.join('/')}`,
    `nt=${cpu.nt}`,
    `multihit=${cpu.multihit}`,
    `spec=${cpu.spec ? 'on' : 'off'}`,
    `hafdbs=${cpu.hafdbs ? 'on' : 'off'}`,
    `ets=${cpu.ets}`,
    `tlb=${cpu.tlb}`,
    `walkcache=${cpu.walkcache ? 'on' : 'off'}`,
  ].join(',');
}
