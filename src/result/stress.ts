/**
 * Result of `stress`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { Rule } from './rule.ts';
import type { Verdict } from './exit-code.ts';
import type { ResultHeader } from './header.ts';

/** A value with its 95 % interval over rounds. */
export interface Estimate {
  readonly value: number;
  readonly lo: number;
  readonly hi: number;
}

/** Nanoseconds; null where nothing was observed. */
export interface Percentiles {
  readonly p50: number | null;
  readonly p99: number | null;
  readonly max: number | null;
  readonly count: number;
}

export interface FaultCounts {
  readonly spurious: number;
  readonly genuine: number;
  readonly retry: number;
  /** Translation faults because of nT=1 (a PE of `nt=fault`). */
  readonly nt: number;
  readonly conflict: number;
}

/** One line of the merged table of last events. */
export interface ViolationEvent {
  /** `hypervisor` or `vcpu n`. */
  readonly thread: string;
  /** TLBI generation the thread had seen: orders events of different threads. */
  readonly generation: number;
  readonly sequence: number;
  readonly text: string;
}

export interface Violation {
  readonly rule: Rule;
  /** One sentence of why. */
  readonly why: string;
  /** Null where no single vCPU, address or round is concerned. */
  readonly vcpu: number | null;
  readonly ipa: string | null;
  readonly round: number | null;
  /** How often this same violation was seen in the run. */
  readonly count: number;
  readonly events: readonly ViolationEvent[];
  /** The command that runs the same configuration in the explorer. */
  readonly exploreCommand: string;
}

export interface CpuResult {
  readonly bbm: string;
  readonly nt: string;
  readonly multihit: string;
  readonly spec: string;
  readonly hafdbs: string;
  readonly ets: string;
  readonly tlb: number;
  readonly walkcache: string;
}

export interface StressRun {
  readonly scenario: string;
  readonly protocol: string;
  readonly mutant: string | null;
  readonly cpu: CpuResult;
  readonly granule: string;
  readonly level: number;
  readonly vcpus: number;
  /** True parallelism, or vCPUs that take turns because there are more of them than cores. */
  readonly scheduling: 'parallel' | 'scheduled';
  readonly reorder: boolean;
  readonly access: string;
  /** Delays put into the protocol, as on the command line (`tlbi=2000,dsb=50`); empty: none. */
  readonly delays: string;
  readonly rounds: number;
  readonly roundsDropped: number;
  readonly transitions: number;
  readonly transitionsHit: number;
  /** Share of transitions that faulted at least one vCPU. */
  readonly hitShare: Estimate;
  readonly faults: FaultCounts;
  /** Faults of vCPUs that were away for more than one transition: nobody can say which one they met. */
  readonly faultsUnattributed: number;
  readonly spuriousPerTransition: Estimate;
  readonly accesses: { readonly issued: number; readonly completed: number; readonly lost: number };
  readonly windowNs: Percentiles;
  readonly ntWindowNs: Percentiles;
  readonly episodeNs: Percentiles;
  readonly flushNs: Percentiles;
  readonly lockNs: Percentiles;
  /** Accesses per second, all vCPUs together. */
  readonly throughput: { readonly during: number | null; readonly baseline: number | null };
  /** Per transition. */
  readonly descriptorWrites: number;
  readonly tlbis: number;
  readonly refills: number;
  readonly verdict: Verdict;
  /** In the default campaign a known broken claim is shown and does not turn the verdict: why. */
  readonly exhibit: string | null;
  readonly violations: readonly Violation[];
  /** What is no violation and still worth knowing of this protocol's steps. */
  readonly notes: readonly string[];
}

/** Proof of this very run that the checker can fail. */
export interface ControlResult {
  readonly name: string;
  readonly rule: Rule;
  readonly caught: boolean;
  /** The correct twin under the same settings was not accused. */
  readonly twinClean: boolean;
  readonly seconds: number;
  readonly detail: string;
}

export interface StressResult extends ResultHeader<'stress'> {
  readonly controls: readonly ControlResult[];
  readonly runs: readonly StressRun[];
}
