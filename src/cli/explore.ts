/**
 * `explore`: every outcome of a protocol in a small configuration under the Arm memory model. The
 * same protocol files as `stress`; prints the shortest schedule that breaks a rule.
 */
import { availableParallelism } from 'node:os';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { runsOn } from '../ablation/index.ts';
import { announcedBbm } from '../arch/cpu-model.ts';
import {
  exploreInSteps,
  type ExploreProgress,
  EXPLORE_BOUNDS,
  installChanceGuards,
  INTERRUPTED,
  ProtocolThrew,
} from '../explore/protocol/index.ts';
import { ablationLines } from '../report/ablation-text.ts';
import { endLines, matrixLines, runText, tableLines } from '../report/explore-text.ts';
import { sequenceLines } from '../report/sequence-text.ts';
import type { Sequence } from '../sequence/index.ts';
import { counted, grouped } from '../report/numbers.ts';
import { BadArgument } from '../port/checked-port.ts';
import { EXIT } from '../result/exit-code.ts';
import type { ExploreFailure, ExploreResult, ExploreRun } from '../result/explore.ts';
import { itemsOfShard } from '../result/shard.ts';
import { machineInfo } from '../stress/machine-info.ts';
import { type Ablated, cpuTextOf, searchOf, variantsOn, withAblations } from './ablate.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from './command.ts';
import { isOpen, type Search, searchesOf, subjectsOf } from './explore-plan.ts';
import { deliver, jsonTarget } from './delivery.ts';
import { internalErrorText } from './internal-error.ts';
import { MissingSteps } from './missing-steps.ts';
import { type Progress, showText } from './progress.ts';
import { refuseEmptyShard, shardOf } from './shard.ts';
import { watchSignals } from './signals.ts';
import type { Terminal } from './terminal.ts';
import { packageVersion } from './version.ts';
import { outFolder } from './write-reports.ts';

type SeedlessResult = Omit<ExploreResult, 'seed'> & { readonly seed: null };

/** Between two looks at signals; the search itself hands over every few milliseconds. */
const TURN_MS = 50;

/** Flags first, then one search after the other. */
export async function explore(input: CommandInput, terminal: Terminal): Promise<SeedlessResult> {
  const { flags } = input;
  const json = jsonTarget(flags.json);
  const out = outFolder(flags.out);
  const shard = shardOf(flags.shard);
  const startedAt = new Date();
  const startMs = performance.now();
  // Before protocol files are loaded: they may keep what they take.
  installChanceGuards();
  const all = searchesOf(input, await subjectsOf(input));
  refuseEmptyShard(shard, all.length, 'searches');
  const searches = itemsOfShard(all, shard);
  const { runs, opened, failures, isWhole } = await runAll(searches, input, terminal);
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
  const quiet = flags.quiet === true;
  const exitCode = await deliver(result, { json, out, quiet }, terminal, () => {
    const tables = quiet ? [] : tablesOf(runs, opened, input, terminal);
    return `${[...tables, ...endLines(result, terminal.paint)].join('\n')}\n`;
  });
  return { ...result, exitCode };
}

/** `opened`: runs of sequences on every CPU, which have a table of their own. */
function tablesOf(
  runs: readonly ExploreRun[],
  opened: ReadonlySet<ExploreRun>,
  { flags }: CommandInput,
  { columns, paint }: Terminal,
): string[] {
  if (flags.ablate === true) {
    return [...tableLines(runs, columns, paint), '', ...ablationLines(runs, columns, paint)];
  }
  const others = runs.filter((run) => !opened.has(run));
  const table = flags.matrix === true ? matrixLines : tableLines;
  return [...sequenceLines([...opened], columns, paint), ...table(others, columns, paint)];
}

/** What a sequence lacks; for one search after the other, as what was found for one helps the next. */
function withMissing(
  search: Search,
  run: ExploreRun,
  known: Map<Sequence, MissingSteps>,
): ExploreRun {
  const { sequence } = search.subject;
  if (sequence === null || isCut(run)) return run;
  const missing = known.get(sequence) ?? new MissingSteps(sequence);
  known.set(sequence, missing);
  return missing.addTo(search, run);
}

const searchCount = (count: number): string => `${grouped(count)} search${count === 1 ? '' : 'es'}`;

const isCut = ({ stoppedBy }: ExploreRun): boolean => stoppedBy === INTERRUPTED;

interface Ran {
  readonly runs: readonly ExploreRun[];
  /** Runs of sequences on every CPU, which have a table of their own. */
  readonly opened: ReadonlySet<ExploreRun>;
  readonly failures: readonly ExploreFailure[];
  /** Nothing was left out for an interruption. */
  readonly isWhole: boolean;
}

/** What was done until an interruption, the search it cut short included. */
async function runAll(
  searches: readonly Search[],
  input: CommandInput,
  terminal: Terminal,
): Promise<Ran> {
  const { flags } = input;
  const quiet = flags.quiet === true;
  const progress = showText(quiet ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  const runs: ExploreRun[] = [];
  const ablated: Ablated[] = [];
  const opened = new Set<ExploreRun>();
  const missing = new Map<Sequence, MissingSteps>();
  const timeMs = flags['explore-time'] ?? EXPLORE_BOUNDS.timeMs;
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
      const at = `${done + 1} of ${searchCount(searches.length)}`;
      const runIt = async (one: Search): Promise<ExploreRun> => {
        const label = `${at}: ${one.subject.protocol.name}`;
        const ran = await runOne(one, timeMs, label, progress, interrupt.signal);
        // What it left in a promise comes now.
        await nextTurn();
        late.check();
        return ran;
      };
      let run: ExploreRun;
      try {
        run = withMissing(search, await runIt(search), missing);
        if (flags.ablate === true) {
          ablated.push(await ablate(search, run, runIt, () => interrupt.signal.aborted));
        }
      } catch (error) {
        fail(search.subject.protocol.name, error);
        continue;
      }
      runs.push(run);
      progress.clear();
      const isNews = run.verdict !== 'safe' && run.exhibit === undefined;
      if (isOpen(input, search.subject)) {
        opened.add(run);
        continue;
      }
      if (quiet ? isNews : flags.matrix !== true) {
        terminal.out(`${runText(run, terminal.paint)}\n`);
      }
    }
  } finally {
    interrupt.dispose();
    late.dispose();
    progress.clear();
  }
  const isWhole =
    runs.length + failures.length === searches.length &&
    runs.every((run) => !isCut(run)) &&
    ablated.every(({ tried, variants }) => variants.length === tried.length);
  const shown = flags.ablate === true ? withAblations(ablated) : runs;
  return { runs: shown, opened, failures, isWhole };
}

/** Every variant of a protocol on one CPU; fewer after an interruption. */
async function ablate(
  search: Search,
  base: ExploreRun,
  runIt: (search: Search) => Promise<ExploreRun>,
  isStopped: () => boolean,
): Promise<Ablated> {
  const bbm = announcedBbm(search.cpu);
  const tried = variantsOn(search.subject.protocol, search.level);
  const variants: ExploreRun[] = [];
  for (const variant of tried) {
    if (isStopped()) break;
    const run = runsOn(variant, bbm) ? await runIt(searchOf(search, variant)) : base;
    if (!isCut(run)) variants.push(run);
  }
  return { search, cpu: cpuTextOf(search), bbm, base, variants, tried };
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
    'meant for, as one table; what is violated there is exit code 1, as ever. A plain sequence without ' +
    '--cpu is answered on all of them, with the steps that are missing. --ablate leaves out, weakens and ' +
    'moves each step in turn; its exit code is that of the protocol as it is.',
  examples: [
    { command: 'explore', why: 'every built-in protocol on the CPU it was written for' },
    {
      command: 'explore -- --protocol rfc-nt-posted',
      why: 'the three steps by which the RFC as posted breaks its promise',
    },
    {
      command:
        'explore -- --sequence "str 0; dsb ishst; tlbi vmalls12e1is; isb; str block; free child"',
      why: 'steps of a mail, on every CPU: safe, or what is missing',
    },
    {
      command: 'explore -- --ablate --protocol bbm-early',
      why: 'which of its steps is needed, and what breaks without it',
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
