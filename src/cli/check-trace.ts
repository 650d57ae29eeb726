/** `check-trace`: casemate's page-table event logs, judged by our break-before-make automaton. */
import { readFileSync } from 'node:fs';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { judgeLog, LogSyntaxError } from '../casemate/index.ts';
import { checkTraceText } from '../report/check-trace-text.ts';
import type { CheckTraceResult, TraceRun } from '../result/check-trace.ts';
import { EXIT, type Verdict } from '../result/exit-code.ts';
import { machineInfo } from '../stress/machine-info.ts';
import type { Command, CommandInput } from './command.ts';
import { deliver, jsonTarget } from './delivery.ts';
import { userFolder, userPath } from './paths.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';
import { packageVersion } from './version.ts';

/** Nothing is drawn by chance: there is no seed to repeat. */
type SeedlessResult = Omit<CheckTraceResult, 'seed'> & { readonly seed: null };

export async function checkTrace(input: CommandInput, terminal: Terminal): Promise<SeedlessResult> {
  const { flags } = input;
  const json = jsonTarget(flags.json);
  const startedAt = new Date();
  const startMs = performance.now();
  const runs = input.positionals.map((name) => judgeFile(name, flags.bbm ?? 0));
  const result: SeedlessResult = {
    tool: 'stage2-stress',
    schema: 1,
    command: 'check-trace',
    ...judge(runs),
    seed: null,
    argv: input.argv,
    version: packageVersion(),
    // Its notes are about what real threads can show here; a log is judged the same everywhere.
    machine: { ...machineInfo(), notes: [] },
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(performance.now() - startMs),
    interrupted: false,
    runs,
  };
  const quiet = flags.quiet ?? false;
  const exitCode = await deliver(result, { json, quiet }, terminal, () =>
    checkTraceText(result, terminal.paint, quiet),
  );
  return { ...result, exitCode };
}

function judgeFile(name: string, bbm: BbmLevel): TraceRun {
  const text = textOf(name);
  try {
    const judgement = judgeLog(text, bbm);
    return { file: name, verdict: verdictOf(judgement), ...judgement };
  } catch (error) {
    if (error instanceof LogSyntaxError)
      throw new UsageError(`check-trace: ${name}:${error.line}: ${error.message}`);
    throw error;
  }
}

function verdictOf({ violations, entries }: Omit<TraceRun, 'file' | 'verdict'>): Verdict {
  if (violations.length > 0) return 'fail';
  return entries === 0 ? 'inconclusive' : 'pass';
}

function textOf(name: string): string {
  const file = userFolder() === process.cwd() ? name : userPath(name);
  try {
    return readFileSync(file, 'utf8');
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new UsageError(`check-trace: ${name}: cannot be read (${code}); name a log of casemate`);
  }
}

/** A log without a registered stage-2 tree was not judged, and says nothing. */
function judge(
  runs: readonly TraceRun[],
): Pick<CheckTraceResult, 'verdict' | 'exitCode' | 'reasons'> {
  const empty = runs.filter(({ verdict }) => verdict === 'inconclusive');
  const reasons = empty.map(
    ({ file }) => `${file}: no entry of a stage-2 tree was written after its VTTBR_EL2 was`,
  );
  if (runs.some(({ verdict }) => verdict === 'fail'))
    return { verdict: 'fail', exitCode: EXIT.fail, reasons };
  if (empty.length > 0) return { verdict: 'inconclusive', exitCode: EXIT.inconclusive, reasons };
  return { verdict: 'pass', exitCode: EXIT.pass, reasons };
}

export const command: Command = {
  positionals: { name: '<log>…', min: 1, max: Number.POSITIVE_INFINITY },
  about:
    'Reads page-table event logs of casemate (one s-expression per event, trace format of v3.0.2) ' +
    'and judges every entry of every registered stage-2 tree by the same break-before-make ' +
    'automaton as stress and explore. A page that is replaced by another page without a break is a ' +
    'violation whatever the access flag says. Not judged: locks and owners, stage-1 trees, granules ' +
    'other than 4K.',
  examples: [
    {
      command: 'check-trace -- test/casemate/logs/good-break-before-make.trace',
      why: 'a correct change of a table entry',
    },
    {
      command: 'check-trace -- boot.log --bbm 2 --json boot.json',
      why: 'on CPUs of FEAT_BBM level 2, for a program',
    },
  ],
  run: async (input, terminal) => (await checkTrace(input, terminal)).exitCode,
};
