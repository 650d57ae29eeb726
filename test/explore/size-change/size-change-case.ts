/**
 * What a small test of a size change is: a weak protocol, its fully synchronised twin, and what each
 * comes to on every kind of CPU. No published suite has verdicts for these; ours are argued for in
 * the files of `cases`, from the rules of the Arm ARM (DDI 0487, D8.16 and D8.17) that they name.
 */
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import type { GuestProgram } from '../../../src/explore/protocol/index.ts';
import {
  childLevel,
  type Claims,
  type Cpu,
  defineProtocol,
  EMPTY,
  type Protocol,
  type ProtocolKind,
  type Tables,
  type Transition,
} from '../../../src/port/index.ts';
import type { Rule } from '../../../src/result/rule.ts';

/** Every choice of the architecture that can make a difference to a size change. */
export const CPUS = {
  'bbm=0 abort': { bbm: [0], multihit: 'abort' },
  'bbm=0 old': { bbm: [0], multihit: 'old' },
  'bbm=0 new': { bbm: [0], multihit: 'new' },
  'bbm=0 amalgamate': { bbm: [0], multihit: 'amalgamate' },
  'bbm=1 translate': { bbm: [1], multihit: 'abort', nt: 'translate' },
  'bbm=1 conflict': { bbm: [1], multihit: 'abort', nt: 'conflict' },
  'bbm=1 fault': { bbm: [1], multihit: 'abort', nt: 'fault' },
  'bbm=1 ignored': { bbm: [1], multihit: 'abort', nt: 'ignored' },
  'bbm=2 abort': { bbm: [2], multihit: 'abort' },
  'bbm=2 old': { bbm: [2], multihit: 'old' },
  'bbm=2 new': { bbm: [2], multihit: 'new' },
  'bbm=3 old': { bbm: [3], multihit: 'old' },
  'bbm=3 new': { bbm: [3], multihit: 'new' },
} as const satisfies Record<string, Partial<CpuModel>>;
export type CpuName = keyof typeof CPUS;

export const EVERY_CPU = Object.keys(CPUS) as CpuName[];

/** Where two matching entries make a TLB conflict abort. */
export const ABORTING = EVERY_CPU.filter((name) => CPUS[name].multihit === 'abort');
/** Where they make a mixture of the two. */
export const MIXING: readonly CpuName[] = ['bbm=0 amalgamate'];
/** Where one of them is used. */
export const CHOOSING = EVERY_CPU.filter(
  (name) => !ABORTING.includes(name) && !MIXING.includes(name),
);

export interface Expected {
  readonly on: readonly CpuName[];
  /** Rules that a schedule shows broken, by name. */
  readonly shown: readonly Rule[];
  /** Does the checker's automaton find fault with the operations themselves? */
  readonly breakBeforeMake: 'kept' | 'broken';
  /** Ids of the forbidden outcomes, by name. */
  readonly forbidden: readonly string[];
  /** What some violation has to give as its reason. */
  readonly because?: string;
}

export interface Side {
  readonly protocol: Protocol;
  readonly expected: readonly Expected[];
}

export interface SizeChangeCase {
  /** As the file is called. */
  readonly name: string;
  /** The page that the guest loads from, where it is not the first. */
  readonly page?: number;
  readonly weak: Side;
  readonly synchronised: Side;
}

/** One load at any time around the transition, or one after it. */
export function loadsOf(page: number): GuestProgram[] {
  const load = { kind: 'load', page } as const;
  return [
    { early: [load], late: [] },
    { early: [], late: [load] },
  ];
}

/** Safe on every CPU. */
export const SAFE: readonly Expected[] = [
  { on: EVERY_CPU, shown: [], breakBeforeMake: 'kept', forbidden: [] },
];

type Steps = (cpu: Cpu, t: Transition, tables: Tables) => void;

function protocol(kind: ProtocolKind, summary: string, claims: Claims, run: Steps): Protocol {
  return defineProtocol({ name: 'size-change', kind, summary, origin: 'here', claims, run });
}

/** Table to block; claims nothing. */
export function coalesce(summary: string, run: Steps): Protocol {
  return protocol('coalesce', summary, {}, run);
}

/** Block to table; claims nothing. */
export function split(summary: string, run: Steps): Protocol {
  return protocol('split', summary, {}, run);
}

/** Break-before-make (R_DDMVT) with `flush` between break and make. */
export function coalesceBroken(summary: string, flush: Steps): Protocol {
  return coalesce(`invalidate, ${summary}, block, tear down`, (cpu, t, tables) => {
    cpu.write(t.entry, EMPTY);
    flush(cpu, t, tables);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(tables.follow(t.old), childLevel(t.level));
    cpu.dsb('ishst');
  });
}

/**
 * Two sizes side by side until the flush is complete, on a CPU of `on`, where the change was not
 * made in the way its BBM level asks for: below level 2, that is.
 */
export function twoSizes(kind: 'abort' | 'mix' | 'choose', on: readonly CpuName[]): Expected[] {
  const level2 = (name: CpuName): boolean => CPUS[name].bbm[0] >= 2;
  const groups = [
    { on: on.filter((name) => !level2(name)), breakBeforeMake: 'broken' },
    { on: on.filter(level2), breakBeforeMake: 'kept' },
  ] as const;
  const outcome = {
    abort: { shown: ['tlb-conflict'], forbidden: ['around: conflict'], because: 'R_FVQCK' },
    mix: {
      shown: ['wrong-output-address'],
      forbidden: ['around: amalgamation'],
      because: 'R_FVQCK',
    },
    choose: { shown: [], forbidden: [] },
  } as const;
  return groups.map((group) => ({ ...group, ...outcome[kind] }));
}

/**
 * Old translations that outlive the transition: they are used after it, and they meet the block.
 * `tables`: old table entries do, too, and lead walks into the freed page.
 */
export function leftovers(because: string, { tables }: { tables: boolean }): Expected[] {
  const phases = ['after', 'around'];
  const freed = tables ? phases.map((phase) => `${phase}: freed table`) : [];
  const common = { breakBeforeMake: 'broken', because } as const;
  const shown: Rule[] = ['stale-translation', ...(tables ? (['freed-table'] as const) : [])];
  const group = (
    on: readonly CpuName[],
    rules: readonly Rule[],
    word: string | null,
  ): Expected => ({
    ...common,
    on,
    shown: [...shown, ...rules].toSorted(),
    forbidden: [
      ...(word === null ? [] : phases.map((phase) => `${phase}: ${word}`)),
      ...freed,
      'after: stale old',
    ].toSorted(),
  });
  return [
    group(ABORTING, ['tlb-conflict'], 'conflict'),
    group(MIXING, ['wrong-output-address'], 'amalgamation'),
    group(CHOOSING, [], null),
  ];
}
