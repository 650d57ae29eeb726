/** The flags of `stress`, and the request they make: most are a field of it. */
import { type BlockLevel, GRANULES } from '../../../arch/geometry.ts';
import { parseCpu } from '../../../request/cpu-knobs.ts';
import type { Catalogue } from '../../../request/registry.ts';
import { sequenceText } from '../../../request/sequence-text.ts';
import { stressOptions, type StressRequest } from '../../../request/stress.ts';
import { UsageError } from '../../../request/usage-error.ts';
import {
  anyText,
  keyValue,
  listOf,
  nameOf,
  oneOf,
  wholeNumber,
  word,
} from '../../../request/values.ts';
import {
  ACCESS_MODES,
  BLOCKS_MAX,
  type Delay,
  DELAY_NS_MAX,
  DELAY_SITES,
  PATTERNS,
  type Pinning,
  portfolioRepeats,
  REPEATS_MAX,
  ROUNDS_MAX,
  SEED_MAX,
  STRESS_DEFAULTS,
  type StressOptions,
  TIME_MS_MAX,
  TRANSITIONS_MAX,
  VCPUS_MAX,
} from '../../../stress/plan/plan.ts';
import type { CommandInput } from '../../command.ts';
import {
  JSON_FILE,
  MUTANT_HELP,
  NO_COLOR,
  OUT,
  PROTOCOL_HELP,
  QUIET,
  SEQUENCE_HELP,
  SHARD_HELP,
  timeFlag,
} from '../../flags/common.ts';
import { flag, switched } from '../../flags/flag.ts';
import { FAULTS, KERNEL, KERNEL_CAPS, KERNEL_TLB } from '../../flags/kernel.ts';
import { asking, inFlags, requestOf } from '../../flags/request.ts';
import { parseShard, shardOf } from '../../flags/shard.ts';

const asks = asking<StressRequest>();

export const STRESS_FLAGS = {
  protocol: asks('protocols', {
    value: 'a,b,…',
    help: PROTOCOL_HELP,
    default: 'a portfolio',
    parse: listOf(anyText),
  }),
  kernel: asks('kernel', KERNEL),
  'kernel-tlb': asks('kernelTlb', KERNEL_TLB),
  'kernel-caps': asks('kernelCapabilities', KERNEL_CAPS),
  faults: asks('faults', FAULTS),
  sequence: asks('sequence', {
    value: '"STEPS"',
    help: SEQUENCE_HELP,
    default: 'none',
    parse: sequenceText,
  }),
  scenario: asks('scenarios', {
    value: 'a,b,…',
    help: 'workloads by name; `all`',
    default: 'a portfolio',
    parse: listOf(word),
  }),
  mutant: asks('mutants', {
    value: 'a,b,…',
    help: MUTANT_HELP,
    default: 'none',
    parse: listOf(word),
  }),
  against: asks('against', {
    value: 'NAME',
    help:
      "a second hypervisor's thread runs this protocol at the same entries at the same time: a built-in " +
      'name, one of a mutant or a path; both of one kind, both take the lock for reading (docs/explore.md)',
    default: 'none: one hypervisor',
    parse: anyText,
  }),
  cpu: asks('cpu', {
    value: 'key=value,…',
    help: 'knobs of the simulated CPU, see below',
    default: "the protocol's own CPU, else the defaults below",
    parse: parseCpu,
  }),
  granule: asks('granule', {
    value: GRANULES.join('|'),
    help: 'translation granule',
    default: STRESS_DEFAULTS.granule,
    parse: oneOf(GRANULES),
  }),
  level: asks('levels', {
    value: '1|2',
    help: 'level of the block, so its size: with 4k 1 GiB or 2 MiB',
    default: STRESS_DEFAULTS.levels.join(','),
    parse: listOf((text) => wholeNumber(1, 2)(text) as BlockLevel),
  }),
  vcpus: asks('vcpus', {
    value: '1,2,4',
    help: 'numbers of vCPU threads, one run each; more than cores are scheduled in turns',
    default: STRESS_DEFAULTS.vcpus.join(','),
    parse: listOf(wholeNumber(1, VCPUS_MAX)),
  }),
  rounds: asks('rounds', {
    value: 'N',
    help: 'rounds per configuration',
    default: 'as many as --time allows',
    parse: wholeNumber(1, ROUNDS_MAX),
  }),
  repeats: asks('repeats', {
    value: 'N',
    help: 'starts with new threads per configuration, which share its rounds and time',
    default: `${portfolioRepeats(STRESS_DEFAULTS.timeMs)} for the portfolio from 40s on, 3 from 30s; else 1`,
    parse: wholeNumber(1, REPEATS_MAX),
  }),
  'fail-fast': asks(
    'failFast',
    switched({ help: 'end at the first violation, with what led to it printed and written' }),
  ),
  transitions: asks('transitions', {
    value: 'N',
    help: 'transitions per round',
    default: String(STRESS_DEFAULTS.transitions),
    parse: wholeNumber(1, TRANSITIONS_MAX),
  }),
  time: asks(
    'timeMs',
    timeFlag(100, TIME_MS_MAX, {
      help: 'budget of the whole campaign; with --rounds whichever ends first',
      default: `${STRESS_DEFAULTS.timeMs / 1000}s, or none with --rounds`,
    }),
  ),
  seed: asks('seed', {
    value: 'N',
    help: 'the same seed gives the same plan and the same guest accesses',
    default: 'random, always printed',
    parse: wholeNumber(0, SEED_MAX),
  }),
  stores: asks('storesPercent', {
    value: 'PERCENT',
    help: 'share of guest accesses that are stores',
    default: String(STRESS_DEFAULTS.storesPercent),
    parse: wholeNumber(0, 100),
  }),
  pattern: asks('pattern', {
    value: PATTERNS.join('|'),
    help: 'which guest page is accessed next',
    default: STRESS_DEFAULTS.pattern,
    parse: oneOf(PATTERNS),
  }),
  blocks: asks('blocks', {
    value: 'N',
    help: 'regions under test, each the size of one block',
    default: String(STRESS_DEFAULTS.blocks),
    parse: wholeNumber(1, BLOCKS_MAX),
  }),
  reorder: asks(
    'reorder',
    switched({
      help: "the hypervisor's plain stores drain late and out of order, as Arm allows",
    }),
  ),
  delay: asks('delays', {
    value: 'SITE=NS',
    help: `what operations of a protocol cost, up to NS, drawn: ${DELAY_SITES.join('|')}`,
    default: 'none',
    repeatable: true,
    parse: listOf(parseDelay),
  }),
  access: asks('access', {
    value: ACCESS_MODES.join('|'),
    help: 'how the walker loads a descriptor',
    default: STRESS_DEFAULTS.access,
    parse: oneOf(ACCESS_MODES),
  }),
  pin: asks('pin', {
    value: 'auto|off|list:0,1',
    help: 'which CPU each thread is bound to: the hypervisor first, then the vCPUs',
    default: 'auto',
    parse: parsePinning,
  }),
  shard: flag({
    field: 'shard',
    value: 'i/n|auto',
    help: SHARD_HELP,
    default: 'all of it',
    parse: parseShard,
  }),
  resume: flag({
    value: 'FILE',
    help:
      'go on with the campaign of FILE, an interrupted result of --json: its flags and seed, only ' +
      'what is missing, one result, in FILE unless --json says otherwise',
    default: 'a new campaign',
    parse: anyText,
  }),
  out: OUT,
  json: JSON_FILE,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

export type StressInput = CommandInput<typeof STRESS_FLAGS>;
export type StressFlags = StressInput['flags'];

/** What the flags ask for, checked; what is refused is said of flags. */
export function stressOptionsOf(
  { flags, argv }: Pick<StressInput, 'flags' | 'argv'>,
  catalogue: Catalogue,
): Promise<StressOptions> {
  return inFlags(STRESS_FLAGS, () => {
    const shard = shardOf(flags.shard);
    const request = requestOf(STRESS_FLAGS, { ...flags, shard: shard ?? undefined });
    return stressOptions(request, catalogue, argv);
  });
}

function parseDelay(text: string): Delay {
  const [site, ns] = keyValue(text, 'tlbi=2000');
  return { site: nameOf('delay site', DELAY_SITES)(site), ns: wholeNumber(1, DELAY_NS_MAX)(ns) };
}

function parsePinning(text: string): Pinning {
  if (text === 'auto' || text === 'off') return { mode: text };
  if (!text.startsWith('list:'))
    throw new UsageError(`"${text}" is not auto, off or a list such as list:0,1`);
  return { mode: 'list', cpus: listOf(wholeNumber(0, 4095))(text.slice('list:'.length)) };
}
