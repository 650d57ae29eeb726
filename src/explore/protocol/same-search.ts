/**
 * Searches that are one and the same on several CPUs. Of a PE's BBM level and what it does with nT and
 * two matching entries the search asks where a walk meets an nT block, and where two entries match. Where
 * no walk met one, and the protocol does the same whatever level it is told, CPUs have the same result
 * that make the same of two entries; and where no access met two, all of them have.
 */
import { isDeepStrictEqual } from 'node:util';
import type { CpuModel } from '../../arch/cpu-model.ts';
import type { Protocol } from '../../port/index.ts';
import { type PeModel, twoMatch } from './machine/translation.ts';
import type { Host } from './run/host.ts';
import { peOf } from './run/scenario.ts';
import type { Outcomes } from './outcomes.ts';
import type { Found } from './share.ts';
import type { Started } from './start.ts';

/** Of one protocol: a row of the matrix has a dozen CPUs, of few kinds. */
const KEPT = 6;
/** Hundreds of thousands of them are nothing to keep for a process's life. */
const OUTCOMES_KEPT = 10_000;

/** Everything that a search is made of, as plain data. */
interface Made {
  readonly asked: unknown;
  /** All of the CPU that is asked about without a walk. */
  readonly cpu: unknown;
  readonly hosts: readonly unknown[];
}

type Met = Pick<Outcomes, 'meetsNt' | 'meetsTwo'>;

interface Kept {
  readonly made: Made;
  readonly pes: readonly PeModel[];
  readonly meets: Met;
  readonly found: Found;
}

const kept = new WeakMap<Protocol, Kept[]>();

/** What a search before this one has found, of which this is another one in name only; null: none. */
export function foundBefore(started: Started): Found | null {
  const before = kept.get(started.options.protocol);
  if (before === undefined || !isPlain(started)) return null;
  const [made, pes] = [madeOf(started), pesOf(started)];
  const { vcpus } = started;
  const same = before.find(
    (known) =>
      isDeepStrictEqual(asked(known.pes, vcpus, known.meets), asked(pes, vcpus, known.meets)) &&
      isDeepStrictEqual(known.made, made),
  );
  return same?.found ?? null;
}

/** `found`: all of it, by one thread. */
export function keepFound(started: Started, found: Found): void {
  if (!isPlain(started) || found.stoppedBy !== null) return;
  if (found.outcomes.length > OUTCOMES_KEPT) return;
  const { protocol } = started.options;
  const { meetsNt, meetsTwo } = started.outcomes;
  const meets = { meetsNt, meetsTwo };
  const mine = { made: madeOf(started), pes: pesOf(started), meets, found };
  kept.set(protocol, [mine, ...(kept.get(protocol) ?? [])].slice(0, KEPT));
}

/** Of two makers the judge asks for the level, too. */
function isPlain({ stop, hosts }: Started): boolean {
  return stop.stoppedBy === null && hosts.every(({ threads }) => threads.length === 1);
}

function madeOf(started: Started): Made {
  const { level, granule, regions, vcpus, scenario, programs, bounds, cpu, hosts, part } = started;
  const { bbm: _, bbmid: __, nt: ___, multihit: ____, ...rest } = cpu;
  return {
    asked: { level, granule, regions, vcpus, scenario, programs, bounds, part },
    cpu: rest satisfies Partial<CpuModel>,
    hosts: hosts.map(({ map, paths, initial, held, values, tlbis, receivers }: Host) => {
      const { changeName, failing } = map;
      return { changeName, failing, paths, initial, held, values, tlbis, receivers };
    }),
  };
}

function pesOf({ cpu, hosts }: Started): readonly PeModel[] {
  const receivers = Math.max(0, ...hosts.map((host) => host.receivers));
  return Array.from({ length: receivers }, (_, vcpu) => peOf(cpu, vcpu));
}

/** What such a search asks of its PEs. vCPUs on PEs of one kind are explored once for all of them. */
function asked(pes: readonly PeModel[], vcpus: number, { meetsNt, meetsTwo }: Met): unknown {
  if (meetsNt) return pes;
  // Behind those of the VM there may be a second VM's.
  const areAlike = pes.slice(0, vcpus).every((pe) => isDeepStrictEqual(pe, pes[0]));
  return [areAlike, ...(meetsTwo ? pes.map(twoMatch) : [])];
}
