/**
 * A mutant is a protocol, a machine or a harness with one seeded bug. It exists to be caught: every
 * rule of the checker has at least one, and its correct twin must pass under the same settings.
 *
 * A mutant says of every engine whether that one must catch it (`caughtBy`) or cannot, and why
 * (`missedBy`); `selftest` holds the engines to both lists.
 */
import type { CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import type { MachineBug, Protocol } from '../port/index.ts';

/**
 * `stress`: real threads, nothing injected. `stress-reorder`: with the software store buffer.
 * `explore`: the Arm model. Delays between a protocol's steps are no engine: they made none of the
 * bugs tried easier to see (`--delay` is for what an operation costs).
 */
export const ENGINES = ['stress', 'stress-reorder', 'explore'] as const;
export type Engine = (typeof ENGINES)[number];

/** One engine that must catch the mutant, and the settings under which it does. */
export interface Catch {
  readonly engine: Engine;
  /**
   * Rules of which one must fire, the most telling first. Which of them comes first under `stress`
   * depends on what a vCPU touches next.
   */
  readonly rules: readonly string[];
  /**
   * What makes them fire. `observation`, where nothing is said: what happened, that is the threads'
   * evidence and the audit under `stress`, a schedule under `explore`. `operations`: the checker's
   * automaton on the protocol's own stores, barriers and TLBIs, which needs no unlucky moment, and
   * without which no sequence of operations could be missed.
   */
  readonly by?: 'observation' | 'operations';
  /** Of `operations`, where more could be expected: why nobody sees an effect. One sentence. */
  readonly unseen?: string;
  /** Over the CPU of the twin. */
  readonly cpu?: Partial<CpuModel>;
  /** 2 where nothing is said. */
  readonly level?: BlockLevel;
  /** By name; `adjust-populated` where nothing is said. */
  readonly scenario?: string;
  /** 1 where nothing is said. */
  readonly vcpus?: number;
  /**
   * The vCPUs leave and enter the guest all the time, with cold stores on the way and one poll for
   * TLBIs per entry: how a race on the entry is met.
   */
  readonly racesEntry?: boolean;
  /** A second hypervisor's thread runs this built-in protocol at the same entries. */
  readonly against?: string;
}

/**
 * One engine that cannot catch the mutant by observation, and why: printed in the kill table, not
 * left out.
 */
export interface Miss {
  readonly engine: Engine;
  /** One sentence. */
  readonly why: string;
}

export interface Mutant {
  readonly name: string;
  /** What is wrong, one sentence. */
  readonly what: string;
  /** The real commit, review or architecture rule that shows the bug is one. */
  readonly evidence: string;
  /** The rule that names this bug best. */
  readonly rule: string;
  /** The correct protocol it was made from: run alongside, it must pass. */
  readonly twin: string;
  /**
   * `protocol`: `protocol` replaces the twin. `machine`: the twin runs on a machine with `bug`.
   */
  readonly seed:
    | { readonly kind: 'protocol'; readonly protocol: Protocol }
    | { readonly kind: 'machine'; readonly bug: MachineBug };
  /**
   * The same bug as a protocol of the kind it is about, and its twin: what `explore` runs where what
   * `stress` runs is a path of the machine, or is of another kind there.
   */
  readonly explored?: { readonly protocol: Protocol; readonly twin: string };
  readonly caughtBy: readonly Catch[];
  readonly missedBy: readonly Miss[];
}

/** The protocol that `engine` runs, and the name of its correct twin; null: the twin, on its machine. */
export function subjectOf(
  { seed, twin, explored }: Mutant,
  engine: 'stress' | 'explore',
): { readonly protocol: Protocol | null; readonly twin: string } {
  if (engine === 'explore' && explored !== undefined) return explored;
  return { protocol: seed.kind === 'protocol' ? seed.protocol : null, twin };
}

/** Types and freezes a mutant. */
export function defineMutant(mutant: Mutant): Mutant {
  return Object.freeze({ ...mutant });
}
