/** `kernel`: everything that a tree offers on every CPU; what its steps are for; two trees side by side. */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { recordSteps } from '../ablation/index.ts';
import {
  EXPLORE_BOUNDS,
  exploreInSteps,
  installChanceGuards,
  INTERRUPTED,
  ProtocolThrew,
} from '../explore/protocol/index.ts';
import { playProtocol } from '../explore/protocol/play.ts';
import { endLines } from '../report/explore-text.ts';
import {
  comparedLines,
  type ComparedSteps,
  kernelLines,
  mutationLines,
} from '../report/kernel-text.ts';
import { EXIT } from '../result/exit-code.ts';
import type { ExploreFailure, ExploreResult, ExploreRun } from '../result/explore.ts';
import { machineInfo } from '../stress/machine-info.ts';
import type { Command, CommandInput } from './command.ts';
import { deliver, jsonTarget } from './delivery.ts';
import { progressText } from './explore.ts';
import type { Search } from './explore-plan.ts';
import { mutationsOf } from './kernel-mutations.ts';
import { type KernelTask, tasksOf } from './kernel-searches.ts';
import { type Progress, showText } from './progress.ts';
import { watchSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { packageVersion } from './version.ts';
import { outFolder } from './write-reports.ts';

type SeedlessResult = Omit<ExploreResult, 'seed'> & { readonly seed: null };

/** Between two looks at signals. */
const TURN_MS = 50;

export async function kernel(input: CommandInput, terminal: Terminal): Promise<SeedlessResult> {
  const { flags, positionals } = input;
  if (flags.mutate === true && positionals.length > 1) {
    throw new UsageError('kernel: --mutate takes one tree; two are compared as they are');
  }
  const [json, out] = [jsonTarget(flags.json), outFolder(flags.out)];
  const startedAt = new Date();
  const startMs = performance.now();
  installChanceGuards();
  const trees: (readonly KernelTask[])[] = [];
  for (const text of positionals) trees.push(await tasksOf(input, text));
  const { runs, failures, isWhole } = await runAll(trees.flat(), input, terminal);
  const result: SeedlessResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'explore',
    ...judge(runs, failures, !isWhole),
    seed: null,
    argv: input.argv,
    version: packageVersion(),
    machine: { ...machineInfo(), cpus: availableParallelism(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: !isWhole,
    ...(failures.length === 0 ? {} : { failures }),
    runs,
  };
  const quiet = flags.quiet === true;
  const { columns, paint } = terminal;
  const exitCode = await deliver(result, { json, out, quiet }, terminal, () => {
    const lines = quiet
      ? []
      : [
          ...(trees.length > 1 ? compare(trees, terminal) : []),
          ...kernelLines(runs, columns, paint),
          ...mutationLines(runs, columns, paint),
        ];
    return `${[...lines, ...endLines(result, paint)].join('\n')}\n`;
  });
  return { ...result, exitCode };
}

interface Ran {
  readonly runs: readonly ExploreRun[];
  readonly failures: readonly ExploreFailure[];
  readonly isWhole: boolean;
}

async function runAll(
  tasks: readonly KernelTask[],
  { flags }: CommandInput,
  terminal: Terminal,
): Promise<Ran> {
  const progress = showText(flags.quiet === true ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  const timeMs = flags['explore-time'] ?? EXPLORE_BOUNDS.timeMs;
  const runs: ExploreRun[] = [];
  const failures: ExploreFailure[] = [];
  let isWhole = true;
  try {
    for (const [done, task] of tasks.entries()) {
      const label = `${done + 1} of ${tasks.length}`;
      const runIt = async (search: Search): Promise<ExploreRun | null> => {
        if (interrupt.signal.aborted) return null;
        const run = await runOne(search, timeMs, label, progress, interrupt.signal);
        return run.stoppedBy === INTERRUPTED ? null : run;
      };
      try {
        const own: ExploreRun[] = [];
        for (const search of task.searches) {
          const run = await runIt(search);
          if (run !== null) own.push({ ...run, kernel: task.info });
        }
        const mutation = flags.mutate === true ? await mutationsOf(task, own, runIt) : null;
        isWhole &&=
          own.length === task.searches.length && (flags.mutate !== true || mutation !== null);
        runs.push(
          ...own.map((run, i) => (i === 0 && mutation !== null ? { ...run, mutation } : run)),
        );
      } catch (error) {
        if (!(error instanceof ProtocolThrew)) throw error;
        const name = task.searches[0]?.subject.protocol.name ?? '';
        failures.push({ protocol: name, why: error.message });
        progress.clear();
        terminal.err(`stage2-stress: v${task.info.version}: ${error.message}\n`);
      }
    }
    return { runs, failures, isWhole };
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

async function runOne(
  { subject, cpu, level, vcpus, scenario, accesses }: Search,
  timeMs: number,
  label: string,
  progress: Progress<string>,
  signal: AbortSignal,
): Promise<ExploreRun> {
  const { protocol, source } = subject;
  const options = { protocol, source, cpu, level, vcpus, scenario, accesses, bounds: { timeMs } };
  const startMs = performance.now();
  let turnMs = startMs;
  const steps = exploreInSteps(options, () => signal.aborted);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) {
      // Signals arrive between two turns only.
      await nextTurn();
      return step.value;
    }
    if (performance.now() - turnMs < TURN_MS) continue;
    const text = `${label}: ${protocol.name}`;
    progress.update(progressText(step.value, text, performance.now() - startMs));
    await nextTurn();
    turnMs = performance.now();
  }
}

/** Of each function and level that either tree has. */
function compare(trees: readonly (readonly KernelTask[])[], terminal: Terminal): string[] {
  const [oldTasks, newTasks] = [0, 1].map(
    (i) => new Map((trees[i] ?? []).map((task) => [titleOf(task), task])),
  ) as [Map<string, KernelTask>, Map<string, KernelTask>];
  const names = [...new Set([...oldTasks.keys(), ...newTasks.keys()])];
  const compared = names.map((name): ComparedSteps => {
    const [before, after] = [oldTasks.get(name), newTasks.get(name)];
    return {
      name,
      old: before === undefined ? null : operationsOf(before),
      new: after === undefined ? null : operationsOf(after),
    };
  });
  const versions = trees.map(([task]) => `v${task?.info.version ?? ''}`);
  const titles: readonly [string, string] = [versions[0] ?? '', versions[1] ?? ''];
  return comparedLines(compared, titles, terminal.columns, terminal.paint);
}

function titleOf({ searches }: KernelTask): string {
  const [search] = searches;
  return search === undefined ? '' : `${search.subject.protocol.name}, level ${search.level}`;
}

/** In their order, without reads: those differ with every version and are seen by nobody. */
function operationsOf({ searches }: KernelTask): readonly string[] {
  const [search] = searches;
  if (search === undefined) return [];
  const { level, subject } = search;
  const steps = recordSteps(subject.protocol, (tapped, bbm) => playProtocol(tapped, level, bbm));
  return steps.filter(({ call }) => call.op !== 'read').map(({ operation }) => operation);
}

function judge(
  runs: readonly ExploreRun[],
  failures: readonly ExploreFailure[],
  interrupted: boolean,
): Pick<ExploreResult, 'verdict' | 'exitCode' | 'reasons'> {
  const reasons = runs.flatMap(({ protocol, level, cpu, stoppedBy }) =>
    stoppedBy === null
      ? []
      : [`${protocol}, level ${level}, bbm=${cpu.bbm}: the bound ${stoppedBy} was met`],
  );
  reasons.push(...failures.map(({ why }) => why));
  if (runs.some(({ verdict }) => verdict === 'violated')) {
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  }
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (failures.length > 0) return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (runs.length === 0) reasons.push('nothing ran');
  if (reasons.length === 0) return { verdict: 'pass', exitCode: EXIT.pass, reasons };
  return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
}

export const command: Command = {
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
    { command: 'kernel -- ~/linux-old ~/linux', why: 'what changed between two trees' },
    {
      command: 'kernel -- ~/linux --kernel-tlb nvhe --kernel-caps ttl,tlbirange,fwb',
      why: 'with the flushes of nVHE, on a CPU with range TLBIs and FWB',
    },
  ],
  run: async (input, terminal) => (await kernel(input, terminal)).exitCode,
};
