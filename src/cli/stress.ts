/** `stress`: checks the flags, runs the campaign, prints and writes its result. */
import { formatJson } from '../report/json.ts';
import { stressText } from '../report/text.ts';
import { EXIT, type ExitCode } from '../result/exit-code.ts';
import type { StressResult } from '../result/stress.ts';
import type { StressOptions, StressProgress } from '../stress/plan.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from './command.ts';
import { checkOutputFile, writeWhole } from './output-file.ts';
import { showProgress } from './progress.ts';
import { BUILT_IN, type Catalogue } from './registry.ts';
import { watchSignals } from './signals.ts';
import { stressOptions } from './stress-options.ts';
import type { Terminal } from './terminal.ts';
import { outFolder, writeOut } from './write-reports.ts';

/** The engine as this command sees it. */
export type RunStress = (
  options: StressOptions,
  hooks: { onProgress: (progress: StressProgress) => void; signal: AbortSignal },
) => Promise<StressResult>;

export async function stress(
  input: CommandInput,
  terminal: Terminal,
  catalogue: Catalogue,
  loadEngine: () => RunStress | Promise<RunStress>,
): Promise<ExitCode> {
  const options = await stressOptions(input, catalogue);
  const json = input.flags.json === undefined ? null : checkOutputFile('json', input.flags.json);
  const out = outFolder(input.flags.out);
  const result = withInterruption(await campaign(options, terminal, await loadEngine()));
  // The file first: it must not depend on anybody reading the text.
  if (json !== null) writeWhole(json, formatJson(result));
  if (out !== null) await writeOut(out, result);
  terminal.out(
    stressText(result, { paint: terminal.paint, columns: terminal.columns, quiet: options.quiet }),
  );
  return result.exitCode;
}

async function campaign(
  options: StressOptions,
  terminal: Terminal,
  run: RunStress,
): Promise<StressResult> {
  const progress = showProgress(options.quiet ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(
      `stage2-stress: ${name}: stopping to report what is done; once more ends at once\n`,
    );
  });
  try {
    return await run(options, { onProgress: (p) => progress.update(p), signal: interrupt.signal });
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

export const command: Command = {
  positionals: NO_POSITIONALS,
  about:
    'A hypervisor thread changes the size of stage-2 mappings while vCPU threads walk the same ' +
    'tables; every access is checked and every transition measured. Without flags: a portfolio ' +
    'of protocols in under 60 s on two cores, with positive controls that prove the checker can ' +
    'fail. Rates are per transition, with 95 % intervals over rounds.',
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
  ],
  run: (input, terminal) =>
    stress(
      input,
      terminal,
      BUILT_IN,
      async () => (await import('../stress/campaign.ts')).runStress,
    ),
};
