/**
 * `explore`: every outcome of a protocol in a small configuration under the Arm memory model. The
 * same protocol files as `stress`; prints the shortest schedule that breaks a rule.
 */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  exploreInSteps,
  type ExploreProgress,
  EXPLORE_BOUNDS,
  installChanceGuards,
  INTERRUPTED,
  ProtocolThrew,
} from '../explore/protocol/index.ts';
import { endLines, matrixLines, runText, tableLines } from '../report/explore-text.ts';
import { formatJson } from '../report/json.ts';
import { counted, grouped } from '../report/numbers.ts';
import { BadArgument } from '../port/checked-port.ts';
import { EXIT } from '../result/exit-code.ts';
import type { ExploreFailure, ExploreResult, ExploreRun } from '../result/explore.ts';
import { itemsOfShard } from '../result/shard.ts';
import { machineInfo } from '../stress/machine-info.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from './command.ts';
import { type Search, searchesOf, subjectsOf } from './explore-plan.ts';
import { checkOutputFile, writeWhole } from './output-file.ts';
import { internalErrorText } from './internal-error.ts';
import { type Progress, showText } from './progress.ts';
import { refuseEmptyShard, shardOf } from './shard.ts';
import { watchSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';
import { outFolder, writeOut } from './write-reports.ts';

type SeedlessResult = Omit<ExploreResult, 'seed'> & { readonly seed: null };

/** Between two looks at signals; the search itself hands over every few milliseconds. */
const TURN_MS = 50;

/** Flags first, then one search after the other. */
export async function explore(input: CommandInput, terminal: Terminal): Promise<SeedlessResult> {
  const { flags } = input;
  const json = flags.json === undefined ? null : checkOutputFile('json', flags.json);
  const out = outFolder(flags.out);
  const shard = shardOf(flags.shard);
  const startedAt = new Date();
  const startMs = performance.now();
  // Before protocol files are loaded: they may keep what they take.
  installChanceGuards();
  const all = searchesOf(input, await subjectsOf(input));
  refuseEmptyShard(shard, all.length, 'searches');
  const searches = itemsOfShard(all, shard);
  const { runs, failures } = await runAll(searches, input, terminal);
  const isDone = runs.length + failures.length === searches.length;
  const isWhole = isDone && runs.every((run) => !isCut(run));
  const result: SeedlessResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'explore',
    ...judge(runs, failures, searches.length, !isWhole),
    seed: null,
    argv: input.argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a model runs the same everywhere.
    machine: { ...machineInfo(), cpus: availableParallelism(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: !isWhole,
    ...(shard === null ? {} : { shard }),
    ...(failures.length === 0 ? {} : { failures }),
    runs,
  };
  // The files first: they must not depend on anybody reading the text.
  if (json !== null) writeWhole(json, formatJson(result));
  if (out !== null) await writeOut(out, result);
  const table = flags.matrix === true ? matrixLines : tableLines;
  const tables = flags.quiet === true ? [] : table(runs, terminal.columns, terminal.paint);
  terminal.out(`${[...tables, ...endLines(result, terminal.paint)].join('\n')}\n`);
  return result;
}

const searchCount = (count: number): string => `${grouped(count)} search${count === 1 ? '' : 'es'}`;

const isCut = ({ stoppedBy }: ExploreRun): boolean => stoppedBy === INTERRUPTED;

interface Ran {
  readonly runs: readonly ExploreRun[];
  readonly failures: readonly ExploreFailure[];
}

/** What was done until an interruption, the search it cut short included. */
async function runAll(
  searches: readonly Search[],
  { flags }: CommandInput,
  terminal: Terminal,
): Promise<Ran> {
  const quiet = flags.quiet === true;
  const progress = showText(quiet ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  const runs: ExploreRun[] = [];
  const failures: ExploreFailure[] = [];
  const late = watchLateOperations();
  // What one protocol does must not take the results of the others with it.
  const fail = (protocol: string, error: unknown): void => {
    const why = error instanceof ProtocolThrew ? error.message : internalErrorText(error);
    failures.push({ protocol, why });
    progress.clear();
    terminal.err(`stage2-stress: ${why}\n`);
  };
  try {
    for (const [done, search] of searches.entries()) {
      if (interrupt.signal.aborted) break;
      const label = `${done + 1} of ${searchCount(searches.length)}: ${search.subject.protocol.name}`;
      const timeMs = flags['explore-time'] ?? EXPLORE_BOUNDS.timeMs;
      let run: ExploreRun;
      try {
        run = await runOne(search, timeMs, label, progress, interrupt.signal);
        // What it left in a promise comes now.
        await nextTurn();
        late.check();
      } catch (error) {
        fail(search.subject.protocol.name, error);
        continue;
      }
      runs.push(run);
      progress.clear();
      const isNews = run.verdict !== 'safe' && run.exhibit === undefined;
      if (quiet ? isNews : flags.matrix !== true) {
        terminal.out(`${runText(run, terminal.paint)}\n`);
      }
    }
  } finally {
    interrupt.dispose();
    late.dispose();
    progress.clear();
  }
  return { runs, failures };
}

async function runOne(
  { subject, cpu, level, vcpus, scenario, accesses }: Search,
  timeMs: number,
  label: string,
  progress: Progress<string>,
  signal: AbortSignal,
): Promise<ExploreRun> {
  const { protocol, mutant, source, exhibit } = subject;
  const asked = { cpu, level, vcpus, scenario, accesses, bounds: { timeMs } };
  const options = { protocol, mutant, source, ...asked };
  const startMs = performance.now();
  let turnMs = startMs;
  const steps = exploreInSteps(options, () => signal.aborted);
  for (let step = steps.next(); ; step = steps.next()) {
    if (step.done === true) return withExhibit(step.value, exhibit);
    if (performance.now() - turnMs < TURN_MS) continue;
    progress.update(progressText(step.value, label, performance.now() - startMs));
    // Signals arrive between two turns only.
    await nextTurn();
    turnMs = performance.now();
  }
}

/** Operations of a protocol in a promise that it left behind: refused there, where nobody waits. */
function watchLateOperations(): { readonly check: () => void; readonly dispose: () => void } {
  let found: BadArgument | null = null;
  const onRejection = (error: unknown): void => {
    if (!(error instanceof BadArgument)) throw error;
    found ??= error;
  };
  process.on('unhandledRejection', onRejection);
  return {
    check() {
      const error = found;
      found = null;
      if (error !== null) throw new ProtocolThrew(error.message, { cause: error });
    },
    dispose: () => void process.off('unhandledRejection', onRejection),
  };
}

export function progressText(
  { states, depth, programsDone, programs }: ExploreProgress,
  label: string,
  elapsedMs: number,
): string {
  return [
    label,
    `${grouped(programsDone)} of ${counted(programs, 'guest program')}`,
    `${grouped(states)} states`,
    `depth ${depth}`,
    `${grouped(states / Math.max(elapsedMs / 1000, 0.001))} states/s`,
  ].join('  ');
}

/** Shown on purpose: nothing but the claim that is known to be broken was. */
function withExhibit(run: ExploreRun, exhibit: string | null): ExploreRun {
  const onlyClaim = run.violations.every((violation) => violation.rule === 'claim');
  if (exhibit === null || run.verdict !== 'violated' || !onlyClaim) return run;
  return { ...run, exhibit };
}

function judge(
  runs: readonly ExploreRun[],
  failures: readonly ExploreFailure[],
  wanted: number,
  interrupted: boolean,
): Pick<ExploreResult, 'verdict' | 'exitCode' | 'reasons'> {
  const isFailure = (run: ExploreRun): boolean =>
    run.verdict === 'violated' && run.exhibit === undefined;
  const bounded = runs.filter((run) => run.stoppedBy !== null && !isCut(run));
  const reasons = bounded.map(
    ({ protocol, stoppedBy, stoppedWhy }) =>
      `${protocol}: the bound ${stoppedBy} was met` +
      (stoppedWhy === undefined ? '' : `: ${stoppedWhy}`),
  );
  reasons.push(...failures.map(({ why }) => why));
  if (interrupted) {
    const done = runs.filter((run) => !isCut(run)).length;
    reasons.push(`${done} of ${searchCount(wanted)} done`);
  }
  if (runs.some(isFailure)) return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (interrupted) return { verdict: 'inconclusive', exitCode: EXIT.interrupted, reasons };
  if (failures.length > 0) return { verdict: 'inconclusive', exitCode: EXIT.internal, reasons };
  if (runs.length === 0) reasons.push('nothing ran');
  if (reasons.length === 0) return { verdict: 'pass', exitCode: EXIT.pass, reasons };
  return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
}

export const command: Command = {
  positionals: NO_POSITIONALS,
  about:
    'Runs protocols against a model of the Arm memory system and its TLBs and visits every outcome ' +
    'of a small configuration: tables of two entries, vCPUs with up to three accesses each. The ' +
    'model agrees with the published litmus verdicts (see litmus). `safe` means that no execution ' +
    'within the bounds breaks a rule; a bound that stopped a search is exit code 3. Without flags: ' +
    'every built-in protocol on the CPU it was written for. With --matrix: on every CPU it is ' +
    'meant for, as one table; what is violated there is exit code 1, as ever.',
  examples: [
    { command: 'explore', why: 'every built-in protocol on the CPU it was written for' },
    {
      command: 'explore -- --protocol rfc-nt-posted',
      why: 'the three steps by which the RFC as posted breaks its promise',
    },
    { command: 'explore -- --matrix', why: 'protocol by CPU: which is safe where' },
    { command: 'explore -- --protocol ./mine.ts --cpu bbm=2,nt=ignored', why: 'your own' },
    {
      command: 'explore -- --protocol ./mine.ts --cpu hafdbs=on',
      why: 'beside walkers that set access flag and dirty state',
    },
    {
      command: 'explore -- --protocol ./mine.ts --scenario two-vms',
      why: 'beside a second VM, whose TLB entries must stay',
    },
    { command: 'explore -- --mutant no-tlbi', why: 'a seeded bug and its shortest schedule' },
  ],
  run: async (input, terminal) => (await explore(input, terminal)).exitCode,
};
