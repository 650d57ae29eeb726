/** Protocols with one step changed, as lists of words, and short ways to ask for a verdict. */
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import {
  childLevel,
  type Cpu,
  defineProtocol,
  type Protocol,
  type Tables,
  type Transition,
  VALID,
} from '../../../src/port/index.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';

export function builtin(name: string): Protocol {
  const protocol = PROTOCOLS.find((p) => p.name === name);
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
