/**
 * The knobs of the simulated CPU, all of them choices the architecture leaves to the
 * implementation.
 */
import type { VmidBits } from './context.ts';
import { type BbmLevel, idAa64Mmfr2, sanitisedBbmLevel } from './feat-bbm.ts';

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

/**
 * How the completion of a broadcast TLBI falls short on cores with an erratum. In each case a second
 * broadcast TLBI, of any kind, issued after the DSB of the first, makes up for it once its own DSB is
 * done; but for `ipi`, which takes an interrupt to each PE.
 *
 *   late-writes   entries are gone, but stores they translated may take effect later (4118414,
 *                 CVE-2025-10263: most large cores since Cortex-A76)
 *   repeat        entries may still be used (1286807, 2441007, 2441009)
 *   ipi           entries are gone, but accesses they translated may take effect later (4193714)
 */
export const TLBI_COMPLETIONS = ['ok', 'late-writes', 'repeat', 'ipi'] as const;
export type TlbiCompletion = (typeof TLBI_COMPLETIONS)[number];

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
  readonly tlbi: TlbiCompletion;
  /**
   * What hardware makes dirty it appends to a ring of the PE (FEAT_HDBSS). The architecture has it with
   * hardware dirty state only (VTCR_EL2.HDBSS needs HA and HD), so it brings `hafdbs` along.
   */
  readonly hdbss: boolean;
  /**
   * What ID_AA64MMFR2_EL1.BBM says where it says less than the PEs do, as on AmpereOne; null: what they
   * do. Protocols see this one.
   */
  readonly bbmid: BbmLevel | null;
  /** Width of a VMID; numbers that do not fit lose their upper byte (context.ts). */
  readonly vmid: VmidBits;
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
  tlbi: 'ok',
  hdbss: false,
  bbmid: null,
  vmid: 16,
});

/** The knobs as results have them, in the order and spelling of the command line. */
export interface CpuText {
  readonly bbm: string;
  readonly nt: string;
  readonly multihit: string;
  readonly spec: string;
  readonly hafdbs: string;
  readonly ets: string;
  readonly tlb: number;
  readonly walkcache: string;
  /** Errata, rings and odd ID fields: absent on a CPU that has none. */
  readonly tlbi?: string;
  readonly hdbss?: string;
  readonly bbmid?: string;
  /** Absent: 16 bits. */
  readonly vmid?: string;
}

const onOff = (on: boolean): string => (on ? 'on' : 'off');

export function cpuResultOf(cpu: CpuModel): CpuText {
  return {
    bbm: cpu.bbm.join('/'),
    nt: cpu.nt,
    multihit: cpu.multihit,
    spec: onOff(cpu.spec),
    hafdbs: onOff(cpu.hafdbs),
    ets: cpu.ets,
    tlb: cpu.tlb,
    walkcache: onOff(cpu.walkcache),
    ...(cpu.tlbi === 'ok' ? {} : { tlbi: cpu.tlbi }),
    ...(cpu.hdbss ? { hdbss: onOff(true) } : {}),
    ...(cpu.bbmid === null ? {} : { bbmid: String(cpu.bbmid) }),
    ...(cpu.vmid === 16 ? {} : { vmid: String(cpu.vmid) }),
  };
}

/** `bbm=1,nt=translate,…` */
export function describeCpu(cpu: CpuModel): string {
  return Object.entries(cpuResultOf(cpu))
    .map(([name, value]) => `${name}=${value}`)
    .join(',');
}

/**
 * The CPU a protocol runs on: the default one, over it the one the protocol was written for, over
 * that the flags. A system whose PEs are all of level 3 never aborts, so unless somebody asked for
 * a behaviour it is `old`; and one with rings sets dirty state, unless somebody said that it does not.
 */
export function cpuFor(
  protocol: { readonly cpu?: Partial<CpuModel> },
  overrides: Partial<CpuModel>,
): CpuModel {
  const said = { ...protocol.cpu, ...overrides };
  const hafdbs = said.hafdbs ?? said.hdbss ?? DEFAULT_CPU.hafdbs;
  const cpu = { ...DEFAULT_CPU, ...said, hafdbs };
  const asked = overrides.multihit ?? protocol.cpu?.multihit;
  return asked === undefined && cpu.bbm.every((level) => level === 3)
    ? { ...cpu, multihit: 'old' }
    : cpu;
}

/** The BBM level that protocols see: what every PE's ID field announces. */
export function announcedBbm({ bbm, bbmid }: CpuModel): BbmLevel {
  const level = sanitisedBbmLevel(bbm.map((field) => idAa64Mmfr2(field)));
  return bbmid === null ? level : (Math.min(level, bbmid) as BbmLevel);
}

/** Why no machine can be like that, and what would be right; null if one can. */
export function cpuProblem(cpu: CpuModel): string | null {
  const bbm = cpu.bbm.join('/');
  const least = Math.min(...cpu.bbm);
  if (cpu.bbmid !== null && cpu.bbmid > least) {
    return (
      `bbmid=${cpu.bbmid} announces more than bbm=${bbm} can do: give bbmid=${least} or less, or ` +
      'leave it out'
    );
  }
  if (cpu.hdbss && !cpu.hafdbs) {
    return (
      'hdbss=on appends to a ring what hardware makes dirty, and with hafdbs=off it makes nothing ' +
      'dirty: leave hafdbs out, or give hafdbs=on'
    );
  }
  if (cpu.multihit === 'amalgamate' && !cpu.bbm.includes(0)) {
    return (
      `multihit=amalgamate needs a PE of BBM level 0, but bbm=${bbm}: ` +
      'give bbm=0, or multihit=abort|old|new'
    );
  }
  if (cpu.multihit === 'abort' && cpu.bbm.every((level) => level === 3)) {
    return (
      `multihit=abort cannot be with bbm=${bbm}, which never aborts: ` +
      'give multihit=old|new, or bbm=0..2'
    );
  }
  return null;
}
