/**
 * The other half of a proof: every correct protocol, on the CPU it is meant for, and the twin of
 * every mutant, on the mutant's CPU, under the very settings in which mutants are hunted. None may
 * be accused. Pure: which of them there are, and which can share a group.
 */
import { cpuFor, type CpuModel, describeCpu } from '../arch/cpu-model.ts';
import type { Protocol } from '../port/index.ts';
import { mayPass, scenarioNamed } from '../scenarios/index.ts';
import { HUNT_SETTING, type HuntSetting } from '../stress/campaign/hunt.ts';
import { machineKey } from '../stress/plan/portfolio.ts';
import { type Case, flagsOf } from './cases.ts';

export interface Innocent {
  readonly protocol: Protocol;
  readonly cpu: CpuModel;
}

/** What runs in one group of threads, or one search after the other. */
export interface InnocentGroup {
  readonly engine: 'stress' | 'explore';
  readonly setting: HuntSetting;
  readonly flags: string;
  readonly innocents: readonly Innocent[];
}

/** `protocols` beside the twins: all of them, or none where only some mutants were asked for. */
export function innocentGroups(
  cases: readonly Case[],
  protocols: readonly Protocol[],
): readonly InnocentGroup[] {
  const expected = cases.filter(({ why }) => why === null);
  const byKey = new Map<
    string,
    { engine: Case['engine']; setting: HuntSetting; own: Innocent[] }
  >();
  for (const { engine, setting, twin, cpu } of expected) {
    // The model knows neither scenarios nor delays nor who enters when.
    const { level, vcpus } = setting;
    const kept = engine === 'stress' ? setting : { ...HUNT_SETTING, level, vcpus };
    const key = JSON.stringify([engine, kept]);
    const there = byKey.get(key) ?? { engine, setting: kept, own: [] };
    there.own.push({ protocol: twin, cpu });
    byKey.set(key, there);
  }
  return [...byKey.values()].flatMap(({ engine, setting, own }) => {
    // Larger configurations take the explorer long: there the twins are enough.
    const isSmall = setting.level === HUNT_SETTING.level && setting.vcpus === HUNT_SETTING.vcpus;
    // Beside another few can run: there the twins are enough, too.
    const takesAll = setting.against === null && (engine === 'stress' || isSmall);
    const all = takesAll ? protocols : [];
    const scenario = scenarioNamed(setting.scenario);
    const able = all.filter((protocol) => mayPass(scenario, protocol));
    const innocents = distinct([
      ...able.map((protocol) => ({ protocol, cpu: cpuFor(protocol, {}) })),
      ...own,
    ]);
    return byMachine(innocents).map((part) => ({
      engine,
      setting,
      flags: flagsOf(setting),
      innocents: part,
    }));
  });
}

function distinct(innocents: readonly Innocent[]): readonly Innocent[] {
  const key = ({ protocol, cpu }: Innocent): string => `${protocol.name} ${describeCpu(cpu)}`;
  return [...new Map(innocents.map((innocent) => [key(innocent), innocent])).values()];
}

function byMachine(innocents: readonly Innocent[]): readonly (readonly Innocent[])[] {
  const groups = Map.groupBy(innocents, ({ cpu, protocol }) =>
    machineKey(cpu, null, protocol.kind),
  );
  return [...groups.values()];
}
