/**
 * Result of `stress`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { AnswerFigures } from './answer.ts';
import type { CampaignState } from './campaign-state.ts';
import type { Rule } from './rule.ts';
import type { Verdict } from './exit-code.ts';
import type { ResultHeader } from './header.ts';
import type { Trust } from './trust.ts';

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
  /** 95 % intervals over rounds, where there were rounds enough to tell. */
  readonly p50Interval?: readonly [lo: number, hi: number];
  readonly p99Interval?: readonly [lo: number, hi: number];
  /** Every value seen, in buckets (distribution.ts); absent in results that do not carry it. */
  readonly histogram?: string;
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
  /** Sightings by all vCPUs that may be of this rule, where more were counted than kept and judged. */
  readonly seen?: number;
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
  /** How often threads were started anew for it; absent: once. Intervals cover what differs. */
  readonly repeats?: number;
  readonly rounds: number;
  readonly roundsDropped: number;
  readonly transitions: number;
  readonly transitionsHit: number;
  /** Share of transitions that faulted at least one vCPU. */
  readonly hitShare: Estimate;
  readonly faults: FaultCounts;
  /** Faults of vCPUs that were away for more than one transition: nobody can say which one they met. */
  readonly faultsUnattributed: number;
  /** Most exits in a row of one access, because its entry was LOCKED each time (v6.2: -EAGAIN). */
  readonly longestRefaultLoop?: number;
  readonly spuriousPerTransition: Estimate;
  /** Of the same rounds as `hitShare`. */
  readonly faultsPerTransition?: FaultCounts;
  /** Where fewer than ten rounds were undisturbed, shares and rates of faults are of all. */
  readonly sharesOf?: 'undisturbed rounds' | 'all rounds';
  readonly accesses: { readonly issued: number; readonly completed: number; readonly lost: number };
  readonly windowNs: Percentiles;
  readonly ntWindowNs: Percentiles;
  readonly episodeNs: Percentiles;
  readonly flushNs: Percentiles;
  readonly lockNs: Percentiles;
  /** Accesses per second, all vCPUs together. */
  readonly throughput: { readonly during: number | null; readonly baseline: number | null };
  /** Means with their 95 % intervals over rounds. */
  readonly means?: RunMeans;
  /** Rounds left out of times because their item had not settled yet (stress/warm-up.ts). */
  readonly roundsWarmUp?: number;
  /** How far times and rates may be relied on, and what the row says of "is it worth it". */
  readonly trust?: Trust;
  readonly answer?: AnswerFigures;
  /** Per transition. */
  readonly descriptorWrites: number;
  readonly tlbis: number;
  readonly refills: number;
  /** Scenario page-table-test only. */
  readonly stages?: readonly StageFigures[];
  /** Scenarios with a second VM only. */
  readonly neighbour?: NeighbourFigures;
  /** Scenarios of a migration only. */
  readonly migration?: MigrationFigures;
  readonly verdict: Verdict;
  /** In the default campaign a known broken claim is shown and does not turn the verdict: why. */
  readonly exhibit: string | null;
  readonly violations: readonly Violation[];
  /** What is no violation and still worth knowing of this protocol's steps. */
  readonly notes: readonly string[];
  /** Of a merged result with several machines: index into `merged.machines`. */
  readonly machine?: number;
}

export interface RunMeans {
  /** Accesses per second, all vCPUs together; null as in `throughput`. */
  readonly during: Estimate | null;
  readonly baseline: Estimate | null;
  /** Walks per transition. */
  readonly refills: Estimate;
}

/** One stage of kvm_page_table_test, per run of the test. */
export interface StageFigures {
  readonly name: 'CREATE' | 'UPDATE' | 'ADJUST';
  /** From the start to the last vCPU's end. */
  readonly ns: Estimate;
  /** All vCPUs together. */
  readonly faults: Pick<FaultCounts, 'spurious' | 'genuine' | 'retry'>;
}

/** What a second VM on the same vCPU threads did meanwhile. */
export interface NeighbourFigures {
  readonly accesses: number;
  /** Accesses that had to walk: a TLB that nobody flushed needs none. */
  readonly refills: number;
  /** Times its VMID was given to another VM. */
  readonly rollovers: number;
}

/** What scenarios of a migration count beside transitions. */
export interface MigrationFigures {
  /** Begun. */
  readonly count: number;
  /** Per migration, with the first copy of all memory and the pass at the end. */
  readonly pagesSent: number;
  /** Of any kind, per migration, while dirty logging was on. */
  readonly loggingFaults: number;
  /** Per cancelled migration, from logging off to the last block; null where none was cancelled. */
  readonly cancel: {
    readonly coalesceNs: Estimate;
    readonly faults: Estimate;
    /**
     * Guest accesses, all vCPUs together, that would have been made in that time with nothing going
     * on, less those that were; null where vCPUs take turns. Below zero: faster than idle.
     */
    readonly accessesLost: Estimate | null;
  } | null;
}

/** Proof of this very run that the checker can fail. */
export interface ControlResult {
  readonly name: string;
  readonly rule: Rule;
  readonly caught: boolean;
  /** The correct twin under the same settings was not accused. */
  readonly twinClean: boolean;
  /** Of a missed control without which a run can be judged: what it then has not shown. */
  readonly standsFor?: string;
  readonly seconds: number;
  readonly detail: string;
}

export interface StressResult extends ResultHeader<'stress'> {
  /** What a reader should know beside the verdict: a busy machine, rows without time. Absent: nothing. */
  readonly remarks?: readonly string[];
  readonly controls: readonly ControlResult[];
  readonly runs: readonly StressRun[];
  /** Absent in results that were merged, and that no program can go on from. */
  readonly campaign?: CampaignState;
}
