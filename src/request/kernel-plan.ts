/** What `kernel` explores of a tree: every function on every CPU and level. */
import { createHash } from 'node:crypto';
import { availableParallelism } from 'node:os';
import { cpuFor, type CpuModel, cpuProblem } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import { ACCESSES_EXPLORED, EXPLORE_BOUNDS } from '../explore/protocol/machine/bounds.ts';
import { installChanceGuards } from '../explore/protocol/index.ts';
import { kernelTree, type KernelTree, type Offer, offersOf, PREFIX } from '../kernel/index.ts';
import type { KernelInfo } from '../result/explore.ts';
import { packageVersion } from '../result/version.ts';
import { parseCpu } from './cpu-knobs.ts';
import type { Search, Subject } from './explore.ts';
import { fileSource } from './sources.ts';
import { type KernelFields, referenceFor, refusingTree } from './kernel.ts';
import { userPath } from '../package/paths.ts';
import { loadProtocolFile } from './protocol-file.ts';
import { refusal, the } from './refusal.ts';
import { refuseExploredRings } from './rings.ts';
import { UsageError } from './usage-error.ts';

export interface KernelRequest extends Omit<KernelFields, 'kernel'> {
  /** One, or two that are compared. */
  readonly trees: readonly string[];
  /** Functions by name, such as kernel:map; all that a tree offers if absent. */
  readonly functions?: readonly string[];
  readonly cpu?: Partial<CpuModel>;
  readonly levels?: readonly BlockLevel[];
  /** Of the vCPU at most. */
  readonly accesses?: number;
  /** Each step left out, weakened and moved in turn. */
  readonly mutate?: boolean;
  /** For one search. */
  readonly timeMs?: number;
  /** Threads at most; one for each CPU if absent. */
  readonly jobs?: number;
}

/** One function of a tree, on one level: its searches differ in the CPU. */
export interface KernelTask {
  readonly info: KernelInfo;
  /** Absolute. */
  readonly folder: string;
  readonly searches: readonly Search[];
}

export interface KernelPlan {
  /** By tree. */
  readonly trees: readonly (readonly KernelTask[])[];
  readonly mutate: boolean;
  readonly timeMs: number;
  readonly jobs: number;
  /** What it was made of: threads make it again. */
  readonly request: KernelRequest;
}

const CPUS = ['bbm=0', 'bbm=1', 'bbm=2', 'bbm=3'] as const;
const LEVELS: readonly BlockLevel[] = [2, 1];

/** Compiles the trees. Throws a usage error. */
export async function kernelPlan(request: KernelRequest): Promise<KernelPlan> {
  const { trees: texts, mutate = false, timeMs = EXPLORE_BOUNDS.timeMs } = request;
  if (mutate && texts.length > 1) {
    throw refusal`${the('mutate')} takes one tree; two are compared as they are`;
  }
  installChanceGuards();
  const trees: (readonly KernelTask[])[] = [];
  for (const text of texts) trees.push(await tasksOf(request, text));
  return { trees, mutate, timeMs, jobs: request.jobs ?? availableParallelism(), request };
}

async function tasksOf(request: KernelRequest, text: string): Promise<readonly KernelTask[]> {
  const folder = userPath(text);
  const tree = refusingTree(folder, text, () => kernelTree(folder));
  const levels = request.levels ?? (request.mutate === true ? [2 as const] : LEVELS);
  const cpus = cpusOf(request);
  const timeMs = request.timeMs ?? EXPLORE_BOUNDS.timeMs;
  const tasks: KernelTask[] = [];
  for (const offer of offersWanted(request, tree, text)) {
    const subject = await subjectOf(folder, text, offer, request);
    const tlb = request.kernelTlb ?? 'vhe';
    const shared = offer.lock === 'shared';
    for (const level of levels) {
      const accesses = request.accesses ?? accessesOf(offer, level);
      const fingerprint = fingerprintOf(subject, accesses, timeMs);
      const tells = { version: tree.version, function: offer.symbol, tlb, shared, tree: text };
      const info: KernelInfo = { ...tells, fingerprint };
      const searches = cpus.map((cpu): Search => ({
        subject,
        cpu,
        level,
        granule: 'tiny',
        regions: 1,
        vcpus: 1,
        scenario: 'adjust-populated',
        accesses,
      }));
      tasks.push({ info, folder, searches });
    }
  }
  return tasks;
}

/** Another text, `--kernel-tlb`, `--kernel-caps`, `--accesses`, `--time` or program gives other results. */
function fingerprintOf({ source }: Subject, accesses: number, timeMs: number): string {
  const options = source?.name.slice(source.name.lastIndexOf('kernel')) ?? '';
  const parts = [source?.text, options, accesses, timeMs, packageVersion()];
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex').slice(0, 16);
}

function offersWanted(
  { functions }: KernelRequest,
  tree: KernelTree,
  text: string,
): readonly Offer[] {
  const offers = offersOf(tree);
  if (functions === undefined) return offers;
  return functions.map((name) => {
    const offer = offers.find((each) => PREFIX + each.name === name);
    if (offer !== undefined) return offer;
    const has = offers.map((each) => PREFIX + each.name).join(', ');
    throw refusal`${the('functions')}: ${text}, v${tree.version}, offers no ${name}; it has ${has}`;
  });
}

/**
 * A split of level 1 stores twice to each of six new entries, each time with release, and a table of level
 * 1 is unmapped entry by entry with a flush for each: with two accesses there are more orders than fit into
 * a search, and an access before the change shows nothing there that level 2 does not.
 */
function accessesOf({ kind, form }: Offer, level: BlockLevel): number {
  const isLong = kind === 'split' || form === 'unmap-table';
  return isLong && level === 1 ? 1 : ACCESSES_EXPLORED;
}

async function subjectOf(
  folder: string,
  text: string,
  { name }: Offer,
  request: KernelRequest,
): Promise<Subject> {
  try {
    const { path, protocol } = await loadProtocolFile(referenceFor(folder, name, request));
    const source = fileSource(path);
    return { protocol, source, mutant: null, sequence: null, settings: {}, exhibit: null };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(error.message.replaceAll(folder, text));
  }
}

/** The tree's code asks for no level of FEAT_BBM: what differs is what the CPU makes of it. */
function cpusOf({ cpu = {} }: KernelRequest): readonly CpuModel[] {
  const { bbm, ...rest } = cpu;
  const cpus =
    bbm === undefined
      ? CPUS.map((text) => cpuFor({}, { ...rest, ...parseCpu(text) }))
      : [cpuFor({}, { ...rest, bbm })];
  const problem = cpus.map(cpuProblem).find((each) => each !== null) ?? null;
  if (problem !== null) throw refusal`${the('cpu')}: ${problem}`;
  refuseExploredRings(cpus);
  return cpus;
}
