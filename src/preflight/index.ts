/**
 * A campaign whose protocols have been tried alone first: what cannot run at all is known in seconds,
 * with its line, instead of after the controls.
 *
 * Protocols from files are tried, each in a thread of its own; the built-in ones are tested with the
 * harness. An unusable one ends the campaign before it begins. A violation does not, unless --fail-fast
 * says so: it counts, and the campaign shows what else there is.
 */
import { availableParallelism } from 'node:os';
import { EXIT } from '../result/exit-code.ts';
import type { StressResult, StressRun } from '../result/stress.ts';
import { commandLine } from '../package/command-line.ts';
import { shortPath } from '../package/paths.ts';
import { packageVersion } from '../result/version.ts';
import { runStress, type StressHooks } from '../stress/campaign/campaign.ts';
import { machineInfo } from '../stress/process/machine-info.ts';
import { protocolFiles, type StressOptions } from '../stress/plan/plan.ts';
import { isLate } from '../stress/plan/schedule.ts';
import { watchTrial } from './watch.ts';
import { type Word, wordLine } from './word.ts';

export { endlessLine } from './endless.ts';

export interface TriedHooks extends StressHooks {
  /** At once, before any row of the campaign is. */
  readonly onWord?: (word: Word) => void;
}

/** The campaign as the engine runs it. */
export type Campaign = (options: StressOptions, hooks: StressHooks) => Promise<StressResult>;

export async function runTriedStress(
  options: StressOptions,
  hooks: TriedHooks,
  campaign: Campaign = runStress,
): Promise<StressResult> {
  const files = protocolFiles(options);
  if (files.length === 0) return campaign(options, hooks);
  const startedAt = new Date();
  const startedMs = performance.now();
  const isOver = (words: readonly Word[]): boolean =>
    !hooks.signal.aborted &&
    words.some(({ kind }) => kind === 'unusable' || (kind === 'violation' && options.failFast));
  const trying = tryAll(files, options, hooks);
  const over = new AbortController();
  // What takes long on a busy machine is waiting for a CPU, which the campaign's controls, none of the
  // user's, can do meanwhile. On a quiet one they would be disturbed.
  const mayRun = trying.then((words) => {
    if (isOver(words)) over.abort();
    return !isOver(words);
  });
  const meanwhile = isLate(hooks.agedMs)
    ? campaign(options, {
        ...hooks,
        mayRun,
        signal: AbortSignal.any([hooks.signal, over.signal]),
      })
    : null;
  const words = await trying;
  const spentMs = performance.now() - startedMs;
  if (isOver(words)) {
    await meanwhile;
    return refused(words, options, startedAt, spentMs);
  }
  const agedMs = (hooks.agedMs ?? 0) + spentMs;
  return withWords(await (meanwhile ?? campaign(options, { ...hooks, agedMs })), words);
}

/** All of them: one that fails hides nothing of the next. */
async function tryAll(
  files: ReturnType<typeof protocolFiles>,
  { levels, granule, cpuOverrides, timeMs }: StressOptions,
  { signal, onProgress, onWord = () => {} }: TriedHooks,
): Promise<readonly Word[]> {
  const startedMs = performance.now();
  const words: Word[] = [];
  const waiting = [...files];
  const say = (word: Word): void => {
    words.push(word);
    onWord(word);
  };
  async function next(): Promise<void> {
    for (let ref = waiting.shift(); ref !== undefined; ref = waiting.shift()) {
      const doneMs = performance.now() - startedMs;
      const label = `${ref.name}, alone`;
      onProgress({ doneMs, budgetMs: timeMs, rounds: 0, faults: 0, violations: 0, label });
      const { name, path } = ref;
      await watchTrial({ name, path, levels, granule, cpuOverrides }, say, signal);
    }
  }
  await Promise.all(Array.from({ length: availableParallelism() }, next));
  return words;
}

function refused(
  words: readonly Word[],
  { seed, argv, shard }: StressOptions,
  startedAt: Date,
  spentMs: number,
): StressResult {
  const isViolated = words.some(({ kind }) => kind === 'violation');
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'stress',
    verdict: isViolated ? 'fail' : 'inconclusive',
    exitCode: isViolated ? EXIT.fail : EXIT.internal,
    reasons: words.map((word) => wordLine(word)),
    seed,
    argv,
    version: packageVersion(),
    machine: machineInfo(),
    startedAt: startedAt.toISOString(),
    elapsedMs: Math.round(spentMs),
    interrupted: false,
    ...(shard === undefined ? {} : { shard }),
    controls: [],
    runs: [],
  };
}

/** What was known before the campaign is part of what it found. */
function withWords(result: StressResult, words: readonly Word[]): StressResult {
  if (words.length === 0) return result;
  const violations = words.filter(({ kind }) => kind === 'violation');
  const lines = (of: readonly Word[]): string[] => of.map((word) => wordLine(word));
  const remarks = [
    ...lines(words.filter(({ kind }) => kind === 'remark')),
    ...(result.remarks ?? []),
  ];
  const reasons = [...lines(violations), ...result.reasons];
  const told = { ...result, reasons, ...(remarks.length === 0 ? {} : { remarks }) };
  const runs = result.runs.map((run) => withViolations(run, violations));
  if (violations.length === 0) return told;
  return { ...told, verdict: 'fail', exitCode: EXIT.fail, runs };
}

/** Those of its protocol and level that the row has not seen itself. */
function withViolations(run: StressRun, words: readonly Word[]): StressRun {
  const added = words.filter(
    ({ protocol, level, rule }) =>
      ((run.mutant === null && protocol === run.protocol) || protocol === run.against) &&
      level === run.level &&
      !run.violations.some((seen) => seen.rule === rule),
  );
  if (added.length === 0) return run;
  const violations = added.flatMap(({ rule, text, place }) =>
    rule === null
      ? []
      : {
          rule,
          why: text,
          vcpu: null,
          ipa: null,
          round: null,
          count: 1,
          events: [],
          exploreCommand: commandLine(
            `explore -- --protocol ${shortPath(place.file)}${run.level === 2 ? '' : ` --level ${run.level}`}`,
          ),
        },
  );
  return { ...run, verdict: 'fail', violations: [...run.violations, ...violations] };
}
