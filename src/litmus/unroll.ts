/**
 * Unrolls the threads of a litmus test into the decision trees the model runs.
 *
 * A read branches over every value its location can ever hold, so the values must be known before
 * the trees: the threads are unrolled again and again, each time with the values written in the
 * round before, until no round adds one.
 */
import { assert } from '../arch/assert.ts';
import type { SearchBounds, System } from '../explore/model/index.ts';
import { Domains } from './domains.ts';
import { Outcomes } from './outcomes.ts';
import { Receivers } from './receivers.ts';
import type { Registers } from './registers.ts';
import { admitSpontaneous, spontaneousUpdates } from './spontaneous.ts';
import type { LitmusTest } from './test-case.ts';
import { LitmusTranslation, type Names } from './translation.ts';
import { type FaultHandling, Unroller } from './unroller.ts';
import type { Value } from './value.ts';
import type { Walker } from './walker.ts';

export interface Unrolled {
  readonly system: System;
  readonly outcomes: Outcomes;
}

/** What the threads start from; lists by thread, `initial` by location. */
export interface UnrollSetting {
  readonly names: Names;
  readonly initial: readonly Value[];
  readonly registers: readonly Registers[];
  readonly walkers: readonly Walker[];
  readonly handling: FaultHandling;
  readonly bounds: SearchBounds;
}

/** Throws TreeTooLarge if a tree meets the bound. */
export function unroll(test: LitmusTest, setting: UnrollSetting): Unrolled {
  const { names, initial, registers, walkers, handling, bounds } = setting;
  const domains = new Domains(names, initial);
  const hardware = walkers.some(({ accessFlag }) => accessFlag);
  const rounds = writesMax(test, hardware, bounds);
  let receivers = new Receivers([], names, domains);
  let accessedBefore = -1;
  for (let round = 0; ; round++) {
    if (round === rounds) domains.freeze();
    const valuesBefore = domains.size;
    const outcomes = new Outcomes(test);
    const context = { names, domains, outcomes, receivers, handling, bounds };
    const unrollers = test.threads.map((thread, i) => {
      const walker = walkers[i];
      assert(walker !== undefined, 'every thread has a walker');
      return new Unroller(thread, walker, context, registers[i]);
    });
    const threads = unrollers.map((unroller) => unroller.run());
    if (hardware) admitSpontaneous(names, domains);
    const accessed = unrollers.reduce((sum, unroller) => sum + unroller.accesses.accessed.size, 0);
    // Both sets only grow, so equal sizes mean that this round saw what the round before it saw.
    if (domains.size === valuesBefore && accessed === accessedBefore) {
      const values = initial.map((value) => names.values.idOf(value));
      const most = (entry: number): number =>
        unrollers.reduce((sum, unroller) => sum + unroller.accesses.flagsCleared(entry), 0);
      const extra = hardware
        ? spontaneousUpdates(names, domains, values, most, outcomes.hardware())
        : [];
      const translation = new LitmusTranslation(names);
      return {
        system: { threads: [...threads, ...extra], initial: values, translation },
        outcomes,
      };
    }
    accessedBefore = accessed;
    receivers = new Receivers(
      unrollers.map((unroller) => new Set(unroller.accesses.accessed)),
      names,
      domains,
    );
  }
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
  const storing = new Set(['store', 'store-exclusive', 'atomic']);
  const stores = code.filter(({ kind }) => storing.has(kind)).length;
  // Each access may come with an update of its entry, and each descriptor put in place with one.
  const accesses = stores + code.filter(({ kind }) => kind === 'load').length;
  const writes = stores + (hardware ? accesses + stores + test.initial.length : 0);
  const straight = code.every((instruction) => !('label' in instruction));
  return Math.min(straight ? writes : writes * bounds.visits, bounds.events);
}
