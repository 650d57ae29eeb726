/**
 * Starts that are one and the same on several CPUs. What a protocol does depends on the small machine and
 * on what it is told of the CPU: in a row of the matrix that is often the same, and so are its runs.
 */
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { Protocol } from '../../port/index.ts';
import type { Host } from './run/host.ts';

interface Kept {
  readonly protocol: Protocol;
  readonly machine: string;
  readonly hosts: readonly Host[];
}

/** The last ones alone: the trees of a large one take as much memory as a search does. */
let kept: Kept | null = null;

/** For the next exploration, by which its author may have changed what it looks at. */
export function forgetHosts(): void {
  kept = null;
}

/**
 * `machine`: all that they are made in, as plain data, but for the BBM level. `isWhole`: no bound has
 * stopped them.
 */
export function hostsFor(
  protocol: Protocol,
  machine: unknown,
  bbm: BbmLevel,
  make: () => { readonly hosts: readonly Host[]; readonly isWhole: boolean },
): readonly Host[] {
  const key = JSON.stringify(machine);
  if (kept?.protocol === protocol && kept.machine === key) {
    const { hosts } = kept;
    if (hosts.every((host) => host.bbm === bbm)) return hosts;
    if (!hosts.some(({ looksAtBbm }) => looksAtBbm)) return hosts.map((host) => ({ ...host, bbm }));
  }
  kept = null;
  const { hosts, isWhole } = make();
  if (isWhole) kept = { protocol, machine: key, hosts };
  return hosts;
}
