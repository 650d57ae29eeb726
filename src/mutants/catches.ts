/** Short ways to say which engines catch a mutant, and under which settings. */
import type { Catch } from './mutant.ts';

type Settings = Omit<Catch, 'engine' | 'rules'>;

/** A pause before every step of the protocol: widens any window, takes no side. */
const ANYWHERE = [{ site: 'any', ns: 2000 }] as const;

/** Real threads show it, whether or not anything is injected. */
export function onThreads(rules: readonly string[], settings: Settings = {}): Catch[] {
  const { delays = ANYWHERE, ...undelayed } = settings;
  return [
    { engine: 'stress', rules, ...undelayed },
    { engine: 'stress-reorder', rules, ...undelayed },
    { engine: 'stress-delay', rules, ...undelayed, delays },
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
