/** `answer`: is it worth it, from results of `stress` and from figures of one's own. */
import { type OwnAnswer, ownAnswer } from '../../answer/own.ts';
import { type AnswerRow, answerRows } from '../../answer/rows.ts';
import { GUEST_GIB } from '../../answer/worth.ts';
import { type BlockLevel, entrySize, geometryOf, GRANULES } from '../../arch/geometry.ts';
import { answerLines } from '../../report/text/answer-text.ts';
import { ownAnswerLines } from '../../report/text/own-answer-text.ts';
import { EXIT, type ExitCode } from '../../result/exit-code.ts';
import type { StressFile } from '../../result/read.ts';
import type { Command, CommandInput } from '../command.ts';
import { Delivery, jsonTarget } from '../files/delivery.ts';
import { readResultFiles } from '../files/result-files.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../../request/usage-error.ts';
import { JSON_FILE, NO_COLOR } from '../flags/common.ts';
import { flag } from '../flags/flag.ts';
import { oneOf, wholeNumber } from '../../request/values.ts';

const FLAGS = {
  granule: flag({
    value: GRANULES.join('|'),
    help: 'translation granule',
    default: '4k',
    parse: oneOf(GRANULES),
  }),
  window: flag({
    value: 'NS',
    help: 'how long an entry is invalid on your machine',
    default: 'measured rows only',
    parse: wholeNumber(1, 1e15),
  }),
  rate: flag({
    value: 'HZ',
    help: 'how often a second one vCPU walks the entry there',
    default: 'measured rows only',
    parse: wholeNumber(1, 1e15),
  }),
  exit: flag({
    value: 'NS',
    help: 'what a fault costs there beside waiting: exit, handling, entry',
    default: '0',
    parse: wholeNumber(0, 1e15),
  }),
  cancels: flag({
    value: 'N',
    help: 'cancelled migrations per hour',
    default: '1',
    parse: wholeNumber(1, 1e9),
  }),
  guest: flag({
    value: 'GIB',
    help: 'memory of the guest whose migration is cancelled',
    default: String(GUEST_GIB),
    parse: wholeNumber(1, 1e6),
  }),
  level: flag({
    value: '1|2',
    help: 'with --window: level of the block, so its size: with 4k 1 GiB or 2 MiB',
    default: '2',
    parse: (text) => wholeNumber(1, 2)(text) as BlockLevel,
  }),
  vcpus: flag({
    value: 'N',
    help: 'with --window: vCPUs of the guest',
    default: '1',
    parse: wholeNumber(1, 4096),
  }),
  json: JSON_FILE,
  'no-color': NO_COLOR,
};

type Input = CommandInput<typeof FLAGS>;

export const ANSWER_DEFAULTS = Object.freeze({
  level: 2,
  vcpus: 1,
  cancels: 1,
  exitNs: 0,
  granule: '4k',
});

export async function answer({ flags, positionals }: Input, terminal: Terminal): Promise<ExitCode> {
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

function ownOf(flags: Input['flags'], gib: number): OwnAnswer | null {
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
  const level = flags.level ?? ANSWER_DEFAULTS.level;
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
    guest: { gib, vcpus: flags.vcpus ?? ANSWER_DEFAULTS.vcpus },
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

export const command: Command<typeof FLAGS> = {
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
  flags: FLAGS,
  run: (input, terminal) => answer(input, terminal),
};
