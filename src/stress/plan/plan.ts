/**
 * What a stress campaign is asked to do, resolved and checked: plain data between the command line,
 * which fills it in, and the engine, which carries it out. Also the progress the engine reports
 * while it does.
 *
 * Limits stand here because both sides rely on them: the command line refuses what exceeds one, the
 * engine sizes its memory by it.
 */
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { BlockLevel, Granule } from '../../arch/geometry.ts';
import type { Delay } from '../../machine/hypervisor/delays.ts';
import type { AccessMode } from '../../machine/walk/descriptor-load.ts';
import type { Pattern } from '../../machine/vcpu/guest-pattern.ts';
import type { ProtocolKind } from '../../port/kinds.ts';
import type { Shard } from '../../result/shard.ts';
import type { Earlier } from '../../result/stress.ts';
import type { Pinning } from '../process/pinning.ts';
import type { ProtocolSource } from './group.ts';

export { ACCESS_MODES, type AccessMode } from '../../machine/walk/descriptor-load.ts';
export { type Delay, DELAY_SITES, type DelaySite } from '../../machine/hypervisor/delays.ts';
export { type Pattern, PATTERNS } from '../../machine/vcpu/guest-pattern.ts';
export type { Pinning } from '../process/pinning.ts';
export { VCPUS_MAX } from '../../machine/layout.ts';

/**
 * A protocol to run. `named` is false where it came in through `all`: an exhibit then stays an
 * exhibit.
 */
export type ProtocolRef =
  | { readonly from: 'built-in'; readonly name: string; readonly named: boolean }
  | { readonly from: 'file'; readonly name: string; readonly named: true; readonly path: string }
  | {
      readonly from: 'sequence';
      readonly name: string;
      readonly named: true;
      readonly text: string;
    };

type FileSource = Extract<ProtocolSource, { readonly from: 'file' }>;

export interface Resume {
  readonly earlier: Earlier;
  /** `timeMs` is for what is missing; otherwise that gets what the earlier parts left. */
  readonly ownTime: boolean;
}

export interface StressOptions {
  /** Empty, and not in `explicit`: the engine's portfolio (none at all if mutants are named). */
  readonly protocols: readonly ProtocolRef[];
  readonly mutants: readonly string[];
  /** A second hypervisor's thread runs it at the same entries; absent: there is none. */
  readonly against?: ProtocolSource;
  /** Empty, and not in `explicit`: the engine's portfolio. */
  readonly scenarios: readonly string[];
  /** What was said of the CPU, and only that; `cpuFor` puts it over the protocol's own CPU. */
  readonly cpuOverrides: Partial<CpuModel>;
  readonly granule: Granule;
  readonly levels: readonly BlockLevel[];
  readonly vcpus: readonly number[];
  /** Per configuration; null: as many as the time allows. */
  readonly rounds: number | null;
  /** Times every configuration is started with new threads; they share its rounds and its time. */
  readonly repeats: number;
  /** Per round. */
  readonly transitions: number;
  /**
   * For the whole campaign; null: until the rounds are done. Rounds and time: whichever ends first.
   */
  readonly timeMs: number | null;
  /** An unsigned 32-bit number. */
  readonly seed: number;
  readonly reorder: boolean;
  readonly delays: readonly Delay[];
  readonly access: AccessMode;
  readonly pin: Pinning;
  /** Share of guest accesses that are stores, 0 to 100. */
  readonly storesPercent: number;
  readonly pattern: Pattern;
  /** Regions under test, each the size of one block. */
  readonly blocks: number;
  /** Serves faults of vCPUs beside protocols that coalesce or unmap; absent: the harness does. */
  readonly faults?: ProtocolRef;
  /** The part of the campaign to run; absent: all of it. */
  readonly shard?: Shard;
  /** Go on with this one, of the same plan (`planMismatch`); absent: a new campaign. */
  readonly resume?: Resume;
  /** The campaign ends with the first group that broke a rule, and that with the round. */
  readonly failFast: boolean;
  /**
   * What was asked for by name. Everything else is a default the engine may replace by something that
   * fits better.
   */
  readonly explicit: readonly (keyof StressOptions)[];
  /** The arguments after the command's name, as typed: goes into the result unchanged. */
  readonly argv: readonly string[];
}

/** What holds where no flag says otherwise; the help prints these very values. */
export const STRESS_DEFAULTS: StressDefaults = Object.freeze({
  granule: '4k',
  levels: Object.freeze([2] as const),
  vcpus: Object.freeze([1, 2]),
  transitions: 32,
  timeMs: 45_000,
  access: 'wasm',
  storesPercent: 50,
  pattern: 'uniform',
  blocks: 1,
});

type Defaulted =
  | 'granule'
  | 'levels'
  | 'vcpus'
  | 'transitions'
  | 'access'
  | 'storesPercent'
  | 'pattern'
  | 'blocks';
type StressDefaults = Pick<StressOptions, Defaulted> & { readonly timeMs: number };

export const BLOCKS_MAX = 1024;
export const REPEATS_MAX = 100;
export const ROUNDS_MAX = 1_000_000_000;
export const TRANSITIONS_MAX = 1_000_000;
export const TIME_MS_MAX = 7 * 24 * 3_600_000;
export const DELAY_NS_MAX = 1_000_000_000;
export const SEED_MAX = 0xffff_ffff;

/** Faults of vCPUs want a block there while somebody coalesces, or where a table was unmapped. */
export function isServed(kind: ProtocolKind): boolean {
  return kind === 'coalesce' || kind === 'unmap';
}

/** Starting the portfolio's groups takes some two seconds: so much is left to measure in. */
const MS_PER_REPEAT = 10_000;
const PORTFOLIO_REPEATS_MAX = 4;
/** Of two values Student's t says next to nothing (result/merge/estimates.ts). */
const REPEATS_MIN = 3;

/** Starts of the portfolio in so much time. */
export function portfolioRepeats(timeMs: number): number {
  const repeats = Math.min(PORTFOLIO_REPEATS_MAX, Math.floor(timeMs / MS_PER_REPEAT));
  return repeats < REPEATS_MIN ? 1 : repeats;
}

/**
 * Transition records a round of so many measured transitions needs at most: each has its reset, and
 * a migration's are one for each block, so that the last one may exceed the number asked for.
 */
export function recordsFor(transitions: number, blocks: number): number {
  return 2 * (transitions + blocks);
}

/** The files that protocols of the campaign come from, each once. */
export function protocolFiles({
  protocols,
  against,
  faults,
}: Pick<StressOptions, 'protocols' | 'against' | 'faults'>): readonly FileSource[] {
  const beside = [against, faults].flatMap((each) => each ?? []);
  const all = [...protocols, ...beside];
  const files = all.flatMap((ref) => (ref.from === 'file' ? [ref] : []));
  return files.filter(({ path }, i) => files.findIndex((other) => other.path === path) === i);
}

export interface StressProgress {
  readonly doneMs: number;
  /** Null where rounds, not time, end the campaign. */
  readonly budgetMs: number | null;
  readonly rounds: number;
  readonly faults: number;
  readonly violations: number;
  /** What runs now, for people: `bbm-late, evil-disable, level 2, 2 vCPUs`. */
  readonly label: string;
}
