/** `answer`: is it worth it, from results of `stress` and from figures of one's own. */
import { type OwnAnswer, ownAnswer } from '../answer/own.ts';
import { type AnswerRow, answerRows } from '../answer/rows.ts';
import { GUEST_GIB } from '../answer/worth.ts';
import { entrySize, geometryOf } from '../arch/geometry.ts';
import { answerLines } from '../report/text/answer-text.ts';
import { ownAnswerLines } from '../report/text/own-answer-text.ts';
import { EXIT, type ExitCode } from '../result/exit-code.ts';
import type { StressFile } from '../result/read.ts';
import type { Command, CommandInput } from './command.ts';
import type { Flags } from './options.ts';
import { Delivery, jsonTarget } from './delivery.ts';
import { readResultFiles } from './result-files.ts';
import type { Terminal } from './terminal.ts';
import { UsageError } from './usage-error.ts';

export const ANSWER_DEFAULTS = Object.freeze({
  level: 2,
  vcpus: 1,
  cancels: 1,
  exitNs: 0,
  granule: '4k',
});

export async function answer(
  { flags, positionals }: CommandInput,
  terminal: Terminal,
): Promise<ExitCode> {
  const json = jsonTarget(flags.json);
  const gib = flags.guest ?? GUEST_GIB;
  const own = ownOf(flags, gib);
  if (own === null && positionals.length === 0) {
    throw new UsageError(
      'answer needs a result of stress --json FILE, or figures: --window NS --rate HZ',
    );
  }
  const results = readResultFiles('answer', positionals).map((result, i) => {
    if (result.command === 'stress') return result;
    throw new UsageError(`answer: ${positionals[i]} is a result of ${result.command}, not stress`);
  });
  const lines = results.flatMap((result, i) => resultLines(result, positionals[i], gib, terminal));
  if (own !== null) lines.push('', ...ownAnswerLines(own));
  const delivery = new Delivery(terminal, false);
  await delivery.json(json, answerJson(results, own, gib));
  delivery.text(() => `${lines.join('\n').trimStart()}\n`);
  return delivery.end(EXIT.pass);
}

function resultLines(
  { runs }: StressFile,
  name: string | undefined,
  gib: number,
  { paint, columns }: Terminal,
): string[] {
  const lines = answerLines(runs, columns, paint, { gib, all: true });
  if (lines.length > 0) return lines;
  return [
    '',
    `${name}: no row can answer: it takes a coalesce with vCPUs in parallel, without --delay and ` +
      '--reorder',
  ];
}

function ownOf(flags: Flags, gib: number): OwnAnswer | null {
  const { window, rate } = flags;
  if (window === undefined || rate === undefined) {
    const given = (['window', 'rate', 'exit', 'cancels'] as const).find(
      (flag) => flags[flag] !== undefined,
    );
    if (given === undefined) return null;
    const missing = window === undefined ? '--window NS' : '--rate HZ';
    throw new UsageError(`--${given} needs ${missing} beside it`);
  }
  const geometry = geometryOf(flags.granule ?? ANSWER_DEFAULTS.granule);
  const level = flags['answer-level'] ?? ANSWER_DEFAULTS.level;
  if (!geometry.blockLevels.includes(level)) {
    throw new UsageError(
      `--level ${level} does not go with --granule ${geometry.granule}, ` +
        `which has blocks at level ${geometry.blockLevels.join(' and ')} only`,
    );
  }
  return ownAnswer({
    windowNs: window,
    rate,
    exitNs: flags.exit ?? ANSWER_DEFAULTS.exitNs,
    cancels: flags.cancels ?? ANSWER_DEFAULTS.cancels,
    blockBytes: entrySize(geometry, level),
    guest: { gib, vcpus: flags['answer-vcpus'] ?? ANSWER_DEFAULTS.vcpus },
  });
}

function answerJson(results: readonly StressFile[], own: OwnAnswer | null, gib: number): object {
  const rows = results.flatMap(({ runs }) => answerRows(runs, { gib }).map(rowJson));
  return { tool: 'stage2-stress', schema: 1, command: 'answer', guestGib: gib, rows, own };
}

/** What names the row, and what the row says; the run itself is in the file it came from. */
function rowJson({ run, ...figures }: AnswerRow): object {
  const { scenario, protocol, cpu, granule, level, vcpus } = run;
  const costs = { descriptorWrites: run.descriptorWrites, tlbis: run.tlbis, ...figures.cost };
  return { scenario, protocol, cpu, granule, level, vcpus, ...figures, cost: costs };
}

export const command: Command = {
  positionals: { name: '[run.json]…', min: 0, max: Number.POSITIVE_INFINITY },
  about:
    'Does it matter at all? From results of stress: the guest time each protocol costs per ' +
    'coalesced block and per cancelled migration of a whole guest, how many of those per hour cost ' +
    '1 % of its time, and beside it what the protocol costs: stores, TLBIs, lines, CPU features. ' +
    'With --window and --rate: the same for figures of your own machine, by the model ' +
    '1 - exp(-rate x window).',
  examples: [
    { command: 'answer -- run.json --guest 256', why: 'a result, for a guest of 256 GiB' },
    {
      command: 'answer -- --window 130000000 --rate 1000000 --exit 5000 --level 1 --vcpus 20',
      why: 'a 1 GiB block that stays invalid for a cache clean of 0.13 s, and 20 vCPUs',
    },
  ],
  run: (input, terminal) => answer(input, terminal),
};
