/** Short ways to say which engines catch a mutant, and under which settings. */
import type { Catch } from './mutant.ts';

type Settings = Omit<Catch, 'engine' | 'rules'>;

/** Real threads show it, whether or not stores are reordered. */
export function onThreads(rules: readonly string[], settings: Settings = {}): Catch[] {
  return [
    { engine: 'stress', rules, ...settings },
    { engine: 'stress-reorder', rules, ...settings },
  ];
}

/** A race on the entry to the guest, which stores that wait in a store buffer of the host make. */
export function onEntry(rules: readonly string[]): Catch {
  return { engine: 'stress', rules, racesEntry: true };
}

/** Real threads show it only where the hypervisor's stores and TLBIs take effect out of order. */
export function whenReordered(rules: readonly string[], settings: Settings = {}): Catch[] {
  return [{ engine: 'stress-reorder', rules, ...settings }];
}

/** An execution of the Arm model shows it. */
export function inModel(rules: readonly string[], settings: Settings = {}): Catch {
  return { engine: 'explore', rules, ...settings };
}
