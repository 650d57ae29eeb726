/** Protocols with one step changed, as lists of words, and short ways to ask for a verdict. */
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { type ExploreOptions, exploreProtocol } from '../../../src/explore/protocol/index.ts';
import {
  childLevel,
  type Cpu,
  defineProtocol,
  type Protocol,
  type Tables,
  type Transition,
  VALID,
} from '../../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../../src/protocols/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';

export function builtin(name: string): Protocol {
  const protocol = ALL_PROTOCOLS.find((p) => p.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}

export type Run = (cpu: Cpu, t: Transition, tables: Tables) => void;

/** `base` with other steps: same kind and claims. */
export function changed(base: string, run: Run, over: Partial<Protocol> = {}): Protocol {
  return defineProtocol({ ...builtin(base), name: 'changed', run, ...over });
}

/** bbm-early with its flush replaced. */
export function bbmEarlyWith(flush: (cpu: Cpu, t: Transition) => void): Protocol {
  return changed('bbm-early', (cpu, t, tables) => {
    cpu.write(t.entry, t.old & ~VALID);
    flush(cpu, t);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(tables.follow(t.old), childLevel(t.level));
    cpu.dsb('ishst');
  });
}

/** Loads only: fast, and every rule that a store can break a load can break. */
export function exploreLoads(protocol: Protocol, cpu: Partial<CpuModel> = {}): ExploreRun {
  return exploreProtocol({ protocol, cpu, kinds: ['load'] });
}

/** Words of outcomes that are not plainly good, without what came before them. */
export function oddities(run: ExploreRun): string[] {
  const words = run.outcomes
    .filter(({ grade }) => grade !== 'acceptable')
    .flatMap(({ id }) => id.split(/: |; |, /))
    .filter((word) => !/^(?:around|after|old|new)(?: \(nT\))?$/.test(word));
  return [...new Set(words)].toSorted();
}

/** Rules that a schedule shows broken. */
export function shownRules(run: ExploreRun): string[] {
  return run.violations
    .filter(({ by }) => by === 'schedule')
    .map(({ rule }) => rule)
    .toSorted();
}

/** Verdict and rules. */
function found({ verdict, violations }: ExploreRun): string {
  return [verdict, ...violations.map(({ rule }) => rule).toSorted()].join(' ');
}

/** Of `protocols` those that come to something else in a larger machine: their names. */
export function differingIn(
  machine: Pick<ExploreOptions, 'granule' | 'regions'>,
  protocols: readonly Protocol[],
  cpu: Partial<CpuModel> = {},
): readonly string[] {
  const differs = (protocol: Protocol): boolean => {
    const asked = { protocol, cpu, kinds: ['load'], realGranules: false } as const;
    return found(exploreProtocol(asked)) !== found(exploreProtocol({ ...asked, ...machine }));
  };
  return protocols.filter(differs).map(({ name }) => name);
}
