/**
 * Every figure of a row of `stress`, once: its name in the JSON, its kind (kinds.ts), what it is made
 * from and the column that shows it. The order is that of the JSON and of the columns.
 *
 * A new figure is a line in FIGURES, and one in SOURCES if it is of something that was not counted
 * before. Plain data: threads load it.
 */
import type { Block, Count, Plain, Rate, Table } from './kinds.ts';

/**
 * What is counted in a round, and by whom. `vcpu`: a word of each vCPU (`VCPU` of machine/layout.ts),
 * added up; `vcpu most`: the largest. `transition`: a word of each transition's record
 * (`TRANSITION`), added up over the measured ones. `workload`: what the scenario's workload hands to
 * `addFigure`. `collector`: what stress/thread/round-collector.ts finds itself.
 */
export const SOURCES = {
  round: 'collector',
  /** A thread was preempted: counts stand, times are not used. */
  dropped: 'collector',
  transitions: 'collector',
  hit: 'collector',
  spurious: 'transition',
  genuine: 'transition',
  retry: 'transition',
  nt: 'transition',
  conflict: 'transition',
  issued: 'vcpu',
  completed: 'vcpu',
  inFlight: 'vcpu',
  walks: 'vcpu',
  durationNs: 'collector',
  writes: 'transition',
  tlbis: 'transition',
  ambiguous: 'vcpu',
  /** 1 if the round had a sign that was looked for (signs.ts). */
  signed: 'collector',
  /** Scenarios of a migration: those begun, pages sent, faults of any kind while logging was on. */
  migrations: 'workload',
  pagesSent: 'workload',
  loggingFaults: 'workload',
  /** Cancelled ones; from logging off to the last block: ns, accesses completed, faults. */
  cancels: 'workload',
  cancelNs: 'workload',
  cancelAccesses: 'workload',
  cancelFaults: 'workload',
  /** 1 if the round belongs to the warm-up of its item (warm-up.ts): as if dropped. */
  warmUp: 'collector',
  /** 1 in the last round of a warm-up that never settled. */
  unsettled: 'collector',
  /** Time in episodes, all vCPUs together, ns. */
  episodeNs: 'collector',
  /** 1 if a baseline round ran on blocks. */
  onBlocks: 'collector',
  /** Scenarios with a second VM: its accesses, the walks they took, VMIDs given to another. */
  neighbourAccesses: 'vcpu',
  neighbourWalks: 'vcpu',
  rollovers: 'workload',
  /** Most exits in a row of one access because its entry was LOCKED. */
  longestLoop: 'vcpu most',
} as const satisfies Record<string, 'collector' | 'vcpu' | 'vcpu most' | 'transition' | 'workload'>;
export type Source = keyof typeof SOURCES;

/** Durations that are kept as histograms: of transitions (`windowNs` of `TRANSITION` …) or vCPUs. */
export const HISTOGRAMS = {
  window: 'transition',
  ntWindow: 'transition',
  flush: 'transition',
  lock: 'transition',
  episode: 'vcpu',
} as const satisfies Record<string, 'transition' | 'vcpu'>;

const count = (of: Source, column?: Count['column']): Count<Source> =>
  column === undefined ? { kind: 'count', of } : { kind: 'count', of, column };
const mean = (of: Source) => ({ kind: 'mean', of, per: 'transitions' }) as const;
const perTransition = (of: Source): Rate<Source> => ({ kind: 'rate', of, per: 'transitions' });
const block = <const B extends string>(name: B): Block<B> & { readonly optional: false } => ({
  kind: 'block',
  block: name,
  optional: false,
});
const extra = <const B extends string>(name: B): Block<B> & { readonly optional: true } => ({
  kind: 'block',
  block: name,
  optional: true,
});
/** Spurious faults are the question: their zero is an answer. The others need to have happened. */
const faults = (
  of: 'spurious' | 'genuine' | 'retry' | 'nt' | 'conflict',
  title: string,
  legend: string,
): Plain<Rate<Source>> => ({
  kind: 'plain',
  of: perTransition(of),
  column: {
    group: 'faults/transition',
    title,
    legend,
    ...(of === 'spurious' ? {} : { unlessZero: `faults.${of}` }),
  },
});

const GUEST_LEGEND =
  'guest: accesses of all vCPUs together during transitions, and relative to none running';

export const FIGURES = {
  /** How often threads were started anew, and fresh starts in all of them. */
  rounds: count('round', {
    title: 'rounds',
    legend: 'rounds: fresh starts, the unit of statistics',
  }),
  roundsDropped: count('dropped'),
  /** Rounds left out of times because their item had not settled yet (stress/thread/warm-up.ts). */
  roundsWarmUp: count('warmUp'),
  transitions: count('transitions', {
    title: 'transitions',
    legend: 'transitions: runs of the protocol on one entry',
  }),
  /** Those that faulted at least one vCPU. */
  transitionsHit: count('hit'),
  hitShare: {
    kind: 'share',
    of: 'hit',
    among: 'transitions',
    column: {
      title: 'hit',
      legend:
        'hit: share of transitions that faulted a vCPU [95 % interval over rounds and repeats]; ' +
        'none of N is <3/N',
    },
  },
  faults: {
    spurious: count('spurious'),
    genuine: count('genuine'),
    retry: count('retry'),
    /** Translation faults because of nT=1 (a PE of `nt=fault`). */
    nt: count('nt'),
    conflict: count('conflict'),
  },
  /** Faults of vCPUs that were away for more than one transition: nobody can say which they met. */
  faultsUnattributed: count('ambiguous'),
  /** Most exits in a row of one access, because its entry was LOCKED each time (v6.2: -EAGAIN). */
  longestRefaultLoop: { kind: 'most', of: 'longestLoop' },
  spuriousPerTransition: perTransition('spurious'),
  /** Of the same rounds as `hitShare`. */
  faultsPerTransition: {
    spurious: faults(
      'spurious',
      'spurious',
      'spurious: translation faults on memory mapped before and after, per transition',
    ),
    genuine: faults(
      'genuine',
      'genuine',
      'genuine: faults on what was really unmapped or not permitted, per transition',
    ),
    retry: faults(
      'retry',
      'retry',
      'retry: further exits of one access, its entry still locked or invalid, per transition',
    ),
    nt: faults(
      'nt',
      'nT',
      'nT faults: translation faults of a CPU that faults on nT blocks, per transition',
    ),
    conflict: faults('conflict', 'conflict', 'conflict: TLB conflict aborts, per transition'),
  },
  /** Where fewer than ten rounds were undisturbed, shares and rates of faults are of all. */
  sharesOf: block('sharesOf'),
  accesses: {
    issued: count('issued'),
    completed: count('completed'),
    lost: { kind: 'balance', of: 'issued', less: ['completed', 'inFlight'] },
  },
  windowNs: {
    kind: 'time',
    histogram: 'window',
    column: {
      group: 'window',
      ranks: ['p50', 'p99', 'max'],
      legend: 'window: from the store that makes the entry invalid to the one that makes it valid',
    },
  },
  ntWindowNs: {
    kind: 'time',
    histogram: 'ntWindow',
    column: {
      group: 'nT',
      ranks: ['p50'],
      legend: 'nT: from the store of the block with nT set to the one without',
    },
  },
  episodeNs: {
    kind: 'time',
    histogram: 'episode',
    column: {
      group: 'episode',
      ranks: ['p50', 'p99'],
      legend: "episode: from an access's first spurious fault to its completion",
    },
  },
  flushNs: {
    kind: 'time',
    histogram: 'flush',
    column: {
      group: 'flush',
      ranks: ['p50'],
      legend: 'flush: wait for every vCPU to have done the TLBIs, per DSB',
    },
  },
  lockNs: {
    kind: 'time',
    histogram: 'lock',
    column: {
      group: 'lock',
      ranks: ['p50'],
      legend: "lock: time under the VM's lock, per transition",
    },
  },
  /** Scenario page-table-test only. */
  stages: extra('stages'),
  /** Scenarios of a migration only. */
  migration: extra('migration'),
  /** What a second VM on the same vCPU threads did meanwhile. */
  neighbour: {
    kind: 'group',
    when: 'neighbourAccesses',
    figures: {
      accesses: count('neighbourAccesses', {
        group: 'second VM',
        title: 'accesses',
        legend: 'second VM, accesses: made by it between two entries of the VM under test',
      }),
      /** Accesses that had to walk: a TLB that nobody flushed needs none. */
      refills: count('neighbourWalks', {
        group: 'second VM',
        title: 'refills',
        legend: 'second VM, refills: of its TLB entry, per transition of the VM under test',
        perTransition: true,
      }),
      /** Times its VMID was given to another VM. */
      rollovers: count('rollovers'),
    },
  },
  /** Accesses per second, all vCPUs together; `means` has them with their intervals. */
  throughput: {
    during: {
      kind: 'plain',
      of: { kind: 'speed', rounds: 'kept' },
      column: {
        group: 'guest',
        title: 'M/s',
        legend: GUEST_LEGEND,
        relative: { to: 'throughput.baseline', title: '% of idle' },
      },
    },
    baseline: { kind: 'plain', of: { kind: 'speed', rounds: 'idle' } },
  },
  means: {
    during: { kind: 'speed', rounds: 'kept' },
    baseline: { kind: 'speed', rounds: 'idle' },
    refills: perTransition('walks'),
  },
  /** Per transition. */
  descriptorWrites: mean('writes'),
  tlbis: mean('tlbis'),
  refills: mean('walks'),
  /** How far times and rates may be relied on, and what the row says of "is it worth it". */
  trust: block('trust'),
  answer: block('answer'),
} as const satisfies Table<Source>;
