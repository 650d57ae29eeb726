/**
 * `explore`: every outcome of a protocol in a small configuration under the Arm memory model. The
 * same protocol files as `stress`; prints the shortest schedule that breaks a rule.
 */
import {
  type ExplorationResult,
  runExploration,
  searchCount,
  type SearchAt,
} from '../../../exploration/index.ts';
import type { ExploreProgress } from '../../../explore/protocol/index.ts';
import { hearCompiler } from '../../../native/index.ts';
import { shortPath } from '../../../package/paths.ts';
import { counted, grouped } from '../../../report/numbers.ts';
import { ablationLines } from '../../../report/text/ablation-text.ts';
import { errataLines } from '../../../report/text/errata-text.ts';
import {
  endLines,
  matrixLines,
  runText,
  tableLines,
  type Told,
} from '../../../report/text/explore-text.ts';
import { sequenceLines } from '../../../report/text/sequence-text.ts';
import { explorePlan, isOpen } from '../../../request/explore.ts';
import type { ExploreRun } from '../../../result/explore.ts';
import { type Command, NO_POSITIONALS } from '../../command.ts';
import { deliver, jsonTarget } from '../../files/delivery.ts';
import { outFolder } from '../../files/write-reports.ts';
import { inFlags } from '../../flags/request.ts';
import { showText } from '../../progress.ts';
import { watchSignals } from '../../signals.ts';
import type { Terminal } from '../../terminal.ts';
import { EXPLORE_FLAGS, type ExploreInput, exploreRequestOf } from './flags.ts';
import { watchExplore } from './watch.ts';

/** Flags first, then the searches. */
export async function explore(input: ExploreInput, terminal: Terminal): Promise<ExplorationResult> {
  const { flags } = input;
  const json = jsonTarget(flags.json);
  const out = outFolder(flags.out);
  const { result, opened } = await runPrinting(input, terminal);
  const quiet = flags.quiet === true;
  const exitCode = await deliver(result, { json, out, quiet }, terminal, () => {
    const runs = quiet ? wrongOf(opened) : result.runs;
    const tables = runs.length === 0 ? [] : tablesOf(runs, opened, input, terminal);
    return `${[...tables, ...endLines(result, terminal.paint)].join('\n')}\n`;
  });
  return { ...result, exitCode };
}

/** Of sequences, of which nothing was said yet: all that a quiet run tells of them. */
function wrongOf(opened: ReadonlySet<ExploreRun>): ExploreRun[] {
  const wrong = [...opened].filter(({ verdict }) => verdict !== 'safe');
  const names = new Set(wrong.map(({ protocol }) => protocol));
  return [...opened].filter(({ protocol }) => names.has(protocol));
}

interface Ran {
  readonly result: ExplorationResult;
  /** Runs of sequences on every CPU, which have a table of their own. */
  readonly opened: ReadonlySet<ExploreRun>;
}

/** Says what is found as it is found. */
async function runPrinting(input: ExploreInput, terminal: Terminal): Promise<Ran> {
  const { flags, argv } = input;
  const request = exploreRequestOf(input);
  const quiet = flags.quiet === true;
  const progress = showText(quiet ? null : terminal.progress);
  const deaf = hearCompiler((file) => progress.update(`compiling ${shortPath(file)}`));
  const plan = await inFlags(EXPLORE_FLAGS, () => explorePlan(request)).finally(() => {
    deaf();
    progress.clear();
  });
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  const opened = new Set<ExploreRun>();
  const told: Told = new Map();
  const failures = new Set<string>();
  const { columns, paint } = terminal;
  try {
    const result = await runExploration(plan, {
      signal: interrupt.signal,
      argv,
      onProgress: (step, at) => progress.update(progressText(step, labelOf(at), at.elapsedMs)),
      onRun: (run, { subject }) => {
        progress.clear();
        const isNews = run.verdict !== 'safe' && run.exhibit === undefined;
        if (isOpen(request, subject)) opened.add(run);
        else if (quiet ? isNews : !isTable(input))
          terminal.out(`${runText(run, paint, { columns, told })}\n`);
      },
      onFailure: ({ why }) => {
        progress.clear();
        if (!failures.has(why)) terminal.err(`stage2-stress: ${why}\n`);
        failures.add(why);
      },
    });
    return { result, opened };
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

/** Of several that are under way it is the first. */
export function labelOf({ protocol, position, of, change, beside = 0 }: SearchAt): string {
  const changed = change === undefined ? '' : `, change ${change.number} of ${change.of}`;
  const others = beside === 0 ? '' : ` and ${beside} beside it`;
  return `${position} of ${searchCount(of)}: ${protocol}${changed}${others}`;
}

/** Of many searches: one table, and where each violation can be looked at. */
const isTable = ({ flags }: ExploreInput): boolean =>
  flags.matrix === true || (flags.errata === true && flags.ablate !== true);

/** `opened`: runs of sequences on every CPU, which have a table of their own. */
function tablesOf(
  runs: readonly ExploreRun[],
  opened: ReadonlySet<ExploreRun>,
  input: ExploreInput,
  { columns, paint }: Terminal,
): string[] {
  const { flags } = input;
  if (flags.ablate === true) {
    return [...tableLines(runs, columns, paint), '', ...ablationLines(runs, columns, paint)];
  }
  const others = runs.filter((run) => !opened.has(run));
  const table = flags.errata === true ? errataLines : isTable(input) ? matrixLines : tableLines;
  return [...sequenceLines([...opened], columns, paint), ...table(others, columns, paint)];
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

export const command: Command<typeof EXPLORE_FLAGS> = {
  positionals: NO_POSITIONALS,
  about:
    'Runs protocols against a model of the Arm memory system and its TLBs and visits every outcome ' +
    'of a small configuration: tables of two or four entries, vCPUs with up to three accesses each. The ' +
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
    {
      command: 'explore -- --errata --out report',
      why: 'protocol by erratum of TLBI completion, in the terminal and as a page',
    },
    { command: 'explore -- --protocol ./mine.ts --cpu bbm=2,nt=ignored', why: 'your own' },
    { command: 'explore -- --watch ./mine.ts', why: 'the same at each save' },
    {
      command: 'explore -- --protocol ./mine.ts --cpu hafdbs=on',
      why: 'beside walkers that set access flag and dirty state',
    },
    {
      command: 'explore -- --protocol ./mine.ts --scenario two-vms',
      why: 'beside a second VM, whose TLB entries must stay',
    },
    {
      command: 'explore -- --protocol bbm-early-locked --against lost-race-ignored',
      why: 'two hypervisors on one entry, of which one does not look whether it has lost',
    },
    { command: 'explore -- --mutant no-tlbi', why: 'a seeded bug and its shortest schedule' },
  ],
  flags: EXPLORE_FLAGS,
  run: async (input, terminal) =>
    input.flags.watch === undefined
      ? (await explore(input, terminal)).exitCode
      : await watchExplore(input.flags.watch, input.argv, terminal),
};
