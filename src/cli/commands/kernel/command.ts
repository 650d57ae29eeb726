/** `kernel`: everything that a tree offers on every CPU; what its steps are for; two trees side by side. */
import path from 'node:path';
import {
  type ExplorationResult,
  operationsOf,
  runKernel,
  type SearchAt,
  titleOf,
} from '../../../exploration/index.ts';
import { commandLine, shellWord } from '../../../package/command-line.ts';
import { endLines } from '../../../report/text/explore-text.ts';
import {
  comparedLines,
  type ComparedSteps,
  kernelLines,
  mutationLines,
} from '../../../report/text/kernel-text.ts';
import { type KernelPlan, kernelPlan } from '../../../request/kernel-plan.ts';
import { UsageError } from '../../../request/usage-error.ts';
import type { ExploreFailure, ExploreRun } from '../../../result/explore.ts';
import type { ExploreProgress } from '../../../explore/protocol/index.ts';
import type { Command } from '../../command.ts';
import { deliver, type JsonTarget, jsonTarget } from '../../files/delivery.ts';
import { checkOutputFile, isReplaceable } from '../../files/output-file.ts';
import { readResultFiles } from '../../files/result-files.ts';
import { outFolder } from '../../files/write-reports.ts';
import { inFlags } from '../../flags/request.ts';
import { showText } from '../../progress.ts';
import { watchSignals } from '../../signals.ts';
import type { Terminal } from '../../terminal.ts';
import { progressText } from '../explore/command.ts';
import { KERNEL_FLAGS, type KernelInput, kernelRequestOf } from './flags.ts';

/** Flags and trees first, then one function after the other. */
export async function kernel(input: KernelInput, terminal: Terminal): Promise<ExplorationResult> {
  const { flags } = input;
  const [json, out] = [jsonFile(flags), outFolder(flags.out)];
  const earlier = flags.resume === undefined ? [] : runsOf(flags.resume);
  const plan = await inFlags(KERNEL_FLAGS, () => kernelPlan(kernelRequestOf(input)));
  const result = await runShowing(plan, input, terminal, earlier);
  const quiet = flags.quiet === true;
  const { columns, paint } = terminal;
  const exitCode = await deliver(result, { json, out, quiet }, terminal, () => {
    const lines = quiet
      ? []
      : [
          ...(plan.trees.length > 1 ? compare(plan, terminal) : []),
          ...kernelLines(result.runs, columns, paint),
          ...mutationLines(result.runs, columns, paint),
        ];
    return `${[...lines, ...endLines(result, paint)].join('\n')}\n`;
  });
  return { ...result, exitCode };
}

/** A resumed run goes back to where it came from. */
function jsonFile({ json, resume }: KernelInput['flags']): JsonTarget | null {
  if (json !== undefined || resume === undefined) return jsonTarget(json);
  const file = checkOutputFile('resume', resume);
  if (isReplaceable(file)) return file;
  throw new UsageError(`--resume: ${resume} is no file that could be replaced; give --json, too`);
}

/** Whatever fits the plan of them is kept. */
function runsOf(name: string): readonly ExploreRun[] {
  const [result] = readResultFiles('kernel --resume', [name]);
  const runs = result?.command === 'explore' ? result.runs : [];
  if (runs.some(({ kernel: info }) => info !== undefined)) return runs;
  throw new UsageError(`kernel --resume: ${name}: no result of kernel; name one that --json wrote`);
}

async function runShowing(
  plan: KernelPlan,
  { flags, argv }: KernelInput,
  terminal: Terminal,
  earlier: readonly ExploreRun[],
): Promise<ExplorationResult> {
  const progress = showText(flags.quiet === true ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  try {
    const hooks = {
      signal: interrupt.signal,
      argv,
      onProgress: (step: ExploreProgress, { protocol, position, of, elapsedMs }: SearchAt) =>
        progress.update(progressText(step, `${position} of ${of}: ${protocol}`, elapsedMs)),
      onFailure: ({ why }: ExploreFailure) => {
        progress.clear();
        terminal.err(`stage2-stress: ${why}\n`);
      },
    };
    return await runKernel(plan, hooks, earlier);
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

/** Of each function and level that either tree has. */
function compare({ trees }: KernelPlan, { columns, paint }: Terminal): string[] {
  const [older = [], newer = []] = trees;
  const names = new Set([...older, ...newer].map(titleOf));
  const stepsIn = (tree: typeof older, name: string): readonly string[] | null => {
    const task = tree.find((each) => titleOf(each) === name);
    return task === undefined ? null : operationsOf(task);
  };
  const compared = [...names].map((name): ComparedSteps => ({
    name,
    old: stepsIn(older, name),
    new: stepsIn(newer, name),
  }));
  const versionOf = (tree: typeof older): string => `v${tree[0]?.info.version ?? ''}`;
  const lines = comparedLines(compared, [versionOf(older), versionOf(newer)], columns, paint);
  const measured = besideEachOther([older, newer]);
  return measured === null ? lines : [...lines, measured, ''];
}

/** The command that measures, in turns, how either tree coalesces; null: nothing, or no list names it. */
function besideEachOther(trees: KernelPlan['trees']): string | null {
  const files = trees.map((tasks) => {
    const found = tasks.find(({ searches }) => searches[0]?.subject.protocol.kind === 'coalesce');
    const name = found?.searches[0]?.subject.protocol.name ?? '';
    const isUsual = found?.searches[0]?.subject.source?.name.endsWith(name) === true;
    return isUsual ? path.join(found?.info.tree ?? '', name) : null;
  });
  if (files.some((file) => file === null || file.includes(','))) return null;
  return `measured in turns: ${commandLine(`stress -- --protocol ${shellWord(files.join())}`)}`;
}

export const command: Command<typeof KERNEL_FLAGS> = {
  positionals: { name: '<tree> [<tree>]', min: 1, max: 2 },
  about:
    "Compiles a kernel tree's own arch/arm64/kvm/hyp/pgtable.c and tlb.c, as they are, behind the port, " +
    'and explores every function that changes the size of a mapping: on CPUs of every BBM level, on both ' +
    'levels of the block, with the lock held exclusively and, where the version knows that, for reading. ' +
    '--mutate leaves out, weakens and moves each step that these functions take, and says which is needed ' +
    'where. Two trees are shown side by side: operations of each function, and verdicts. It takes a C ' +
    'compiler (docs/c-protocols.md); nothing of a tree is kept but in the cache of the user.',
  examples: [
    { command: 'kernel -- ~/linux', why: 'every function on every CPU, one table' },
    { command: 'kernel -- ~/linux --mutate', why: 'which barrier, TLBI, get and put is needed' },
    {
      command: 'kernel -- ~/linux --mutate --resume mutants.json',
      why: 'the same, going on where an earlier run was stopped',
    },
    { command: 'kernel -- ~/linux-old ~/linux', why: 'what changed between two trees' },
    {
      command: 'kernel -- ~/linux --kernel-tlb nvhe --kernel-caps ttl,tlbirange,fwb',
      why: 'with the flushes of nVHE, on a CPU with range TLBIs and FWB',
    },
  ],
  flags: KERNEL_FLAGS,
  run: async (input, terminal) => (await kernel(input, terminal)).exitCode,
};
