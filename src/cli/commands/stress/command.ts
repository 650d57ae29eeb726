/** `stress`: checks the flags, runs the campaign, prints and writes its result. */
import { commandLine } from '../../../package/command-line.ts';
import { formatJson } from '../../../report/json.ts';
import type { stressText } from '../../../report/text/stress-text.ts';
import { isComplete } from '../../../result/campaign-state.ts';
import { EXIT, type ExitCode } from '../../../result/exit-code.ts';
import type { StressResult } from '../../../result/stress.ts';
import type { TriedHooks } from '../../../preflight/index.ts';
import { wordLine } from '../../../preflight/word.ts';
import type { StressOptions } from '../../../stress/plan/plan.ts';
import { commandAgeMs } from '../../command-age.ts';
import { type Command, NO_POSITIONALS } from '../../command.ts';
import { deliver, isFile, type JsonTarget, jsonTarget } from '../../files/delivery.ts';
import {
  checkOutputFile,
  isReplaceable,
  type OutputFolder,
  writeWhole,
} from '../../files/output-file.ts';
import { shortPath } from '../../../package/paths.ts';
import { showProgress } from '../../progress.ts';
import { BUILT_IN, type Catalogue } from '../../../request/registry.ts';
import { STRESS_FLAGS, type StressFlags, type StressInput, stressOptionsOf } from './flags.ts';
import type { resumption } from './resume.ts';
import { watchSignals } from '../../signals.ts';
import type { Terminal } from '../../terminal.ts';
import { UsageError } from '../../../request/usage-error.ts';
import { fileProblem } from '../../files/write-problem.ts';
import { jsonIn, outFolder } from '../../files/write-reports.ts';

/** The engine as this command sees it. */
export type RunStress = (options: StressOptions, hooks: TriedHooks) => Promise<StressResult>;

export async function stress(
  input: StressInput,
  terminal: Terminal,
  catalogue: Catalogue,
  loadEngine: () => RunStress | Promise<RunStress>,
): Promise<ExitCode> {
  const { resume, quiet = false } = input.flags;
  const resumed = resume === undefined ? null : await earlierOf(resume, input, catalogue);
  const options = resumed?.options ?? (await stressOptionsOf(input, catalogue));
  const json = jsonFile(input.flags);
  const out = outFolder(input.flags.out);
  if (resumed?.isComplete) {
    terminal.out(`${resume} is complete: nothing was run\n`);
    const elsewhere = input.flags.json === undefined ? null : json;
    return report(resumed.earlier, { json: elsewhere, out, quiet: true }, terminal);
  }
  const save = checkpointWriter({ json, out }, terminal);
  const result = withInterruption(
    await campaign(options, { quiet, terminal }, await loadEngine(), save),
  );
  const code = await report(result, { json, out, quiet }, terminal);
  if (isFile(json) && result.campaign !== undefined && !isComplete(result.campaign))
    terminal.out(`to go on: ${commandLine(`stress -- --resume ${shortPath(json)}`)}\n`);
  return code;
}

/** Reading results takes as long to load as a tenth of all else that a campaign begins with. */
const earlierOf: typeof resumption = async (...given) =>
  (await import('./resume.ts')).resumption(...given);

/** Loaded while threads start, which is when the main thread has nothing to do. */
const loadText = async (): Promise<typeof stressText> =>
  (await import('../../../report/text/stress-text.ts')).stressText;

/** A resumed campaign goes back to where it came from. */
function jsonFile({ json, resume }: StressFlags): JsonTarget | null {
  if (json !== undefined) return jsonTarget(json);
  if (resume === undefined) return null;
  const file = checkOutputFile('resume', resume);
  if (isReplaceable(file)) return file;
  throw new UsageError(`--resume: ${resume} is no file that could be replaced; give --json, too`);
}

interface Targets {
  readonly json: JsonTarget | null;
  readonly out: OutputFolder | null;
  readonly quiet: boolean;
}

async function report(
  result: StressResult,
  targets: Targets,
  terminal: Terminal,
): Promise<ExitCode> {
  const { paint, columns } = terminal;
  const textOf = await loadText();
  return await deliver(result, targets, terminal, () =>
    textOf(result, { paint, columns, quiet: targets.quiet }),
  );
}

/** What is written before the end is for who is killed; that it cannot be is no reason to stop. */
function checkpointWriter(
  { json, out }: Pick<Targets, 'json' | 'out'>,
  terminal: Terminal,
): (result: StressResult) => void {
  let hasFailed = false;
  return (result) => {
    try {
      if (isFile(json) && isReplaceable(json)) writeWhole(json, formatJson(result));
      if (out !== null) writeWhole(jsonIn(out), formatJson(result));
    } catch (error) {
      if (hasFailed) return;
      hasFailed = true;
      const why = fileProblem(error) ?? String(error);
      terminal.err(`stage2-stress: what is done so far could not be written: ${why}\n`);
    }
  };
}

async function campaign(
  options: StressOptions,
  { quiet, terminal }: { readonly quiet: boolean; readonly terminal: Terminal },
  run: RunStress,
  onCheckpoint: (result: StressResult) => void,
): Promise<StressResult> {
  const progress = showProgress(quiet ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  try {
    return await run(options, {
      onProgress: (p) => {
        void loadText();
        progress.update(p);
      },
      onCheckpoint,
      onWord: (word) => {
        progress.clear();
        terminal.err(`${wordLine(word, shortPath)}\n`);
      },
      agedMs: commandAgeMs(),
      signal: interrupt.signal,
    });
  } finally {
    interrupt.dispose();
    progress.clear();
  }
}

/** An interrupted campaign is not a pass, whatever it saw; only a violation outranks that. */
function withInterruption(result: StressResult): StressResult {
  if (!result.interrupted || result.exitCode === EXIT.fail) return result;
  return { ...result, exitCode: EXIT.interrupted };
}

export const command: Command<typeof STRESS_FLAGS> = {
  positionals: NO_POSITIONALS,
  about:
    'A hypervisor thread changes the size of stage-2 mappings while vCPU threads walk the same ' +
    'tables; every access is checked and every transition measured. Without flags: a portfolio ' +
    'of protocols in under 60 s on two cores, with positive controls that prove the checker can ' +
    'fail. Rates are per transition, with 95 % intervals over rounds and repeats.',
  examples: [
    { command: 'stress', why: 'the portfolio' },
    {
      command: 'stress -- --protocol bbm-late,rfc-nt-intended --vcpus 1,2 --time 2m --seed 7',
      why: 'two protocols side by side, repeatable',
    },
    {
      command: 'stress -- --protocol rfc-nt-posted --delay write=500 --rounds 2000',
      why: 'widen the gap the RFC left between two stores',
    },
    {
      command: 'stress -- --protocol ./mine.ts --cpu bbm=2/1,nt=fault --level 1',
      why: 'a protocol of your own',
    },
    {
      command: 'stress -- --mutant all --time 60s --quiet --json kills.json',
      why: 'seeded bugs: each must be caught',
    },
    {
      command: 'stress -- --resume run.json',
      why: 'what is missing of a campaign that was interrupted or killed',
    },
  ],
  flags: STRESS_FLAGS,
  run: (input, terminal) =>
    stress(
      input,
      terminal,
      BUILT_IN,
      async () => (await import('../../../preflight/index.ts')).runTriedStress,
    ),
};
