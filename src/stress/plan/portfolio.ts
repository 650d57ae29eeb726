/**
 * From options to groups: which configurations run, with how much of the time each.
 *
 * Without flags it is the portfolio that answers the question of 2021 in under a minute on two
 * cores. With flags it is what was asked for: every scenario x level x vCPU count, all protocols of
 * one such cell in one group, interleaved.
 */
import { availableParallelism } from 'node:os';
import { cpuFor, type CpuModel } from '../../arch/cpu-model.ts';
import type { BlockLevel } from '../../arch/geometry.ts';
import { loadMutants } from '../../mutants/load.ts';
import { PROTOCOLS } from '../../protocols/index.ts';
import { scenarioNamed, scenarioOfKind, suits } from '../../scenarios/index.ts';
import type { GroupRequest } from './group-request.ts';
import type { PlanItem, ProtocolSource } from './group.ts';
import { loadProtocol } from './load-protocol.ts';
import { isServed, type ProtocolRef, recordsFor, type StressOptions } from './plan.ts';
import { PLAIN_GROUP, spinsFor } from './plain-group.ts';
import type { PlannedGroup, PlannedItem } from './planned-group.ts';
import { roundsOfRepeat, seedOfRepeat } from './repeats.ts';
import { type Pace, shorterRound } from './schedule.ts';
import {
  changesSize,
  type MachineBug,
  type Protocol,
  type ProtocolKind,
} from '../../port/index.ts';

/** Whole-GiB transitions take milliseconds: a round of many would be one sample. */
const TRANSITIONS_AT_LEVEL_1 = 2;
/** Each has several passes over memory in which the guests must come to run. */
const MIGRATIONS_PER_ROUND = 4;

interface Choice {
  readonly protocols: readonly string[];
  readonly scenario: string;
  readonly level: BlockLevel;
  readonly vcpus: number;
  readonly cpu: Partial<CpuModel>;
  readonly weight: number;
}

const COALESCE = PROTOCOLS.filter((p) => p.kind === 'coalesce').map((p) => p.name);
const SPLIT = PROTOCOLS.filter((p) => p.kind === 'split').map((p) => p.name);
const populated = 'adjust-populated';

const PORTFOLIO: readonly Choice[] = [
  { protocols: COALESCE, scenario: populated, level: 2, vcpus: 1, cpu: {}, weight: 8 },
  {
    protocols: ['bbm-early', 'rfc-nt-posted', 'rfc-nt-intended'],
    scenario: populated,
    level: 2,
    vcpus: 1,
    cpu: { tlb: 0, walkcache: false },
    weight: 4,
  },
  {
    protocols: ['rfc-nt-intended', 'nt-spec'],
    scenario: populated,
    level: 2,
    vcpus: 1,
    cpu: { nt: 'fault' },
    weight: 2,
  },
  {
    protocols: ['bbm-late', 'bbm-early', 'bbm-early-range', 'rfc-nt-intended'],
    scenario: populated,
    level: 1,
    vcpus: 1,
    cpu: {},
    weight: 7,
  },
  {
    protocols: ['bbm-late', 'bbm-early', 'rfc-nt-intended'],
    scenario: 'adjust-half',
    level: 2,
    vcpus: 1,
    cpu: {},
    weight: 3,
  },
  {
    protocols: ['bbm-late', 'bbm-early', 'bbm-early-locked', 'rfc-nt-intended'],
    scenario: populated,
    level: 2,
    vcpus: 4,
    cpu: {},
    weight: 4,
  },
  { protocols: SPLIT, scenario: populated, level: 2, vcpus: 1, cpu: {}, weight: 3 },
  {
    protocols: ['bbm-late', 'bbm-early', 'bbm-early-locked', 'rfc-nt-intended'],
    scenario: 'migration-cancel',
    level: 2,
    vcpus: 1,
    cpu: {},
    weight: 4,
  },
];

/** Nothing was said of what to compare: the portfolio is it. */
export function isPortfolio({ explicit }: Pick<StressOptions, 'explicit'>): boolean {
  const choices = [
    ...(['protocols', 'mutants', 'scenarios'] as const),
    ...(['levels', 'vcpus', 'cpuOverrides', 'granule'] as const),
  ];
  return !choices.some((field) => explicit.includes(field));
}

export async function planGroups(options: StressOptions): Promise<readonly PlannedGroup[]> {
  if (isPortfolio(options))
    return PORTFOLIO.map((choice) =>
      groupOf(choice, builtIns(choice.protocols, choice.cpu, options)),
    );

  const all = await itemsOf(options);
  const machines = byMachine(all);
  const usual = [...new Set(all.map(({ protocol }) => scenarioOfKind(protocol.kind)))];
  const groups: PlannedGroup[] = [];
  for (const scenario of options.scenarios.length > 0 ? options.scenarios : usual) {
    for (const level of options.levels) {
      for (const vcpus of options.vcpus) {
        for (const machine of machines) {
          const items = machine.filter(
            ({ protocol }) =>
              suits(scenarioNamed(scenario), protocol) &&
              (options.scenarios.length > 0 || scenarioOfKind(protocol.kind) === scenario),
          );
          if (items.length === 0) continue;
          const cpu = options.cpuOverrides;
          const group = groupOf({ scenario, level, vcpus, cpu, weight: items.length }, items);
          const { against } = options;
          groups.push(
            against === undefined
              ? group
              : { ...group, label: `${group.label}, against ${against.name}` },
          );
        }
      }
    }
  }
  return groups;
}

/**
 * A group's threads run on one machine: protocols that ask for another TLB geometry, speculation,
 * hardware updates or seeded bug make a group of their own, and so do those of a kind that changes no
 * size, because others do its work in its scenario. What the CPU does with nT or two matches may differ.
 */
function byMachine(items: readonly PlannedItem[]): readonly (readonly PlannedItem[])[] {
  const machines = new Map<string, PlannedItem[]>();
  for (const planned of items) {
    const { cpu, bug } = planned.item;
    const key = machineKey(cpu, bug, planned.protocol.kind);
    const same = machines.get(key);
    if (same === undefined) machines.set(key, [planned]);
    else same.push(planned);
  }
  return [...machines.values()];
}

/** Plan items of one group have the same. */
export function machineKey(cpu: CpuModel, bug: MachineBug | null, kind: ProtocolKind): string {
  const work = changesSize(kind) ? 'size' : kind;
  return JSON.stringify([
    cpu.tlb,
    cpu.walkcache,
    cpu.spec,
    cpu.hafdbs,
    cpu.hdbss,
    cpu.tlbi,
    bug,
    work,
  ]);
}

function groupOf(choice: Omit<Choice, 'protocols'>, items: readonly PlannedItem[]): PlannedGroup {
  const { scenario, level, vcpus, weight } = choice;
  const label = `${scenario}, level ${level}, ${vcpus} vCPU${vcpus === 1 ? '' : 's'}`;
  return { label, scenario, level, vcpus, items, repeat: 0, repeats: 1, weight };
}

function builtIns(
  names: readonly string[],
  cpu: Partial<CpuModel>,
  options: StressOptions,
): readonly PlannedItem[] {
  return names.map((name) => {
    const protocol = PROTOCOLS.find((p) => p.name === name);
    if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
    return {
      item: {
        protocol: { from: 'built-in', name },
        cpu: cpuFor(protocol, { ...cpu, ...options.cpuOverrides }),
        bug: null,
      },
      protocol,
      mutant: null,
      named: false,
    };
  });
}

function sourceOf({ named: _named, ...source }: ProtocolRef): ProtocolSource {
  return source;
}

function faultsOf({ kind }: Protocol, { faults }: StressOptions): Pick<PlanItem, 'faults'> {
  return faults === undefined || !isServed(kind) ? {} : { faults: sourceOf(faults) };
}

/** What was named; nothing named means every protocol, none of them by name. */
async function itemsOf(options: StressOptions): Promise<readonly PlannedItem[]> {
  if (options.protocols.length === 0 && options.mutants.length === 0) {
    return builtIns(
      PROTOCOLS.map((p) => p.name),
      {},
      options,
    );
  }
  const items: PlannedItem[] = [];
  for (const ref of options.protocols) {
    const source = sourceOf(ref);
    const protocol = await loadProtocol(source);
    const cpu = cpuFor(protocol, options.cpuOverrides);
    items.push({
      item: { protocol: source, cpu, bug: null, ...faultsOf(protocol, options) },
      protocol,
      mutant: null,
      named: ref.named,
    });
  }
  const mutants = options.mutants.length === 0 ? [] : await loadMutants();
  for (const name of options.mutants) {
    const mutant = mutants.find((m) => m.name === name);
    if (mutant === undefined) throw new Error(`no mutant is called ${name}`);
    const source: ProtocolSource = { from: 'mutant', name };
    const protocol = await loadProtocol(source);
    const bug = mutant.seed.kind === 'machine' ? mutant.seed.bug : null;
    items.push({
      item: { protocol: source, cpu: cpuFor(protocol, options.cpuOverrides), bug },
      protocol,
      mutant: name,
      named: true,
    });
  }
  return items;
}

/**
 * Without a time or rounds an explicit choice gets this much per row, within the portfolio's
 * time.
 */
const MS_PER_ROW = 2_500;

/** Of the whole campaign; null: until its rounds are done. */
export function budgetOf(options: StressOptions, groups: readonly PlannedGroup[]): number | null {
  if (options.timeMs === null || options.explicit.includes('timeMs')) return options.timeMs;
  const rows = groups.reduce((sum, { items }) => sum + items.length, 0);
  return Math.min(options.timeMs, 10_000 + rows * MS_PER_ROW);
}

/** Per round, where nobody said how many. */
function transitionsOf({ level, scenario }: PlannedGroup, options: StressOptions): number {
  if (level === 1) return TRANSITIONS_AT_LEVEL_1;
  const isMigration = scenarioNamed(scenario).work.kind === 'migration';
  return isMigration ? MIGRATIONS_PER_ROUND * options.blocks : options.transitions;
}

/** Shorter on a busy machine, unless rounds were asked for by number: then all of them are the same. */
function inRoundsOf(group: PlannedGroup, options: StressOptions, pace: Pace | null): number {
  const transitions = transitionsOf(group, options);
  return pace === null || options.rounds !== null ? transitions : shorterRound(transitions, pace);
}

/** Hypervisor threads that change tables. */
export function makersOf({ against }: Pick<StressOptions, 'against'>): 1 | 2 {
  return against === undefined ? 1 : 2;
}

/** vCPUs that can truly run at once beside so many of them. */
export function parallelVcpus(makers: 1 | 2 = 1): number {
  return Math.max(1, availableParallelism() - makers);
}

export function requestOf(
  group: PlannedGroup,
  options: StressOptions,
  seed: number,
  pin: readonly number[] | null,
  pace: Pace | null,
): GroupRequest {
  const { level, vcpus } = group;
  const transitions = options.explicit.includes('transitions')
    ? options.transitions
    : inRoundsOf(group, options, pace);
  const makers = makersOf(options);
  const tokens = Math.min(vcpus, parallelVcpus(makers));
  return {
    ...PLAIN_GROUP,
    ...(options.against === undefined ? {} : { against: options.against }),
    config: {
      granule: options.granule,
      level,
      blocks: options.blocks,
      vcpus,
      transitionsMax: recordsFor(transitions, options.blocks),
    },
    scenario: group.scenario,
    items: group.items.map(({ item, protocol, named }) =>
      named || protocol.exhibit === undefined ? item : { ...item, isExhibit: true },
    ),
    seed: seedOfRepeat(seed, group),
    access: options.access,
    pattern: options.pattern,
    storesPercent: options.storesPercent,
    transitions,
    reorder: options.reorder,
    delays: options.delays,
    roundsMax:
      options.rounds === null
        ? PLAIN_GROUP.roundsMax
        : roundsOfRepeat(options.rounds, group) * group.items.length,
    pin,
    tokens,
    spins: spinsFor(tokens, vcpus, makers),
    failsFast: options.failFast,
  };
}
