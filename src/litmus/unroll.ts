/**
 * Unrolls the threads of a litmus test into the decision trees the model runs.
 *
 * A read branches over every value its location can ever hold, so the values must be known before
 * the trees: the threads are unrolled again and again, each time with the values written in the
 * round before, until no round adds one.
 */
import type { SearchBounds, System, ThreadProgram } from '../explore/model/index.ts';
import { Domains } from './domains.ts';
import { Outcomes } from './outcomes.ts';
import { Receivers } from './receivers.ts';
import type { Registers } from './registers.ts';
import type { LitmusTest } from './test-case.ts';
import { LitmusTranslation, type Names } from './translation.ts';
import { type FaultHandling, Unroller } from './unroller.ts';
import type { Value } from './value.ts';

export interface Unrolled {
  readonly system: System;
  readonly outcomes: Outcomes;
}

/** Throws TreeTooLarge if a tree meets the bound. */
export function unroll(
  test: LitmusTest,
  names: Names,
  initial: readonly Value[],
  registers: readonly Registers[],
  handling: FaultHandling,
  bounds: SearchBounds,
): Unrolled {
  const domains = new Domains(names, initial);
  const rounds = writesMax(test, bounds);
  let receivers = new Receivers([], names, domains);
  let accessedBefore = -1;
  for (let round = 0; ; round++) {
    if (round === rounds) domains.freeze();
    const valuesBefore = domains.size;
    const outcomes = new Outcomes(test);
    const context = { names, domains, outcomes, receivers, handling, bounds };
    const unrollers = test.threads.map((thread, i) => new Unroller(thread, context, registers[i]));
    const threads = unrollers.map((unroller) => unroller.run());
    const accessed = unrollers.reduce((sum, unroller) => sum + unroller.accessed.size, 0);
    // Both sets only grow, so equal sizes mean that this round saw what the round before it saw.
    if (domains.size === valuesBefore && accessed === accessedBefore) {
      return { system: systemOf(threads, names, initial), outcomes };
    }
    accessedBefore = accessed;
    receivers = new Receivers(
      unrollers.map((unroller) => new Set(unroller.accessed)),
      names,
      domains,
    );
  }
}

/**
 * Most writes one execution can have. A value is computed from values written before it, so this
 * many rounds find every value there can be; a store of any other belongs to no execution.
 */
function writesMax(test: LitmusTest, bounds: SearchBounds): number {
  const code = test.threads.flatMap(({ instructions, handler }) => [
    ...instructions,
    ...(handler ?? []),
  ]);
  const writes = code.filter(({ kind }) => kind === 'store' || kind === 'atomic').length;
  const straight = code.every((instruction) => !('label' in instruction));
  return Math.min(straight ? writes : writes * bounds.visits, bounds.events);
}

function systemOf(
  threads: readonly ThreadProgram[],
  names: Names,
  initial: readonly Value[],
): System {
  return {
    threads,
    initial: initial.map((value) => names.values.idOf(value)),
    translation: new LitmusTranslation(names),
  };
}
