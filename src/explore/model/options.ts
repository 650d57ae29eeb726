/**
 * Knobs and bounds of the memory model.
 *
 * The architecture knob is real: FEAT_ETS2 (Enhanced Translation Synchronization, DDI 0487 D8.2.6)
 * forbids outcomes that the base architecture allows; FEAT_ETS3 orders Permission faults as well.
 * Everything else here weakens or strengthens
 * the model on purpose, so that a test can prove that each rule matters: an injected model bug has
 * to turn some litmus verdict red.
 */
import type { TlbiCompletion } from '../../arch/cpu-model.ts';

export const ALL_ARCHITECTURES = ['base', 'ets2', 'ets3'] as const;
export type Architecture = (typeof ALL_ARCHITECTURES)[number];
/** What published verdicts are given for, and what a test that asks for none is run under. */
export const ARCHITECTURES = ['base', 'ets2'] as const satisfies readonly Architecture[];

export interface ModelOptions {
  readonly arch: Architecture;
  /** How a broadcast TLBI falls short on a core with an erratum. */
  readonly tlbi: TlbiCompletion;
  /** Ordering of explicit accesses: Arm's, total store order, or one interleaving. */
  readonly memory: 'arm' | 'tso' | 'sc';
  /** False: every walk reads the tables as they are, nothing is cached. */
  readonly tlb: boolean;
  /** False: a TLBI removes nothing from any TLB. */
  readonly tlbiRemoves: boolean;
  /** False: a TLBI completes without waiting for accesses that use the old translation. */
  readonly tlbiWaits: boolean;
  /** False: a DSB does not wait for the completion of earlier TLBIs. */
  readonly dsbWaitsForTlbi: boolean;
  /** False: an ISB does nothing. */
  readonly isb: boolean;
  /**
   * False: earlier translations of the same page offset are not ordered before a TLBI's completion.
   */
  readonly translationCoherence: boolean;
  /** False: a walker's update of a descriptor may overwrite what was written since it read it. */
  readonly updatesAtomic: boolean;
  /** False: a DSB does not wait for the updates that walks of earlier accesses make. */
  readonly dsbWaitsForUpdates: boolean;
}

/** The model as the architecture has it. */
export function armModel(arch: Architecture, weakening: Partial<ModelOptions> = {}): ModelOptions {
  return {
    arch,
    tlbi: 'ok',
    memory: 'arm',
    tlb: true,
    tlbiRemoves: true,
    tlbiWaits: true,
    dsbWaitsForTlbi: true,
    isb: true,
    translationCoherence: true,
    updatesAtomic: true,
    dsbWaitsForUpdates: true,
    ...weakening,
  };
}

/** The weakenings of the ablation table (docs/memory-model.md, "Speed"), by the name reports use. */
export const ABLATIONS = {
  'tlbi-does-not-wait': { tlbiWaits: false },
  'dsb-does-not-wait-for-tlbi': { dsbWaitsForTlbi: false },
  'isb-no-op': { isb: false },
  'tlbi-removes-nothing': { tlbiRemoves: false },
  'no-translation-coherence': { translationCoherence: false },
  'hardware-update-not-atomic': { updatesAtomic: false },
  'dsb-does-not-wait-for-updates': { dsbWaitsForUpdates: false },
  tso: { memory: 'tso' },
  sc: { memory: 'sc' },
  'no-tlb': { tlb: false },
} as const satisfies Record<string, Partial<ModelOptions>>;

/**
 * What a search may cost. A search that meets one of these says which; nothing is cut short
 * silently.
 */
export interface SearchBounds {
  /** Events (writes and TLBI deliveries) in one global order. */
  readonly events: number;
  /** Prefixes of global orders gone through. */
  readonly states: number;
  /** Nodes of one thread's decision tree. */
  readonly nodes: number;
  /** Times one instruction may run on one path: loops are unrolled this often. */
  readonly visits: number;
  /** Wall-clock time of one search. */
  readonly timeMs: number;
  /** Memory of one search's tables, in bytes, what growing them takes meanwhile included. */
  readonly memoryBytes: number;
}

/** A state takes some 60 bytes, so `states` is a bound of about 60 MB, too. */
export const DEFAULT_BOUNDS: SearchBounds = Object.freeze({
  events: 18,
  states: 1_000_000,
  nodes: 200_000,
  visits: 3,
  timeMs: 60_000,
  memoryBytes: Number.POSITIVE_INFINITY,
});
export type BoundName = keyof SearchBounds;
