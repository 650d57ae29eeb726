/** What `kernel` explores of a tree: every function on every CPU and level. */
import { parseCpu } from './cpu-knobs.ts';
import { cpuFor, type CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import { ACCESSES_EXPLORED } from '../explore/protocol/bounds.ts';
import { unsupportedReason } from '../explore/protocol/cpu.ts';
import { kernelTree, type KernelTree, type Offer, offersOf, PREFIX } from '../kernel/index.ts';
import type { KernelInfo } from '../result/explore.ts';
import type { CommandInput } from './command.ts';
import { fileSource, type Search, type Subject } from './explore-plan.ts';
import { refusingTree, referenceFor } from './kernel-flags.ts';
import { userPath } from './paths.ts';
import { loadProtocolFile } from './protocol-file.ts';
import { UsageError } from './usage-error.ts';

const CPUS = ['bbm=0', 'bbm=1', 'bbm=2', 'bbm=3'] as const;
const LEVELS: readonly BlockLevel[] = [2, 1];

/** One function of a tree, on one level: its searches differ in the CPU. */
export interface KernelTask {
  readonly info: KernelInfo;
  /** Absolute. */
  readonly folder: string;
  readonly searches: readonly Search[];
}

/** Compiles the tree. Throws a usage error. */
export async function tasksOf(input: CommandInput, text: string): Promise<readonly KernelTask[]> {
  const { flags } = input;
  const folder = userPath(text);
  const tree = refusingTree(folder, text, () => kernelTree(folder));
  const levels = flags['explore-level'] ?? (flags.mutate === true ? [2] : LEVELS);
  const cpus = cpusOf(input);
  const tasks: KernelTask[] = [];
  for (const offer of offersWanted(input, tree, text)) {
    const subject = await subjectOf(folder, text, offer, input);
    const tlb = flags['kernel-tlb'] ?? 'vhe';
    const shared = offer.lock === 'shared';
    const info = { version: tree.version, function: offer.symbol, tlb, shared, tree: text };
    for (const level of levels) {
      const searches = cpus.map((cpu): Search => ({
        subject,
        cpu,
        level,
        vcpus: 1,
        scenario: 'adjust-populated',
        accesses: flags.accesses ?? accessesOf(offer, level),
      }));
      tasks.push({ info, folder, searches });
    }
  }
  return tasks;
}

function offersWanted({ flags }: CommandInput, tree: KernelTree, text: string): readonly Offer[] {
  const offers = offersOf(tree);
  const wanted = flags['kernel-protocol'];
  if (wanted === undefined) return offers;
  return wanted.map((name) => {
    const offer = offers.find((each) => PREFIX + each.name === name);
    if (offer !== undefined) return offer;
    const has = offers.map((each) => PREFIX + each.name).join(', ');
    throw new UsageError(`--protocol: ${text}, v${tree.version}, offers no ${name}; it has ${has}`);
  });
}

/**
 * A split of level 1 stores twice to each of six new entries, each time with release: with two accesses
 * there are more orders than fit into a search, and an access before the change shows nothing there that
 * level 2 does not.
 */
function accessesOf({ kind }: Offer, level: BlockLevel): number {
  return kind === 'split' && level === 1 ? 1 : ACCESSES_EXPLORED;
}

async function subjectOf(
  folder: string,
  text: string,
  { name }: Offer,
  { flags }: CommandInput,
): Promise<Subject> {
  const { path, protocol } = await loadProtocolFile(referenceFor(folder, name, flags)).catch(
    (error: unknown) => {
      if (!(error instanceof UsageError)) throw error;
      throw new UsageError(error.message.replaceAll(folder, text));
    },
  );
  const source = fileSource(path);
  return { protocol, source, mutant: null, sequence: null, settings: {}, exhibit: null };
}

/** The tree's code asks for no level of FEAT_BBM: what differs is what the CPU makes of it. */
function cpusOf({ flags }: CommandInput): readonly CpuModel[] {
  const { bbm, ...rest } = flags.cpu ?? {};
  const cpus =
    bbm === undefined
      ? CPUS.map((text) => cpuFor({}, { ...rest, ...parseCpu(text) }))
      : [cpuFor({}, { ...rest, bbm })];
  for (const cpu of cpus) {
    const problem = unsupportedReason(cpu, 'adjust-populated');
    if (problem !== null) throw new UsageError(problem);
  }
  return cpus;
}
