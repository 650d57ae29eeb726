/**
 * What `selftest` has to do, from what the mutants say of themselves: one case per mutant, engine
 * and setting. Pure.
 */
import { cpuFor, type CpuModel, describeCpu } from '../arch/cpu-model.ts';
import { type Catch, type Engine, type Miss, type Mutant, subjectOf } from '../mutants/index.ts';
import type { Protocol } from '../port/index.ts';
import { ALL_PROTOCOLS } from '../protocols/index.ts';
import type { Rule } from '../result/rule.ts';
import { HUNT_SETTING, type HuntSetting } from '../stress/campaign/hunt.ts';

export interface Case {
  readonly mutant: Mutant;
  readonly column: Engine;
  readonly engine: 'stress' | 'explore';
  /** The mutant's own protocol, or its twin on a machine with a bug. */
  readonly protocol: Protocol;
  /** The correct protocol it was made from. */
  readonly twin: Protocol;
  readonly cpu: CpuModel;
  readonly setting: HuntSetting;
  /** Rules of which one must fire; empty where the engine need not catch it. */
  readonly rules: readonly Rule[];
  readonly by: 'observation' | 'operations';
  /** Why the engine cannot catch it; null where it must. */
  readonly why: string | null;
  /** As on the command line. */
  readonly flags: string;
}

export function protocolNamed(name: string): Protocol {
  const protocol = ALL_PROTOCOLS.find((p) => p.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}

export function casesOf(mutants: readonly Mutant[], columns: readonly Engine[]): readonly Case[] {
  return mutants.flatMap((mutant) => [
    ...mutant.caughtBy
      .filter(({ engine }) => columns.includes(engine))
      .map((catches) => caughtCase(mutant, catches)),
    ...mutant.missedBy
      .filter(({ engine }) => columns.includes(engine))
      .map((miss) => missedCase(mutant, miss)),
  ]);
}

function caughtCase(mutant: Mutant, catches: Catch): Case {
  const setting: HuntSetting = {
    scenario: catches.scenario ?? HUNT_SETTING.scenario,
    level: catches.level ?? HUNT_SETTING.level,
    vcpus: catches.vcpus ?? HUNT_SETTING.vcpus,
    reorder: catches.engine === 'stress-reorder',
    delays: [],
    racesEntry: catches.racesEntry ?? false,
    against: catches.against ?? null,
  };
  return {
    ...runOf(mutant, catches.engine, catches.cpu ?? {}),
    ...columnOf(catches.engine),
    setting,
    rules: catches.rules as readonly Rule[],
    by: catches.by ?? 'observation',
    why: null,
    flags: flagsOf(setting, catches.cpu),
  };
}

function missedCase(mutant: Mutant, { engine, why }: Miss): Case {
  const setting: HuntSetting = { ...HUNT_SETTING, reorder: engine === 'stress-reorder' };
  return {
    ...runOf(mutant, engine, {}),
    ...columnOf(engine),
    setting,
    rules: [],
    by: 'observation',
    why,
    flags: flagsOf(setting),
  };
}

function columnOf(column: Engine): Pick<Case, 'column' | 'engine'> {
  return { column, engine: column === 'explore' ? 'explore' : 'stress' };
}

function runOf(
  mutant: Mutant,
  column: Engine,
  cpu: Partial<CpuModel>,
): Pick<Case, 'mutant' | 'protocol' | 'twin' | 'cpu'> {
  const subject = subjectOf(mutant, columnOf(column).engine);
  const twin = protocolNamed(subject.twin);
  const protocol = subject.protocol ?? twin;
  return { mutant, protocol, twin, cpu: cpuFor({ cpu: { ...twin.cpu, ...protocol.cpu } }, cpu) };
}

/** The setting as flags of `stress` or `explore`; empty for the default one. */
export function flagsOf(setting: HuntSetting, cpu: Partial<CpuModel> = {}): string {
  const flags: string[] = [];
  if (setting.reorder) flags.push('--reorder');
  for (const { site, ns } of setting.delays) flags.push(`--delay ${site}=${ns}`);
  if (setting.scenario !== HUNT_SETTING.scenario) flags.push(`--scenario ${setting.scenario}`);
  if (setting.level !== HUNT_SETTING.level) flags.push(`--level ${setting.level}`);
  if (setting.vcpus !== HUNT_SETTING.vcpus) flags.push(`--vcpus ${setting.vcpus}`);
  if (setting.against !== null) flags.push(`--against ${setting.against}`);
  const knobs = describeCpu(cpuFor({}, cpu))
    .split(',')
    .filter((knob) => (knob.split('=')[0] as string) in cpu);
  if (knobs.length > 0) flags.push(`--cpu ${knobs.join(',')}`);
  if (setting.racesEntry) flags.push('(racing entries)');
  return flags.join(' ');
}
