/** Why an engine cannot catch a mutant, where several share the reason. */
import type { Miss } from './mutant.ts';

function missedBy(engines: readonly Miss['engine'][], why: string): Miss[] {
  return engines.map((engine) => ({ engine, why }));
}

const THREADS = ['stress', 'stress-reorder'] as const;

/** An ordering that the host's memory does not break. */
export function hostOrdersIt(): Miss[] {
  return missedBy(
    ['stress'],
    'Atomics of the host are sequentially consistent: stores and TLBIs take effect in program ' +
      'order, however long the pauses between them',
  );
}

/** A race of the machine itself, which nothing that is injected into a protocol's steps widens. */
export function notInTheSteps(): Miss[] {
  return missedBy(
    ['stress-reorder'],
    "what it injects lies between a protocol's steps, and this race lies within one: it is seen no " +
      'more often than under stress alone, or less',
  );
}

/** Real threads, whatever is injected. */
export function onNoThread(why: string): Miss[] {
  return missedBy(THREADS, why);
}

export function notInModel(why: string): Miss {
  return { engine: 'explore', why };
}

/** A bug of the machine that `explore` does not run on. */
export function notThisMachine(): Miss {
  return notInModel('it runs on a model of the architecture, not on this machine');
}
