/** A protocol whose port says each operation once it is done. */
import { runningBy } from '../port/foreign.ts';
import type { Protocol } from '../port/index.ts';

type Operation = (...given: readonly unknown[]) => unknown;

/** The same operations; `count` is called after each that returned. */
function countedIn<T extends object>(operations: T, count: () => void): T {
  const wrapped = Object.entries(operations).map(([name, value]: [string, unknown]) => {
    if (typeof value !== 'function') return [name, value] as const;
    const operation = value as Operation;
    const counting: Operation = (...given) => {
      const result = operation(...given);
      count();
      return result;
    };
    return [name, counting] as const;
  });
  return Object.fromEntries(wrapped) as T;
}

/** The same protocol on a port that counts. What an operation throws is not counted. */
export function counted(protocol: Protocol, count: () => void): Protocol {
  return runningBy(protocol, (cpu, transition, tables) =>
    protocol.run(countedIn(cpu, count), transition, countedIn(tables, count)),
  );
}
