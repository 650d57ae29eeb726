/**
 * A group: everything that runs on one arena with one set of threads, its rounds interleaved so
 * that the protocols in it are compared under the same conditions. Plain data, posted to every
 * worker of the group.
 */
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { AccessMode } from '../../machine/walk/descriptor-load.ts';
import type { ArenaHandle } from '../../machine/arena.ts';
import type { Delay } from '../../machine/hypervisor/delays.ts';
import type { Pattern } from '../../machine/vcpu/guest-pattern.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Sign } from '../results/signs.ts';

/** Where a protocol comes from: a worker loads it by this, functions do not cross threads. */
export type ProtocolSource =
  | { readonly from: 'built-in'; readonly name: string }
  /** `explored`: the same bug as a protocol of the kind it is about (mutants/mutant.ts). */
  | { readonly from: 'mutant'; readonly name: string; readonly explored?: true }
  | { readonly from: 'file'; readonly name: string; readonly path: string }
  | { readonly from: 'sequence'; readonly name: string; readonly text: string };

/** One row of the result: a protocol on a CPU. */
export interface PlanItem {
  readonly protocol: ProtocolSource;
  readonly cpu: CpuModel;
  readonly bug: MachineBug | null;
  /**
   * Of kind map, beside one that coalesces or unmaps: vCPUs that fault on the entry run this in their
   * handler. Absent: the harness's own repair.
   */
  readonly faults?: ProtocolSource;
  /** Its broken claim is shown and not judged. */
  readonly isExhibit?: true;
}

export interface GroupPlan {
  readonly arena: ArenaHandle;
  /** Round rows and histograms (results-area.ts). */
  readonly results: SharedArrayBuffer;
  readonly scenario: string;
  readonly items: readonly PlanItem[];
  /** A second hypervisor's thread runs this protocol at the same entries (makers/). */
  readonly against?: ProtocolSource;
  readonly seed: number;
  readonly access: AccessMode;
  readonly pattern: Pattern;
  readonly storesPercent: number;
  /** Guest accesses between voluntary exits. */
  readonly exitEvery: number;
  /** Poll for TLBIs before each access, or only between batches (machine/vcpu/accesses.ts). */
  readonly pollsEachAccess: boolean;
  /** Entries to the guest and TLBIs meet at one moment, and the host is busy (machine/vcpu/entry-race.ts). */
  readonly racesEntry: boolean;
  /** Transitions measured per round. */
  readonly transitions: number;
  /** Mean pause between transitions, in which TLBs fill again. */
  readonly gapNs: number;
  /** The hypervisor's stores drain late and out of order (machine/hypervisor/store-buffer.ts). */
  readonly reorder: boolean;
  readonly delays: readonly Delay[];
  /**
   * Rounds of transitions at most; the main thread may end the group earlier by the finish word.
   */
  readonly roundsMax: number;
  /** Rounds of transitions that an earlier part of the campaign has run; they count for `roundsMax`. */
  readonly roundsBefore?: number;
  /** CPUs to pin to (pinning.ts), or null. */
  readonly pin: readonly number[] | null;
  /** vCPUs that may run at once, beside the hypervisor. */
  readonly tokens: number;
  /** Spins before a wait sleeps; 0 where threads outnumber cores. */
  readonly spins: number;
  /** What to look out for (signs.ts): rounds that had any are counted. Empty: nothing. */
  readonly signs: readonly Sign[];
  /** End the group at the first sign. */
  readonly stopsAtSign: boolean;
  /** An item that has shown a sign runs no more; the others go on. */
  readonly retiresAtSign?: boolean;
  /** No rounds without transitions: nobody asks how fast guests are, and the first round is a real one. */
  readonly omitsBaseline?: true;
  /** Other programs have the CPUs: vCPUs sleep between batches of accesses (machine/vcpu/rounds.ts). */
  readonly naps?: true;
  /** End the group after the first round in which a rule was broken (first-violation.ts). */
  readonly failsFast?: boolean;
}

export const ROUND_KIND = { transitions: 0, baseline: 1, end: 2 } as const;

/** Every this many rounds of transitions, one without any, for the baseline of guest throughput. */
export const BASELINE_EVERY = 16;

/**
 * Number, from 1, of the round that follows `n` rounds of transitions and the baseline rounds among
 * them.
 */
export function roundAfter(n: number): number {
  return n + Math.ceil(n / (BASELINE_EVERY - 1)) + 1;
}

/**
 * Which item runs in round `n` (from 0): A B C, C B A, A B C … so that drift of the machine's speed
 * falls on all alike.
 */
export function itemOfRound(n: number, items: number): number {
  const lap = Math.floor(n / items);
  const at = n % items;
  return lap % 2 === 0 ? at : items - 1 - at;
}

/**
 * Which of these items has had the fewest rounds, of several the one named first. Where items retire, one
 * that is to be seen does not wait for its twin.
 */
export function itemBehind(items: readonly number[], roundsOf: (item: number) => number): number {
  return items.reduce((least, item) => (roundsOf(item) < roundsOf(least) ? item : least));
}
