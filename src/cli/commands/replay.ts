/**
 * `replay`: the schedule of a token that `explore` printed, again, with everything the hypervisor does
 * and why each step may be so.
 */
import { commandLine } from '../../package/command-line.ts';
import { type CpuModel, cpuResultOf, DEFAULT_CPU } from '../../arch/cpu-model.ts';
import {
  decodeToken,
  type Replay,
  ReplayRefused,
  replayToken,
  type ScheduleToken,
} from '../../explore/protocol/index.ts';
import type { Protocol } from '../../port/protocol.ts';
import { counted } from '../../report/numbers.ts';
import { formatSchedule } from '../../report/text/schedule-text.ts';
import { EXIT, type ExitCode } from '../../result/exit-code.ts';
import { levelText } from '../../result/explore.ts';
import type { ReplayResult, ReplayRun } from '../../result/replay.ts';
import { machineInfo } from '../../stress/process/machine-info.ts';
import { MUTANTS, subjectOf as subjectOfMutant } from '../../mutants/index.ts';
import { ALL_PROTOCOLS } from '../../protocols/index.ts';
import {
  parseSequence,
  SequenceError,
  sequenceProtocol,
  unpackSequence,
} from '../../sequence/index.ts';
import { variantOn } from '../../exploration/ablate.ts';
import type { Command, CommandInput } from '../command.ts';
import { parseCpu } from '../../request/cpu-knobs.ts';
import { repairedAs } from '../../request/repaired.ts';
import { fileSource } from '../../request/sources.ts';
import { Delivery, jsonTarget } from '../files/delivery.ts';
import { loadProtocolFile, looksLikePath } from '../../request/protocol-file.ts';
import type { Terminal } from '../terminal.ts';
import { UsageError } from '../../request/usage-error.ts';
import { splitVariantName } from '../../request/variant-name.ts';
import { packageVersion } from '../../result/version.ts';
import { JSON_FILE, NO_COLOR } from '../flags/common.ts';
import { flag } from '../flags/flag.ts';
import { anyText } from '../../request/values.ts';

const FLAGS = {
  protocol: flag({
    value: 'FILE',
    help: 'where the file of the protocol is, if it is not where the token says',
    default: "the token's",
    parse: anyText,
  }),
  json: JSON_FILE,
  'no-color': NO_COLOR,
};

/** Nothing is drawn by chance. */
type SeedlessResult = Omit<ReplayResult, 'seed'> & { readonly seed: null };

const EXPLORE_AGAIN = 'explore it again for a new token';

interface Found {
  readonly protocol: Protocol;
  /** What is in its file; empty for a built-in one. */
  readonly text: string;
}

export async function replay(
  { flags, positionals, argv }: CommandInput<typeof FLAGS>,
  terminal: Terminal,
): Promise<ExitCode> {
  const token = decodeToken(positionals[0] ?? '');
  if (token === null) {
    throw new UsageError(
      'replay: the token is damaged or no token; copy all of it from behind "replay:" as explore prints it',
    );
  }
  const json = jsonTarget(flags.json);
  const startedAt = new Date();
  const startMs = performance.now();
  const file = flags.protocol;
  if (file !== undefined && token.kind !== 'file') {
    const where = token.kind === 'sequence' ? 'a sequence, which is in it' : token.name;
    const how = token.kind === 'sequence' ? '' : ', which is built in';
    throw new UsageError(`--protocol: the token is of ${where}${how}`);
  }
  const { protocol, text } = await foundOf(token, file);
  const { against } = token;
  const beside = against === null ? null : await foundOf({ ...token, ...against }, undefined);
  const cpu = { ...DEFAULT_CPU, ...parseCpu(token.cpu) };
  const found = run(token, { protocol, text }, cpu, beside);
  const delivery = new Delivery(terminal, false);
  if (json !== null) {
    const result: SeedlessResult = {
      tool: 'stage2-stress',
      schema: 1,
      command: 'replay',
      verdict: 'fail',
      exitCode: EXIT.fail,
      reasons: [],
      seed: null,
      argv,
      version: packageVersion(),
      // Its notes are about what real threads can show here; a model runs the same everywhere.
      machine: { ...machineInfo(), notes: [] },
      startedAt: startedAt.toISOString(),
      elapsedMs: Math.round(performance.now() - startMs),
      interrupted: false,
      runs: [runOf(positionals[0] ?? '', token, [protocol, beside?.protocol], cpu, found)],
    };
    await delivery.json(json, result);
  }
  delivery.text(() => replayText(token, [protocol, beside?.protocol], found, terminal));
  return delivery.end(EXIT.fail);
}

/** The protocol that the token is of, or the variant of one. */
async function foundOf(token: ScheduleToken, file: string | undefined): Promise<Found> {
  const [name, code] = splitVariantName(token.name);
  const whole = await subjectOf({ ...token, name }, file);
  if (code === null) return whole;
  const protocol = repairedAs(whole.protocol, code);
  return protocol === null ? variantOf(whole, token, code) : { ...whole, protocol };
}

/** The variant of `explore --ablate` that the token is of. */
function variantOf({ protocol, text }: Found, token: ScheduleToken, code: string): Found {
  const variant = variantOn(protocol, token.level, code, token.granule);
  if (variant !== null) return { protocol: variant, text };
  throw new UsageError(
    `replay: ${protocol.name} has changed since the token was made; ${EXPLORE_AGAIN}`,
  );
}

async function subjectOf(token: ScheduleToken, file: string | undefined): Promise<Found> {
  if (token.kind === 'file') return fromFile(token, file);
  if (token.kind === 'sequence') return { protocol: unpacked(token), text: '' };
  const protocol =
    token.kind === 'built-in'
      ? ALL_PROTOCOLS.find(({ name }) => name === token.name)
      : MUTANTS.flatMap((mutant) =>
          mutant.name === token.name ? (subjectOfMutant(mutant, 'explore').protocol ?? []) : [],
        )[0];
  if (protocol === undefined) {
    throw new UsageError(`replay: this version has no ${token.kind} ${token.name}`);
  }
  return { protocol, text: '' };
}

function unpacked({ name }: ScheduleToken): Protocol {
  const text = unpackSequence(name);
  try {
    if (text !== null) return sequenceProtocol(parseSequence(text));
  } catch (error) {
    if (!(error instanceof SequenceError)) throw error;
  }
  throw new UsageError(`replay: this version cannot read the token's sequence; ${EXPLORE_AGAIN}`);
}

async function fromFile(token: ScheduleToken, file = token.name): Promise<Found> {
  if (!looksLikePath(file)) throw new UsageError(`--protocol: ${file} is no file of a protocol`);
  try {
    const { path, protocol } = await loadProtocolFile(file);
    return { protocol, text: fileSource(path).text };
  } catch (error) {
    if (!(error instanceof UsageError)) throw error;
    throw new UsageError(
      `replay: ${error.message}; --protocol FILE says where the token's file is now`,
    );
  }
}

function run(
  token: ScheduleToken,
  { protocol, text }: Found,
  cpu: CpuModel,
  beside: Found | null,
): Replay {
  try {
    return replayToken(token, protocol, text, cpu, beside);
  } catch (error) {
    if (error instanceof ReplayRefused) {
      throw new UsageError(`replay: ${error.message}; ${EXPLORE_AGAIN}`);
    }
    throw error;
  }
}

function runOf(
  text: string,
  token: ScheduleToken,
  [protocol, beside]: readonly [Protocol, Protocol | undefined],
  cpu: CpuModel,
  { violation, steps, broken }: Replay,
): ReplayRun {
  const { kind, name, level, granule, regions, vcpus, scenario } = token;
  return {
    ...(scenario === 'adjust-populated' ? {} : { scenario }),
    protocol: protocol.name,
    mutant: kind === 'mutant' ? name : null,
    against: beside?.name ?? null,
    cpu: cpuResultOf(cpu),
    granule,
    ...(regions === 2 && { regions }),
    level,
    vcpus,
    verdict: 'violated',
    violation: { ...violation, steps, token: text },
    broken,
  };
}

function replayText(
  token: ScheduleToken,
  [protocol, beside]: readonly [Protocol, Protocol | undefined],
  { violation, steps, broken }: Replay,
  { paint, columns }: Terminal,
): string {
  const what = violation.by === 'schedule' ? 'one schedule' : "the protocol's own operations";
  const name = token.kind === 'mutant' ? `${token.name} (mutant)` : protocol.name;
  const vcpus = counted(token.vcpus, 'vCPU');
  const scenario = token.scenario === 'adjust-populated' ? '' : `${token.scenario}, `;
  const where = `${beside === undefined ? '' : `against ${beside.name}, `}${scenario}`;
  const lines = [
    `${name}, ${where}${levelText(token)}, ${vcpus}, ${token.cpu.replaceAll(',', ' ')}: ${what}`,
    formatSchedule(steps, { columns, broken, reasons: true }),
    `${paint('red', 'VIOLATION')} ${violation.rule}: ${violation.why}`,
    `exit ${EXIT.fail}: a rule was violated`,
  ];
  return `${lines.join('\n')}\n`;
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<token>', min: 1, max: 1 },
  about:
    'Runs exactly the schedule of a token again, which explore prints with every violation, and shows ' +
    'all of it: one column per thread, each operation where it takes effect, what it read or made ' +
    'visible, and why that is allowed, with the rule of the Arm ARM. Nothing is searched. The exit ' +
    'code is 1, as a violation is shown; 2 if the token is damaged, or if the protocol has changed ' +
    'since it was made. --json writes the same in the form of a result of explore: one run, its ' +
    'violation with every step and the reason for it.',
  examples: [
    {
      command: 'replay -- r1:p:rfc-nt-posted:4b0a3d71:bbm=1:2:1:l0-l0:0.012345.0.3:3ade2d',
      why: `a token as \`${commandLine('explore -- --protocol rfc-nt-posted')}\` prints it`,
    },
    {
      command: 'replay -- TOKEN --protocol ./moved/mine.ts',
      why: 'the file of the protocol is somewhere else now',
    },
    { command: 'replay -- TOKEN --json steps.json', why: 'the steps for another program' },
  ],
  flags: FLAGS,
  run: replay,
};
