/**
 * Result of `explore`: plain data, the one type every report is made from. Field names of the JSON
 * contract keep their meaning; more may be added.
 */
import type { ResultHeader } from './header.ts';
import { type Rule, RULES } from './rule.ts';
import type { CpuResult } from './stress.ts';

/**
 * `safe`: no execution within the bounds breaks a rule, and no bound was met. `bounded`: none was
 * found, but a bound stopped the search.
 */
export type ExploreVerdict = 'safe' | 'violated' | 'bounded';

/** As in jcstress: forbidden breaks a rule, interesting is allowed and worth knowing. */
export const OUTCOME_GRADES = ['acceptable', 'interesting', 'forbidden'] as const;
export type OutcomeGrade = (typeof OUTCOME_GRADES)[number];

/** What the accesses of the vCPUs came to in some executions. */
export interface ExploreOutcome {
  readonly id: string;
  /** Executions that end so; null where they were not counted. */
  readonly count: number | null;
  readonly grade: OutcomeGrade;
  /** One sentence. */
  readonly why: string;
}

/** One step of a schedule, in the order in which the steps take effect. */
export interface ExploreStep {
  /** `hypervisor`, of two `hypervisor n`, `vcpu n`, or `vcpu in its fault`, of two `1st …`. */
  readonly thread: string;
  readonly op: string;
  readonly detail: string;
  /** As sentences cite it. Absent: its place in the list, from 1; null: it has none. */
  readonly number?: number | null;
  /** One sentence, with the rule of the architecture. */
  readonly why?: string;
}

export interface ExploreViolation {
  readonly rule: Rule;
  readonly why: string;
  /** `schedule`: an execution that shows it. `operations`: the protocol's own steps do. */
  readonly by: 'schedule' | 'operations';
  /**
   * By operations only: the search was whole, and none of its executions breaks a rule. `why` then
   * ends with the rule it is against.
   */
  readonly noExecution?: true;
  readonly steps: readonly ExploreStep[];
  /** By schedule: operations of the hypervisor that take effect only behind the last step. Absent: none. */
  readonly toCome?: readonly ExploreStep[];
  /** `npm run replay -- TOKEN` shows the schedule again, step by step. */
  readonly token: string | null;
  /** The protocol's file, where the token has no room for all of its path: what replay's --protocol takes. */
  readonly replayFile?: string;
  /** Why there is no token, where one does not fit. Absent: there is one, or none can be. */
  readonly noToken?: string;
}

/** Everything that limits a search, by name. */
export interface ExploreBoundValues {
  readonly events: number;
  /** Absent: there is none, as memory is what limits it. */
  readonly states?: number;
  /** Absent: states do. */
  readonly memoryBytes?: number;
  readonly nodes: number;
  readonly timeMs: number;
  readonly operations: number;
  readonly tables: number;
  /** Guest programs gone through, and the most accesses one of them has. */
  readonly programs: number;
  readonly accesses: number;
}

export const ABLATION_CHANGES = ['omitted', 'weakened', 'moved'] as const;

/** A change without which a sequence stays wrong. */
export interface MissingStep {
  /** Place in the text of the sequence, from 1. */
  readonly line: number;
  readonly column: number;
  /** `dsb nshst -> dsb ish`, or what has to be there too, and behind which step. */
  readonly fix: string;
  /** What is broken if this is all that is still missing. */
  readonly rule: Rule | null;
  readonly why: string;
}

/** One step of a protocol, left out or changed in one way. */
export interface AblationRow {
  /** From 1, in the order of the protocol. */
  readonly step: number;
  /** In the words of plain sequences. */
  readonly operation: string;
  /** In the protocol's source; null where it is not known. */
  readonly line: number | null;
  readonly change: (typeof ABLATION_CHANGES)[number];
  /** What stands there instead; null for nothing. */
  readonly to: string | null;
  /** A rule is broken that the protocol as it is keeps, on some CPU that was explored. */
  readonly needed: boolean;
  readonly rules: readonly Rule[];
  /** Those it is needed on, as `--cpu` takes them. */
  readonly cpus: readonly string[];
  /** For each of these CPUs those of the rules that are broken there; absent in results of old. */
  readonly rulesOn?: readonly (readonly Rule[])[];
  /** Shows the first of the rules on the first of the CPUs. */
  readonly token: string | null;
  /** As of a violation. */
  readonly replayFile?: string;
  /** Of a step that is not needed: why it may still be there. Null also where that cannot be told. */
  readonly why: string | null;
  /** Of a step that is not known to be needed: the protocol is wrong as it is on each of the CPUs. */
  readonly isOpen?: true;
  /** CPUs on which a bound ended the search before it had found anything. */
  readonly bounded: readonly string[];
}

/** Of a function of a kernel tree: which one. */
export interface KernelInfo {
  /** As the tree's Makefile has it. */
  readonly version: string;
  readonly function: string;
  /** Whose tlb.c. */
  readonly tlb: 'vhe' | 'nvhe';
  /** Called with the lock held for reading. */
  readonly shared: boolean;
  /** The tree, as it was named. */
  readonly tree: string;
  /** Of the text that was compiled, of the flags it was compiled and run with, and of this program. */
  readonly fingerprint?: string;
}

/** One change of a tree's code. */
export interface MutationRow extends AblationRow {
  /** `needed` without rules: the code itself stopped, and `why` says at which of its checks. */
  /** Below the tree's folder; null where it is not known. */
  readonly file: string | null;
}

/** Of a protocol that was run with what software does about an erratum of TLBI completion. */
export interface Repaired {
  /** As it is without, and the one beside it. */
  readonly protocol: string;
  readonly against?: string;
  /** `repeat`: a second TLBI and DSB behind each stage-1 flush; `interrupt`: one to each PE. */
  readonly by: 'repeat' | 'interrupt';
}

export interface ExploreRun {
  /** Absent: `adjust-populated`, the transition and nothing beside it. */
  readonly scenario?: 'two-vms';
  /** With `repaired` it is named after both. */
  readonly protocol: string;
  readonly mutant: string | null;
  /** With --errata, of one that is repaired; absent: it is as it is. */
  readonly repaired?: Repaired;
  /** The protocol that a second hypervisor ran beside it; null, and in older results absent: none. */
  readonly against?: string | null;
  /** That one, or both, are handlers of a vCPU's fault, and are run by one that is none of `vcpus`. */
  readonly handlers?: 1 | 2;
  readonly cpu: CpuResult;
  /** Of tables with two entries each, or four. */
  readonly granule: 'tiny' | 'tiny4';
  /** Of several entries beside each other, changed one after the other; absent: one. */
  readonly regions?: 2;
  /** Of a search that shards have split: what this is of it; absent: all. */
  readonly part?: ExplorePart;
  readonly level: 1 | 2;
  readonly vcpus: number;
  readonly verdict: ExploreVerdict;
  /** Prefixes of global orders gone through. */
  readonly states: number;
  /** Executions: a global order and one way through it for each thread. */
  readonly executions: number;
  /** Consistent global orders, counted once where no thread can tell them apart. */
  readonly orders: number;
  readonly elapsedMs: number;
  readonly bounds: ExploreBoundValues;
  /** The bound that stopped the search; null if it was exhaustive. */
  readonly stoppedBy: string | null;
  /** What is behind that, where it is known: what a loop waits for. */
  readonly stoppedWhy?: string;
  /** A broken claim that is shown on purpose and does not turn the verdict: why; absent else. */
  readonly exhibit?: string;
  readonly outcomes: readonly ExploreOutcome[];
  /** The worst violation, with the shortest schedule that shows it. */
  readonly violation: ExploreViolation | null;
  /** One per rule that was broken, the worst first. */
  readonly violations: readonly ExploreViolation[];
  /**
   * Of a plain sequence that is violated: a smallest set of changes that makes it safe on this CPU; null
   * if none was found.
   */
  readonly missing?: readonly MissingStep[] | null;
  /** With --ablate: what each step of the protocol is for, on all CPUs it was explored on. */
  readonly ablation?: readonly AblationRow[];
  readonly kernel?: KernelInfo;
  /** With --mutate: every change of the code that was reached, on all CPUs it was explored on. */
  readonly mutation?: readonly MutationRow[];
  /** What is no violation and still worth knowing; also what the model leaves out of this CPU. */
  readonly notes: readonly string[];
  /** Those of them that are about what the protocol does; absent: none. */
  readonly protocolNotes?: readonly string[];
}

/** A stretch of the guest programs of one search: from `from` to before `to`, counted in `of` equal parts. */
export interface ExplorePart {
  readonly from: number;
  readonly to: number;
  readonly of: number;
}

/** A protocol that could not be explored: it threw, or does not do the same every time. */
export interface ExploreFailure {
  readonly protocol: string;
  readonly why: string;
}

export interface ExploreResult extends ResultHeader<'explore'> {
  /** Absent: there are none. The others' runs are whole; exit code 70 if none of them is violated. */
  readonly failures?: readonly ExploreFailure[];
  /** What was left out of what was asked for; absent: nothing. */
  readonly remarks?: readonly string[];
  readonly runs: readonly ExploreRun[];
}

/** What names a cause; the others are what comes of one. */
export const CAUSES: ReadonlySet<Rule> = new Set(['break-before-make', 'freed-table']);

/** The steps that are wrong first, as they come; then what comes of them, in the rules' order. */
export function causesFirst(a: ExploreViolation, b: ExploreViolation): number {
  const isCause = ({ rule, by }: ExploreViolation): boolean =>
    by === 'operations' && CAUSES.has(rule);
  if (isCause(a) || isCause(b)) return Number(isCause(b)) - Number(isCause(a));
  const shown = Number(a.by === 'operations') - Number(b.by === 'operations');
  return shown || RULES.indexOf(a.rule) - RULES.indexOf(b.rule);
}

/** Forbidden ones first, then by text. */
export function worstFirst(a: ExploreOutcome, b: ExploreOutcome): number {
  const rank = ({ grade }: ExploreOutcome): number => -OUTCOME_GRADES.indexOf(grade);
  return rank(a) - rank(b) || (a.id < b.id ? -1 : 1);
}

/** `level 2`; of a machine that is larger than usual `2 regions, tiny4, level 2`. */
export function levelText({
  granule,
  regions = 1,
  level,
}: Pick<ExploreRun, 'granule' | 'level'> & { readonly regions?: 1 | 2 }): string {
  const size = [
    ...(regions > 1 ? [`${regions} regions`] : []),
    ...(granule === 'tiny' ? [] : [granule]),
  ];
  return [...size, `level ${level}`].join(', ');
}

/** Of bounds that a flag moves. */
const BY_FLAG: Readonly<Record<string, string>> = {
  timeMs: 'the bound on time was met (--time)',
  memoryBytes: 'the bound on memory was met (--memory)',
};

/** What stopped a search, in words. `stoppedBy`: as a run has it. */
export function boundMet(stoppedBy: string): string {
  return BY_FLAG[stoppedBy] ?? `the bound on ${stoppedBy} was met`;
}
