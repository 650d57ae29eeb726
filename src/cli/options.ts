/**
 * Every flag of every command: one table, from which flags are parsed, help is printed and tests
 * are made.
 *
 * To add a flag add a row. To let another command take a flag add its name to the row's `commands`.
 * Where one flag means different things to different commands it has two rows with one `flag`.
 */
import { GRANULES } from '../arch/geometry.ts';
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { BlockLevel } from '../arch/geometry.ts';
import { ALL_ARCHITECTURES, ARCHITECTURES, DEFAULT_BOUNDS } from '../explore/model/options.ts';
import {
  ACCESSES_EXPLORED,
  ACCESSES_EXPLORED_MAX,
  EXPLORE_BOUNDS,
  SCENARIOS_EXPLORED,
  VCPUS_EXPLORED_MAX,
} from '../explore/protocol/bounds.ts';
import { ENGINES } from '../mutants/mutant.ts';
import { GUEST_GIB } from '../answer/worth.ts';
import { AMPLIFICATION_ROUNDS, SELFTEST_MS, SELFTEST_SEEDS } from '../selftest/budget.ts';
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
  TIME_MS_MAX,
  TRANSITIONS_MAX,
  VCPUS_MAX,
} from '../stress/plan.ts';
import {
  CAPABILITY_NAMES,
  DEFAULT_CAPABILITIES,
  OFFER_NAMES,
  TLB_FLAVOURS,
} from '../kernel/index.ts';
import { parseCpu } from './cpu-knobs.ts';
import { parseCapabilities } from './kernel-flags.ts';
import type { CommandName } from './commands.ts';
import { parseShard } from './shard.ts';
import { sequenceText } from './sequence-text.ts';
import { UsageError } from './usage-error.ts';
import { anyText, duration, keyValue, listOf, nameOf, oneOf, wholeNumber, word } from './values.ts';

export interface Option<T> {
  /** Long name without dashes; the row's key if absent. */
  readonly flag?: string;
  /** Value syntax for help; null for a switch. */
  readonly value: string | null;
  /** The value may be left out. */
  readonly valueOptional?: true;
  readonly help: string;
  /** What holds without the flag, for help. */
  readonly default: string;
  readonly commands: readonly CommandName[];
  /** May be given more than once; the lists are joined. */
  readonly repeatable?: true;
  readonly parse: (text: string) => T;
}

const option = <T>(row: Option<T>): Option<T> => row;
const flag = (): true => true;
const PROTOCOL_HELP =
  'built-in names, or paths: of .ts/.js files whose default export is a protocol, of .c files and ' +
  '.wasm modules (include/stage2-stress.h), of .seq files with one step a line; `all`';

export const OPTIONS = {
  protocol: option({
    value: 'a,b,…',
    help: PROTOCOL_HELP,
    default: 'a portfolio',
    commands: ['stress'],
    parse: listOf(anyText),
  }),
  sequence: option({
    value: '"STEPS"',
    help:
      'plain steps as a protocol, such as "str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block; ' +
      'free child": docs/sequences.md has the grammar',
    default: 'none',
    commands: ['stress', 'explore'],
    parse: sequenceText,
  }),
  kernel: option({
    value: 'DIR',
    help:
      'a kernel tree: its functions as protocols, all that it offers, or those that --protocol names: ' +
      'kernel:map, kernel:map-shared, kernel:split (docs/kernels.md)',
    default: 'none',
    commands: ['stress', 'explore'],
    parse: anyText,
  }),
  'kernel-tlb': option({
    value: TLB_FLAVOURS.join('|'),
    help: "whose tlb.c of the tree's flushes",
    default: TLB_FLAVOURS[0],
    commands: ['stress', 'explore', 'kernel'],
    parse: oneOf(TLB_FLAVOURS),
  }),
  'kernel-caps': option({
    value: 'a,b,…',
    help: `what the tree's code finds the CPU to have: ${CAPABILITY_NAMES.join('|')}, or none`,
    default: DEFAULT_CAPABILITIES.join(','),
    commands: ['stress', 'explore', 'kernel'],
    parse: parseCapabilities,
  }),
  mutate: option({
    value: null,
    help: 'which step of the code is needed: each left out, weakened and moved in turn',
    default: 'off',
    commands: ['kernel'],
    parse: flag,
  }),
  scenario: option({
    value: 'a,b,…',
    help: 'workloads by name; `all`',
    default: 'a portfolio',
    commands: ['stress'],
    parse: listOf(word),
  }),
  mutant: option({
    value: 'a,b,…',
    help: 'seeded bugs by name; `all`. Without --protocol nothing else runs',
    default: 'none',
    commands: ['stress', 'explore'],
    parse: listOf(word),
  }),
  cpu: option({
    value: 'key=value,…',
    help: 'knobs of the simulated CPU, see below',
    default: "the protocol's own CPU, else the defaults below",
    commands: ['stress', 'explore', 'kernel'],
    parse: parseCpu,
  }),
  granule: option({
    value: GRANULES.join('|'),
    help: 'translation granule',
    default: STRESS_DEFAULTS.granule,
    commands: ['stress', 'answer'],
    parse: oneOf(GRANULES),
  }),
  level: option({
    value: '1|2',
    help: 'level of the block, so its size: with 4k 1 GiB or 2 MiB',
    default: STRESS_DEFAULTS.levels.join(','),
    commands: ['stress'],
    parse: listOf((text) => wholeNumber(1, 2)(text) as BlockLevel),
  }),
  vcpus: option({
    value: '1,2,4',
    help: 'numbers of vCPU threads, one run each; more than cores are scheduled in turns',
    default: STRESS_DEFAULTS.vcpus.join(','),
    commands: ['stress'],
    parse: listOf(wholeNumber(1, VCPUS_MAX)),
  }),
  rounds: option({
    value: 'N',
    help: 'rounds per configuration',
    default: 'as many as --time allows',
    commands: ['stress'],
    parse: wholeNumber(1, ROUNDS_MAX),
  }),
  repeats: option({
    value: 'N',
    help: 'starts with new threads per configuration, which share its rounds and time',
    default: `${portfolioRepeats(STRESS_DEFAULTS.timeMs)} for the portfolio from 40s on, 3 from 30s; else 1`,
    commands: ['stress'],
    parse: wholeNumber(1, REPEATS_MAX),
  }),
  'fail-fast': option({
    value: null,
    help: 'end at the first violation, with what led to it printed and written',
    default: 'off',
    commands: ['stress'],
    parse: flag,
  }),
  transitions: option({
    value: 'N',
    help: 'transitions per round',
    default: String(STRESS_DEFAULTS.transitions),
    commands: ['stress'],
    parse: wholeNumber(1, TRANSITIONS_MAX),
  }),
  time: option({
    value: '60s|10m|2h',
    help: 'budget of the whole campaign; with --rounds whichever ends first',
    default: `${STRESS_DEFAULTS.timeMs / 1000}s, or none with --rounds`,
    commands: ['stress'],
    parse: duration(100, TIME_MS_MAX),
  }),
  seed: option({
    value: 'N',
    help: 'the same seed gives the same plan and the same guest accesses',
    default: 'random, always printed',
    commands: ['stress', 'selftest'],
    parse: wholeNumber(0, SEED_MAX),
  }),
  stores: option({
    value: 'PERCENT',
    help: 'share of guest accesses that are stores',
    default: String(STRESS_DEFAULTS.storesPercent),
    commands: ['stress'],
    parse: wholeNumber(0, 100),
  }),
  pattern: option({
    value: PATTERNS.join('|'),
    help: 'which guest page is accessed next',
    default: STRESS_DEFAULTS.pattern,
    commands: ['stress'],
    parse: oneOf(PATTERNS),
  }),
  blocks: option({
    value: 'N',
    help: 'regions under test, each the size of one block',
    default: String(STRESS_DEFAULTS.blocks),
    commands: ['stress'],
    parse: wholeNumber(1, BLOCKS_MAX),
  }),
  reorder: option({
    value: null,
    help: "the hypervisor's plain stores drain late and out of order, as Arm allows",
    default: 'off',
    commands: ['stress'],
    parse: flag,
  }),
  delay: option({
    value: 'SITE=NS',
    help: `what operations of a protocol cost, up to NS, drawn: ${DELAY_SITES.join('|')}`,
    default: 'none',
    commands: ['stress'],
    repeatable: true,
    parse: listOf(parseDelay),
  }),
  access: option({
    value: ACCESS_MODES.join('|'),
    help: 'how the walker loads a descriptor',
    default: STRESS_DEFAULTS.access,
    commands: ['stress'],
    parse: oneOf(ACCESS_MODES),
  }),
  pin: option({
    value: 'auto|off|list:0,1',
    help: 'which CPU each thread is bound to: the hypervisor first, then the vCPUs',
    default: 'auto',
    commands: ['stress'],
    parse: parsePinning,
  }),
  arch: option({
    value: 'base,ets2,ets3',
    help: 'architectures to run each test under: without and with FEAT_ETS2, or with FEAT_ETS3',
    default: ARCHITECTURES.join(','),
    commands: ['litmus'],
    parse: listOf(oneOf(ALL_ARCHITECTURES)),
  }),
  expect: option({
    value: 'FILE',
    help: 'verdicts to compare with: tab-separated, with the columns name, file, base, ets2',
    default: 'nothing is compared',
    commands: ['litmus'],
    parse: anyText,
  }),
  'explore-protocol': option({
    flag: 'protocol',
    value: 'a,b,…',
    help: PROTOCOL_HELP,
    default: 'all',
    commands: ['explore'],
    parse: listOf(anyText),
  }),
  'kernel-protocol': option({
    flag: 'protocol',
    value: 'a,b,…',
    help: 'functions of the tree by name, such as kernel:map',
    default: 'all that it offers',
    commands: ['kernel'],
    parse: listOf(nameOf('function', OFFER_NAMES)),
  }),
  'explore-granule': option({
    flag: 'granule',
    value: 'tiny',
    help: 'tables of two entries: there is no other',
    default: 'tiny',
    commands: ['explore'],
    parse: oneOf(['tiny'] as const),
  }),
  'explore-level': option({
    flag: 'level',
    value: '1|2',
    help: 'level of the block: 2 is a table of two pages, 1 one more level',
    default: '2; kernel: both, with --mutate 2',
    commands: ['explore', 'kernel'],
    parse: listOf((text) => wholeNumber(1, 2)(text) as BlockLevel),
  }),
  'explore-vcpus': option({
    flag: 'vcpus',
    value: '1,2,4',
    help: `numbers of vCPUs from 1 to ${VCPUS_EXPLORED_MAX}, one search each`,
    default: 'one for each PE that --cpu names: 1, and 2 with bbm=2/1',
    commands: ['explore'],
    parse: listOf(wholeNumber(1, VCPUS_EXPLORED_MAX)),
  }),
  accesses: option({
    value: 'N',
    help:
      `accesses of each vCPU at most, 1 to ${ACCESSES_EXPLORED_MAX}: the last after the ` +
      'transition, those before it at any time',
    default: String(ACCESSES_EXPLORED),
    commands: ['explore', 'kernel'],
    parse: wholeNumber(1, ACCESSES_EXPLORED_MAX),
  }),
  'explore-scenario': option({
    flag: 'scenario',
    value: 'a,b,…',
    help:
      `what is at it beside the transition: ${SCENARIOS_EXPLORED.join('|')}; the second is a VM ` +
      'with a VMID of its own, whose TLB entries must stay',
    default: 'adjust-populated: nothing',
    commands: ['explore'],
    parse: listOf(nameOf('scenario', SCENARIOS_EXPLORED)),
  }),
  ablate: option({
    value: null,
    help:
      'which step is needed: each left out, weakened and moved in turn, on every BBM level that the ' +
      'protocol is meant for, or on the CPU of --cpu',
    default: 'off',
    commands: ['explore'],
    parse: flag,
  }),
  matrix: option({
    value: null,
    help: 'every protocol on every CPU it is meant for, as one table',
    default: 'off: on the CPU it was written for',
    commands: ['explore'],
    parse: flag,
  }),
  'replay-protocol': option({
    flag: 'protocol',
    value: 'FILE',
    help: 'where the file of the protocol is, if it is not where the token says',
    default: "the token's",
    commands: ['replay'],
    parse: anyText,
  }),
  'explore-time': option({
    flag: 'time',
    value: '60s|10m|2h',
    help: 'how long one search may take',
    default: `${EXPLORE_BOUNDS.timeMs / 1000}s`,
    commands: ['explore', 'kernel'],
    parse: duration(100, TIME_MS_MAX),
  }),
  'litmus-time': option({
    flag: 'time',
    value: '60s|10m|2h',
    help: 'how long one search may take; Ctrl-C, too, waits for the end of one',
    default: `${DEFAULT_BOUNDS.timeMs / 1000}s`,
    commands: ['litmus'],
    parse: duration(100, TIME_MS_MAX),
  }),
  'selftest-mutant': option({
    flag: 'mutant',
    value: 'a,b,…',
    help: 'seeded bugs by name; `all`. Of the correct protocols only their twins run then',
    default: 'all',
    commands: ['selftest'],
    parse: listOf(word),
  }),
  engine: option({
    value: 'a,b,…',
    help: `columns of the kill table: ${ENGINES.join('|')}`,
    default: ENGINES.join(','),
    commands: ['selftest'],
    parse: listOf(nameOf('engine', ENGINES)),
  }),
  seeds: option({
    value: 'N',
    help: 'seeds per mutant under stress, one after the other from --seed on',
    default: String(SELFTEST_SEEDS),
    commands: ['selftest'],
    parse: wholeNumber(1, 1000),
  }),
  'selftest-time': option({
    flag: 'time',
    value: '60s|10m|2h',
    help: 'budget of the kill table; what does not fit is inconclusive',
    default: `${SELFTEST_MS / 1000}s`,
    commands: ['selftest'],
    parse: duration(1000, TIME_MS_MAX),
  }),
  all: option({
    value: null,
    help: 'also try the engines that need not catch a mutant: what they catch is shown',
    default: 'off',
    commands: ['selftest'],
    parse: flag,
  }),
  amplification: option({
    value: null,
    help: 'instead of the kill table: how much easier --reorder makes bugs to see',
    default: 'off',
    commands: ['selftest'],
    parse: flag,
  }),
  'selftest-rounds': option({
    flag: 'rounds',
    value: 'N',
    help: 'with --amplification: rounds of one transition, per seed and side',
    default: String(AMPLIFICATION_ROUNDS),
    commands: ['selftest'],
    parse: wholeNumber(1, 1_000_000),
  }),
  shard: option({
    value: 'i/n|auto',
    help: 'only part i of n, from 1; auto asks Slurm, Kubernetes or the CI which. merge joins them',
    default: 'all of it',
    commands: ['stress', 'explore'],
    parse: parseShard,
  }),
  resume: option({
    value: 'FILE',
    help:
      'go on with the campaign of FILE, an interrupted result of --json: its flags and seed, only ' +
      'what is missing, one result, in FILE unless --json says otherwise',
    default: 'a new campaign',
    commands: ['stress'],
    parse: anyText,
  }),
  bbm: option({
    value: '0|1|2|3',
    help: 'FEAT_BBM level that the system may rely on: what may be changed without a break',
    default: '0',
    commands: ['check-trace'],
    parse: (text) => wholeNumber(0, 3)(text) as BbmLevel,
  }),
  sequences: option({
    value: 'DIR',
    help: 'writes each distinct sequence by which a log coalesced or split an entry as a .seq file',
    default: 'not written',
    commands: ['check-trace'],
    parse: anyText,
  }),
  compare: option({
    value: null,
    help: 'the logs side by side: transitions, TLBIs, windows, sequences, verdicts',
    default: 'off',
    commands: ['check-trace'],
    parse: flag,
  }),
  against: option({
    value: 'FILE',
    help: 'an earlier result of bench --json: exit 1 if a ratio to C fell beyond its interval',
    default: 'nothing is compared',
    commands: ['bench'],
    parse: anyText,
  }),
  growth: option({
    value: null,
    help:
      'instead of the usual rates: how costs grow with vCPUs, block size, TLB size, number of blocks ' +
      'and what is explored, with an exponent each; a minute or two',
    default: 'off',
    commands: ['bench'],
    parse: flag,
  }),
  window: option({
    value: 'NS',
    help: 'how long an entry is invalid on your machine',
    default: 'measured rows only',
    commands: ['answer'],
    parse: wholeNumber(1, 1e15),
  }),
  rate: option({
    value: 'HZ',
    help: 'how often a second one vCPU walks the entry there',
    default: 'measured rows only',
    commands: ['answer'],
    parse: wholeNumber(1, 1e15),
  }),
  exit: option({
    value: 'NS',
    help: 'what a fault costs there beside waiting: exit, handling, entry',
    default: '0',
    commands: ['answer'],
    parse: wholeNumber(0, 1e15),
  }),
  cancels: option({
    value: 'N',
    help: 'cancelled migrations per hour',
    default: '1',
    commands: ['answer'],
    parse: wholeNumber(1, 1e9),
  }),
  guest: option({
    value: 'GIB',
    help: 'memory of the guest whose migration is cancelled',
    default: String(GUEST_GIB),
    commands: ['answer'],
    parse: wholeNumber(1, 1e6),
  }),
  'answer-level': option({
    flag: 'level',
    value: '1|2',
    help: 'with --window: level of the block, so its size: with 4k 1 GiB or 2 MiB',
    default: '2',
    commands: ['answer'],
    parse: (text) => wholeNumber(1, 2)(text) as BlockLevel,
  }),
  'answer-vcpus': option({
    flag: 'vcpus',
    value: 'N',
    help: 'with --window: vCPUs of the guest',
    default: '1',
    commands: ['answer'],
    parse: wholeNumber(1, 4096),
  }),
  html: option({
    value: 'FILE',
    help: 'one self-contained page: tables, charts, violations',
    default: 'report.html if no form is named',
    commands: ['report'],
    parse: anyText,
  }),
  junit: option({
    value: 'FILE',
    help: 'JUnit XML, for CI',
    default: 'not written',
    commands: ['report'],
    parse: anyText,
  }),
  ktap: option({
    value: 'FILE',
    help: "KTAP, the kernel's test output",
    default: 'not written',
    commands: ['report'],
    parse: anyText,
  }),
  markdown: option({
    value: 'FILE',
    help: 'a summary in Markdown, for the page of a CI job',
    default: 'not written',
    commands: ['report'],
    parse: anyText,
  }),
  out: option({
    value: 'DIR',
    help: 'every form of report, and the JSON where there is one, in DIR, which is made if it must',
    default: 'not written',
    commands: ['stress', 'explore', 'selftest', 'report', 'merge', 'kernel'],
    parse: anyText,
  }),
  json: option({
    value: 'FILE',
    help:
      'write the results as JSON, also when interrupted; the folder must exist. - is standard output, ' +
      'and everything else then goes to standard error',
    default: 'not written',
    commands: [
      'stress',
      'explore',
      'replay',
      'litmus',
      'selftest',
      'merge',
      'check-trace',
      'answer',
      'bench',
      'kernel',
    ],
    parse: anyText,
  }),
  'list-json': option({
    flag: 'json',
    value: '[FILE]',
    valueOptional: true,
    help: 'JSON instead of text, to FILE or to standard output',
    default: 'text',
    commands: ['list', 'doctor'],
    parse: anyText,
  }),
  c: option({
    value: null,
    help: 'in C, with the words of the kernel',
    default: 'TypeScript',
    commands: ['init'],
    parse: flag,
  }),
  seq: option({
    value: null,
    help: 'as a plain sequence of steps',
    default: 'TypeScript',
    commands: ['init'],
    parse: flag,
  }),
  quiet: option({
    value: null,
    help: 'no progress line and no tables: what is wrong and the verdict only',
    default: 'off',
    commands: [
      'stress',
      'explore',
      'litmus',
      'selftest',
      'report',
      'merge',
      'check-trace',
      'kernel',
    ],
    parse: flag,
  }),
  'no-color': option({
    value: null,
    help: 'no colour on a terminal; NO_COLOR does the same',
    default: 'off',
    commands: [
      'stress',
      'explore',
      'replay',
      'list',
      'litmus',
      'selftest',
      'report',
      'merge',
      'check-trace',
      'answer',
      'bench',
      'doctor',
      'init',
      'kernel',
      'help',
    ],
    parse: flag,
  }),
} as const;

export type OptionId = keyof typeof OPTIONS;
export const OPTION_IDS = Object.keys(OPTIONS) as readonly OptionId[];

type ValueOf<O> = O extends Option<infer T> ? T : never;
/** The flags a user gave, by row. */
export type Flags = { readonly [Id in OptionId]?: ValueOf<(typeof OPTIONS)[Id]> };

export function optionOf(id: OptionId): Option<unknown> {
  return OPTIONS[id];
}

export function flagOf(id: OptionId): string {
  return optionOf(id).flag ?? id;
}

/** The rows a command takes, in the order of help. */
export function optionsOf(command: CommandName): readonly OptionId[] {
  return OPTION_IDS.filter((id) => optionOf(id).commands.includes(command));
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
