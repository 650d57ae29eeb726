/** A mutant and its twin, as the explorer runs them. */
import { cpuFor, type CpuModel } from '../../src/arch/cpu-model.ts';
import type { BlockLevel } from '../../src/arch/geometry.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { type Catch, type Mutant, MUTANTS, subjectOf } from '../../src/mutants/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../src/protocols/index.ts';
import type { ExploreRun, ExploreViolation } from '../../src/result/explore.ts';

export interface Explored {
  readonly mutant: Mutant;
  readonly catches: Catch;
  readonly protocol: Protocol;
  readonly twin: Protocol;
  readonly cpu: CpuModel;
  readonly level: BlockLevel;
}

function named(name: string): Protocol {
  const twin = ALL_PROTOCOLS.find((p) => p.name === name);
  if (twin === undefined) throw new Error(`no protocol is called ${name}`);
  return twin;
}

export function twinOf(mutant: Mutant): Protocol {
  return named(mutant.twin);
}

/** All that the explorer must catch. */
export const EXPLORED: readonly Explored[] = MUTANTS.flatMap((mutant) => {
  const catches = mutant.caughtBy.find(({ engine }) => engine === 'explore');
  const { protocol, twin: twinName } = subjectOf(mutant, 'explore');
  if (catches === undefined || protocol === null) return [];
  const twin = named(twinName);
  const cpu = cpuFor({ cpu: { ...twin.cpu, ...protocol.cpu } }, catches.cpu ?? {});
  return [{ mutant, catches, protocol, twin, cpu, level: catches.level ?? 2 }];
});

/** As `explore --mutant` does it. */
export function explored(subject: Explored, protocol: Protocol): ExploreRun {
  const { mutant, catches, cpu, level } = subject;
  const { scenario } = catches;
  return exploreProtocol({
    protocol,
    mutant: mutant.name,
    cpu,
    level,
    ...(scenario === 'two-vms' ? { scenario } : {}),
  });
}

/** The violation that names the bug: of the rules it is to be caught by, the first that fired. */
export function namingViolation({ catches }: Explored, run: ExploreRun): ExploreViolation | null {
  const wanted = catches.by === 'operations' ? 'operations' : 'schedule';
  for (const rule of catches.rules) {
    const violation = run.violations.find((v) => v.rule === rule && v.by === wanted);
    if (violation !== undefined) return violation;
  }
  return null;
}
