/** `check-trace`: page-table event logs, judged by our break-before-make automaton. */
import path from 'node:path';
import { compareTraces } from '../../../report/text/compare-traces-text.ts';
import { checkTraceText } from '../../../report/text/check-trace-text.ts';
import { sequenceFiles } from '../../../report/sequence-files.ts';
import type { CheckTraceResult, TraceRun } from '../../../result/check-trace.ts';
import { EXIT } from '../../../result/exit-code.ts';
import { machineInfo } from '../../../stress/process/machine-info.ts';
import type { Command, CommandInput } from '../../command.ts';
import { deliver, type DeliveredFile, jsonTarget } from '../../files/delivery.ts';
import { checkOutputFolder, fileIn, type OutputFolder } from '../../files/output-file.ts';
import { showText } from '../../progress.ts';
import { watchSignals } from '../../signals.ts';
import type { Terminal } from '../../terminal.ts';
import { judgeFile, traceFile } from './trace-file.ts';
import { UsageError } from '../../../request/usage-error.ts';
import { packageVersion } from '../../../result/version.ts';
import type { BbmLevel } from '../../../arch/feat-bbm.ts';
import { JSON_FILE, NO_COLOR, QUIET } from '../../flags/common.ts';
import { flag, switched } from '../../flags/flag.ts';
import { anyText, wholeNumber } from '../../../request/values.ts';

export const FLAGS = {
  bbm: flag({
    value: '0|1|2|3',
    help: 'FEAT_BBM level that the system may rely on: what may be changed without a break',
    default: '0',
    parse: (text) => wholeNumber(0, 3)(text) as BbmLevel,
  }),
  sequences: flag({
    value: 'DIR',
    help: 'writes each distinct sequence by which a log coalesced or split an entry as a .seq file',
    default: 'not written',
    parse: anyText,
  }),
  compare: switched({
    help: 'the logs side by side: transitions, TLBIs, windows, sequences, verdicts',
  }),
  json: JSON_FILE,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

type Input = CommandInput<typeof FLAGS>;

/** Nothing is drawn by chance: there is no seed to repeat. */
type SeedlessResult = Omit<CheckTraceResult, 'seed'> & { readonly seed: null };

export async function checkTrace(input: Input, terminal: Terminal): Promise<SeedlessResult> {
  const { flags, positionals } = input;
  const quiet = flags.quiet ?? false;
  if (flags.compare === true && positionals.length < 2)
    throw new UsageError('check-trace: --compare needs two logs or more');
  const json = jsonTarget(flags.json);
  const folder =
    flags.sequences === undefined ? null : checkOutputFolder('sequences', flags.sequences);
  const startedAt = new Date();
  const startMs = performance.now();
  const { runs, interrupted } = await judgeAll(input, terminal);
  const result: SeedlessResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'check-trace',
    ...judge(runs, interrupted),
    seed: null,
    argv: input.argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a log is judged the same everywhere.
    machine: { ...machineInfo(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted,
    runs,
  };
  const found = folder === null ? [] : sequencesIn(folder, runs);
  const exitCode = await deliver(result, { json, found, quiet }, terminal, () =>
    [
      checkTraceText(result, terminal.paint, quiet),
      ...(flags.compare === true ? [`\n${compareTraces(runs, terminal.columns)}`] : []),
      ...(folder !== null && found.length === 0 ? [NO_SEQUENCES] : []),
    ].join(''),
  );
  return { ...result, exitCode };
}

const NO_SEQUENCES = 'no sequence was written: no log coalesces or splits an entry\n';

function sequencesIn(folder: OutputFolder, runs: readonly TraceRun[]): DeliveredFile[] {
  return sequenceFiles(runs).map(({ name, text }) => ({
    name: path.join(folder, name),
    place: () => fileIn(folder, name),
    make: () => text,
  }));
}

async function judgeAll(
  { flags, positionals }: Input,
  terminal: Terminal,
): Promise<{ runs: TraceRun[]; interrupted: boolean }> {
  const files = positionals.map(traceFile);
  const progress = showText(flags.quiet === true ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(`\nstage2-stress: ${name}: reporting what was judged so far\n`);
  });
  const runs: TraceRun[] = [];
  try {
    for (const file of files) {
      if (interrupt.signal.aborted) break;
      const run = await judgeFile(file, flags.bbm ?? 0, interrupt.signal, progress);
      progress.clear();
      if (run.damage !== null) {
        const { line, why } = run.damage;
        terminal.err(`stage2-stress: check-trace: ${file.name}:${line}: ${why}\n`);
      }
      runs.push(run);
    }
    return { runs, interrupted: interrupt.signal.aborted };
  } finally {
    progress.clear();
    interrupt.dispose();
  }
}

/** A log of which nothing could be judged says nothing. */
function judge(
  runs: readonly TraceRun[],
  interrupted: boolean,
): Pick<CheckTraceResult, 'verdict' | 'exitCode' | 'reasons'> {
  const reasons = runs
    .filter(({ verdict }) => verdict === 'not-judged')
    .map(({ file, notJudged }) => `${file}: ${notJudged[0] ?? 'nothing was judged'}`);
  const exitCode = exitCodeOf(runs, interrupted);
  const violated = runs.some(({ verdict }) => verdict === 'violated');
  const verdict = violated ? 'fail' : exitCode === EXIT.pass ? 'pass' : 'inconclusive';
  return { verdict, exitCode, reasons };
}

function exitCodeOf(runs: readonly TraceRun[], interrupted: boolean): CheckTraceResult['exitCode'] {
  if (runs.some(({ verdict }) => verdict === 'violated')) return EXIT.fail;
  if (interrupted) return EXIT.interrupted;
  if (runs.some(({ damage }) => damage !== null)) return EXIT.usage;
  return runs.some(({ verdict }) => verdict === 'not-judged') ? EXIT.inconclusive : EXIT.pass;
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<log>…', min: 1, max: Number.POSITIVE_INFINITY },
  about:
    'Reads logs of page-table events (one s-expression per event, the format of casemate v3.0.2; ' +
    '.gz too), such as a tracer makes of a booted kernel, and judges every entry of every tree ' +
    'they register, stage 2 and stage 1 of EL2, by the same break-before-make automaton as stress ' +
    'and explore; VMIDs and ASIDs, freed tables, and locks where the log has them. Findings of ' +
    'one cause are one violation with a count. What a log does not tell is said and not guessed. ' +
    'A damaged log is told with file and line and is exit code 2; what can be read of it, and the ' +
    'others, are judged all the same. The format and its limits: docs/kvm-traces.md.',
  examples: [
    {
      command: 'check-trace -- test/casemate/logs/good-break-before-make.trace',
      why: 'a correct change of a table entry',
    },
    {
      command: 'check-trace -- boot.log.gz --bbm 2 --json boot.json',
      why: 'on CPUs of FEAT_BBM level 2, for a program',
    },
    {
      command: 'check-trace -- old.log new.log --compare --sequences steps',
      why: 'two kernels side by side, and how each changed the size of mappings, to be explored',
    },
  ],
  flags: FLAGS,
  run: async (input, terminal) => (await checkTrace(input, terminal)).exitCode,
};
