/**
 * Unrolls the threads of a litmus test into the decision trees the model runs.
 *
 * A read branches over every value its location can ever hold, so the values must be known before
 * the trees: the threads are unrolled again and again, each time with the values written in the
 * round before, until no round adds one.
 */
import { assert } from '../../arch/assert.ts';
import {
  NO_DEPENDENCY,
  type Node,
  type SearchBounds,
  type System,
  type ThreadProgram,
} from '../../explore/model/index.ts';
import { Domains } from './domains.ts';
import { Outcomes } from '../verdict/outcomes.ts';
import { Receivers } from './receivers.ts';
import type { Registers } from '../parse/registers.ts';
import { admitSpontaneous, spontaneousUpdates } from './spontaneous.ts';
import type { LitmusTest } from '../test-case.ts';
import { LitmusTranslation, type Names } from './translation.ts';
import { Unroller } from './unroller.ts';
import type { Value } from '../parse/value.ts';
import type { FaultHandling } from '../variants.ts';
import type { Walker } from './walker.ts';

export interface Unrolled {
  readonly system: System;
  readonly outcomes: Outcomes;
  /** Values a location may hold. */
  readonly domains: Domains;
}

/** What the threads start from; lists by thread, `initial` by location. */
export interface UnrollSetting {
  readonly names: Names;
  readonly initial: readonly Value[];
  readonly registers: readonly Registers[];
  readonly walkers: readonly Walker[];
  readonly handling: FaultHandling;
  readonly bounds: SearchBounds;
  /** One more vCPU that sees every TLBI and every write of an entry, and does nothing. */
  readonly witness?: number;
  /** False, for tests that compare: reads are prepared for values that nothing can have led to. */
  readonly tracksOrigins?: boolean;
}

/** Throws TreeTooLarge if a tree meets the bound. */
export function unroll(test: LitmusTest, setting: UnrollSetting): Unrolled {
  const { names, initial, registers, walkers, handling, bounds } = setting;
  const domains = new Domains(names, initial, setting.tracksOrigins);
  const hardware = walkers.some(({ accessFlag }) => accessFlag);
  const rounds = writesMax(test, hardware, bounds);
  const extraReceivers = setting.witness === undefined ? [] : [setting.witness];
  let receivers = new Receivers([], names, domains, extraReceivers);
  let accessedBefore = -1;
  const deadlineMs = performance.now() + bounds.timeMs;
  for (let round = 0; ; round++) {
    if (round === rounds) domains.freeze();
    const changesBefore = domains.changes;
    const outcomes = new Outcomes(test);
    const { threads: code } = test;
    const context = {
      names,
      domains,
      outcomes,
      receivers,
      handling,
      bounds,
      deadlineMs,
      threads: code,
    };
    const unrollers = test.threads.map((thread, i) => {
      const walker = walkers[i];
      assert(walker !== undefined, 'every thread has a walker');
      return new Unroller(thread, walker, context, registers[i]);
    });
    const threads = unrollers.map((unroller) => unroller.run());
    if (hardware) admitSpontaneous(names, domains);
    const accessed = unrollers.reduce((sum, unroller) => sum + unroller.accesses.accessed.size, 0);
    // Symbols accessed only grow, so equal numbers mean that this round saw what the one before saw.
    if (domains.changes === changesBefore && accessed === accessedBefore) {
      const values = initial.map((value) => names.values.idOf(value));
      const most = (entry: number): number =>
        unrollers.reduce((sum, unroller) => sum + unroller.accesses.flagsCleared(entry), 0);
      const extra = hardware
        ? spontaneousUpdates(names, domains, values, most, outcomes.hardware())
        : [];
      if (setting.witness !== undefined) {
        extra.push(watching(setting.witness, names, domains, outcomes.hardware()));
      }
      const translation = new LitmusTranslation(names);
      return {
        system: { threads: [...threads, ...extra], initial: values, translation, isSparse: true },
        outcomes,
        domains,
      };
    }
    accessedBefore = accessed;
    receivers = new Receivers(
      unrollers.map((unroller) => new Set(unroller.accesses.accessed)),
      names,
      domains,
      extraReceivers,
    );
  }
}

/** A thread that can tell where TLBIs and writes of entries stand: it may read any entry, or none. */
function watching(vcpu: number, names: Names, domains: Domains, outcome: number): ThreadProgram {
  const end: Node = { kind: 'end', outcome };
  const reads = names.entries.map((location): Node => ({
    kind: 'read',
    target: { kind: 'location', location },
    order: 'plain',
    read: 0,
    address: NO_DEPENDENCY,
    next: new Map(domains.of(location).map((value) => [value, end])),
    faults: new Map(),
  }));
  return { vcpu, root: { kind: 'choice', alternatives: [end, ...reads] }, reads: 1 };
}

/**
 * Most writes one execution can have. A value is computed from values written before it, so this
 * many rounds find every value there can be; a store of any other belongs to no execution.
 */
function writesMax(test: LitmusTest, hardware: boolean, bounds: SearchBounds): number {
  const code = test.threads.flatMap(({ instructions, handler }) => [
    ...instructions,
    ...(handler ?? []),
  ]);
  const storing = new Set(['store', 'store-pair', 'store-exclusive', 'atomic']);
  const stores = code.reduce(
    (sum, { kind }) => sum + (storing.has(kind) ? (kind === 'store-pair' ? 2 : 1) : 0),
    0,
  );
  // Each access may come with an update of its entry, and each descriptor put in place with one.
  const accesses = stores + code.filter(({ kind }) => kind.startsWith('load')).length;
  const writes = stores + (hardware ? accesses + stores + test.initial.length : 0);
  const straight = code.every(
    (instruction) => !('label' in instruction) && instruction.kind !== 'jump-register',
  );
  return Math.min(straight ? writes : writes * bounds.visits, bounds.events);
}
