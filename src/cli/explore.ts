/**
 * `explore`: every outcome of a protocol in a small configuration under the Arm memory model. The
 * same protocol files as `stress`; prints the shortest schedule that breaks a rule.
 */
import { availableParallelism } from 'node:os';
import {
  EXPLORE_BOUNDS,
  exploreProtocol,
  ExploreUnsupported,
  formatSchedule,
  ProtocolThrew,
} from '../explore/protocol/index.ts';
import { MUTANTS } from '../mutants/index.ts';
import type { Protocol } from '../port/protocol.ts';
import { exitMeaning } from '../report/exit-meanings.ts';
import { formatJson } from '../report/json.ts';
import { seconds } from '../report/numbers.ts';
import { alignColumns } from '../report/table.ts';
import { EXIT, type Verdict } from '../result/exit-code.ts';
import type { ExploreResult, ExploreRun } from '../result/explore.ts';
import { cpuFor, cpuProblem } from '../stress/plan.ts';
import { machineInfo } from '../stress/machine-info.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from './command.ts';
import { checkOutputFile, writeWhole } from './output-file.ts';
import { BUILT_IN, selectNames, selectProtocols } from './registry.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { packageVersion } from './version.ts';

/** What runs, and whether a broken claim that the protocol is known for turns the verdict. */
interface Subject {
  readonly protocol: Protocol;
  readonly mutant: string | null;
  readonly exhibit: string | null;
}

type SeedlessResult = Omit<ExploreResult, 'seed'> & { readonly seed: null };

async function subjectsOf(input: CommandInput): Promise<readonly Subject[]> {
  const { flags } = input;
  const mutants = selectNames('mutant', flags.mutant ?? [], BUILT_IN.mutants);
  const wanted = flags['explore-protocol'] ?? (mutants.length > 0 ? [] : ['all']);
  const protocols = await selectProtocols(wanted, BUILT_IN);
  const subjects = protocols.map(({ ref, protocol }): Subject => ({
    protocol,
    mutant: null,
    exhibit: ref.named ? null : (protocol.exhibit ?? null),
  }));
  for (const name of mutants) {
    const mutant = MUTANTS.find((m) => m.name === name);
    if (mutant?.seed.kind === 'protocol') {
      subjects.push({ protocol: mutant.seed.protocol, mutant: name, exhibit: null });
    } else if (flags.mutant?.includes(name)) {
      throw new UsageError(
        `--mutant: ${name} is a bug of the machine, which explore does not simulate; try it with stress`,
      );
    }
  }
  return subjects;
}

/** Flags first, then one search after the other; a search blocks until it is done or bounded. */
export async function explore(input: CommandInput, terminal: Terminal): Promise<SeedlessResult> {
  const { flags } = input;
  const json = flags.json === undefined ? null : checkOutputFile('json', flags.json);
  const startedAt = new Date();
  const startMs = performance.now();
  const subjects = await subjectsOf(input);
  for (const { protocol } of subjects) {
    const problem = cpuProblem(cpuFor(protocol, flags.cpu ?? {}));
    if (problem !== null) throw new UsageError(`--cpu: for protocol ${protocol.name} ${problem}`);
  }
  const runs: ExploreRun[] = [];
  const excused = new Set<ExploreRun>();
  for (const level of flags['explore-level'] ?? [2]) {
    for (const subject of subjects) {
      const run = runOne(subject, level, input);
      runs.push(run);
      const onlyClaim = run.violations.every((violation) => violation.rule === 'claim');
      if (subject.exhibit !== null && run.verdict === 'violated' && onlyClaim) excused.add(run);
      if (flags.quiet !== true || (run.verdict !== 'safe' && !excused.has(run))) {
        terminal.out(`${runText(run, subject.exhibit, terminal)}\n`);
      }
    }
  }
  const result: SeedlessResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'explore',
    ...judge(runs, excused),
    seed: null,
    argv: input.argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a model runs the same everywhere.
    machine: { ...machineInfo(), cpus: availableParallelism(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: false,
    runs,
  };
  if (json !== null) writeWhole(json, formatJson(result));
  terminal.out(endText(result, terminal, flags.quiet ?? false));
  return result;
}

function runOne({ protocol, mutant }: Subject, level: 1 | 2, { flags }: CommandInput): ExploreRun {
  try {
    return exploreProtocol({
      protocol,
      mutant,
      cpu: cpuFor(protocol, flags.cpu ?? {}),
      level,
      vcpus: flags['explore-vcpus'] ?? 1,
      bounds: { timeMs: flags['explore-time'] ?? EXPLORE_BOUNDS.timeMs },
    });
  } catch (error) {
    if (error instanceof ExploreUnsupported) throw new UsageError(`--cpu: ${error.message}`);
    if (error instanceof ProtocolThrew) throw new Error(error.message, { cause: error });
    throw error;
  }
}

function judge(
  runs: readonly ExploreRun[],
  excused: ReadonlySet<ExploreRun>,
): Pick<ExploreResult, 'verdict' | 'exitCode' | 'reasons'> {
  const violated = runs.filter((run) => run.verdict === 'violated' && !excused.has(run));
  const bounded = runs.filter((run) => run.verdict === 'bounded');
  const reasons = bounded.map((run) => `${run.protocol}: the bound ${run.stoppedBy} was met`);
  if (violated.length > 0) return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (bounded.length > 0 || runs.length === 0) {
    const why = runs.length === 0 ? ['nothing ran'] : reasons;
    return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons: why };
  }
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

const STYLES = { safe: 'green', violated: 'red', bounded: 'yellow' } as const;

function runText(run: ExploreRun, exhibit: string | null, { paint }: Terminal): string {
  const name = run.mutant === null ? run.protocol : `${run.mutant} (mutant)`;
  const vcpus = `${run.vcpus} vCPU${run.vcpus === 1 ? '' : 's'}`;
  const lines = [
    `${name}, level ${run.level}, ${vcpus}, bbm=${run.cpu.bbm} nt=${run.cpu.nt}: ` +
      `${paint(STYLES[run.verdict], run.verdict)}, ${run.states} states, ` +
      `${run.executions} executions, ${seconds(run.elapsedMs)}`,
  ];
  const worth = run.outcomes.filter((outcome) => outcome.grade === 'interesting');
  for (const outcome of worth) lines.push(`  interesting: ${outcome.why}`);
  for (const violation of run.violations) {
    lines.push(`  VIOLATION ${violation.rule}: ${violation.why}`);
    if (violation.steps.length > 0) {
      lines.push(
        ...formatSchedule(violation.steps)
          .trimEnd()
          .split('\n')
          .map((l) => `    ${l}`),
      );
    }
  }
  if (exhibit !== null && run.verdict === 'violated') lines.push(`  shown on purpose: ${exhibit}`);
  return `${[...new Set(lines)].join('\n')}\n`;
}

const VERDICT_STYLES = {
  pass: 'green',
  fail: 'red',
  inconclusive: 'yellow',
} as const satisfies Record<Verdict, string>;

function endText(result: SeedlessResult, { paint }: Terminal, quiet: boolean): string {
  const rows = result.runs.map((run) => [
    run.mutant ?? run.protocol,
    run.verdict,
    run.violations.map((violation) => violation.rule).join(', '),
    String(run.states),
    seconds(run.elapsedMs),
  ]);
  const table = quiet
    ? []
    : alignColumns([['protocol', 'verdict', 'rules', 'states', 'time'], ...rows]);
  const lines = [
    ...table,
    ...result.reasons.map((reason) => `reason: ${reason}`),
    `${paint(VERDICT_STYLES[result.verdict], result.verdict.toUpperCase())} in ` +
      `${seconds(result.elapsedMs)}; exit ${result.exitCode}: ${exitMeaning(result.exitCode)}`,
  ];
  return `${lines.join('\n')}\n`;
}

export const command: Command = {
  positionals: NO_POSITIONALS,
  about:
    'Runs protocols against a model of the Arm memory system and its TLBs and visits every outcome ' +
    'of a small configuration: tables of two entries, one or two vCPUs with up to two accesses ' +
    'each. The model agrees with the published litmus verdicts (see litmus). `safe` means that no ' +
    'execution within the bounds breaks a rule; a bound that stopped a search is exit code 3.',
  examples: [
    { command: 'explore', why: 'every built-in protocol on the CPU it was written for' },
    {
      command: 'explore -- --protocol rfc-nt-posted',
      why: 'the three steps by which the RFC as posted breaks its promise',
    },
    { command: 'explore -- --protocol ./mine.ts --cpu bbm=2,nt=ignored', why: 'your own' },
    { command: 'explore -- --mutant no-tlbi', why: 'a seeded bug and its shortest schedule' },
  ],
  run: async (input, terminal) => (await explore(input, terminal)).exitCode,
};
