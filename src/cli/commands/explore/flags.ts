/** The flags of `explore`, and the request they make: most are a field of it. */
import { type BlockLevel, SMALL_GRANULES } from '../../../arch/geometry.ts';
import {
  ACCESSES_EXPLORED,
  ACCESSES_EXPLORED_MAX,
  EXPLORE_BOUNDS,
  SCENARIOS_EXPLORED,
  VCPUS_EXPLORED_MAX,
} from '../../../explore/protocol/machine/bounds.ts';
import type { Regions } from '../../../explore/protocol/machine/memory-map.ts';
import { parseCpu } from '../../../request/cpu-knobs.ts';
import type { ExploreRequest } from '../../../request/explore.ts';
import { sequenceText } from '../../../request/sequence-text.ts';
import {
  anyText,
  listOf,
  memorySize,
  nameOf,
  oneOf,
  wholeNumber,
  word,
} from '../../../request/values.ts';
import { grouped } from '../../../report/numbers.ts';
import { TIME_MS_MAX } from '../../../stress/plan/plan.ts';
import type { CommandInput } from '../../command.ts';
import {
  jobsFlag,
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
import { asking, requestOf } from '../../flags/request.ts';
import { parseShard, shardOf } from '../../flags/shard.ts';

/** A search of a few states takes some kilobytes. */
const MEMORY_MIN_BYTES = 2 ** 20;
/** More rows than this its table cannot number. */
const MEMORY_MAX_BYTES = 16 * 2 ** 30;

const asks = asking<ExploreRequest>();

export const EXPLORE_FLAGS = {
  protocol: asks('protocols', {
    value: 'a,b,…',
    help: PROTOCOL_HELP,
    default: 'all',
    parse: listOf(anyText),
  }),
  kernel: asks('kernel', KERNEL),
  'kernel-tlb': asks('kernelTlb', KERNEL_TLB),
  'kernel-caps': asks('kernelCapabilities', KERNEL_CAPS),
  sequence: asks('sequence', {
    value: '"STEPS"',
    help: SEQUENCE_HELP,
    default: 'none',
    parse: sequenceText,
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
      'a second hypervisor runs this protocol on the same entry at the same time: a built-in name, one of ' +
      'a mutant or a path; both take the lock for reading, unless it is of kind map: then a vCPU that ' +
      'faults meanwhile runs it (docs/explore.md)',
    default: 'none: one hypervisor',
    parse: anyText,
  }),
  faults: asks('faults', FAULTS),
  cpu: asks('cpu', {
    value: 'key=value,…',
    help: 'knobs of the simulated CPU, see below',
    default: "the protocol's own CPU, else the defaults below",
    parse: parseCpu,
  }),
  granule: asks('granule', {
    value: SMALL_GRANULES.join('|'),
    help: 'tables of two entries, or of four: a region of level 2 has as many pages',
    default: 'tiny',
    parse: oneOf(SMALL_GRANULES),
  }),
  regions: asks('regions', {
    value: '1|2',
    help: 'entries beside each other that are changed, one after the other; vCPUs access all of them',
    default: '1',
    parse: (text) => wholeNumber(1, 2)(text) as Regions,
  }),
  level: asks('levels', {
    value: '1|2',
    help: 'level of the block: 2 is a table of pages, 1 one more level',
    default: '2',
    parse: listOf((text) => wholeNumber(1, 2)(text) as BlockLevel),
  }),
  vcpus: asks('vcpus', {
    value: '1,2,4',
    help: `numbers of vCPUs from 1 to ${VCPUS_EXPLORED_MAX}, one search each`,
    default: 'one for each PE that --cpu names: 1, and 2 with bbm=2/1',
    parse: listOf(wholeNumber(1, VCPUS_EXPLORED_MAX)),
  }),
  accesses: asks('accesses', {
    value: 'N',
    help:
      `accesses of each vCPU at most, 1 to ${ACCESSES_EXPLORED_MAX}: the last after the ` +
      'transition, those before it at any time',
    default: String(ACCESSES_EXPLORED),
    parse: wholeNumber(1, ACCESSES_EXPLORED_MAX),
  }),
  scenario: asks('scenarios', {
    value: 'a,b,…',
    help:
      `what is at it beside the transition: ${SCENARIOS_EXPLORED.join('|')}; the second is a VM ` +
      'with a VMID of its own, whose TLB entries must stay',
    default: 'adjust-populated: nothing',
    parse: listOf(nameOf('scenario', SCENARIOS_EXPLORED)),
  }),
  ablate: asks(
    'ablate',
    switched({
      help:
        'which step is needed: each left out, weakened and moved in turn, on every BBM level that the ' +
        'protocol is meant for, or on the CPU of --cpu',
    }),
  ),
  matrix: asks(
    'matrix',
    switched({
      help: 'every protocol on every CPU it is meant for, as one table',
      default: 'off: on the CPU it was written for',
    }),
  ),
  errata: asks(
    'errata',
    switched({
      help:
        'on cores without and with each erratum of TLBI completion, as one table: what --cpu tlbi= has, ' +
        'side by side, and each repaired (docs/errata.md)',
    }),
  ),
  watch: flag({
    value: 'FILE',
    help:
      'this protocol, and again whenever the file changes, until Ctrl-C; with --protocol those that it ' +
      'names, when FILE changes',
    default: 'once',
    parse: anyText,
  }),
  time: asks(
    'timeMs',
    timeFlag(100, TIME_MS_MAX, {
      help: 'how long one search may take',
      default: `${EXPLORE_BOUNDS.timeMs / 1000}s`,
    }),
  ),
  memory: asks('memoryBytes', {
    value: '256m|4g',
    help:
      'memory that the tables of one search may take, in place of a bound of states; each of --jobs ' +
      'threads has its part',
    default: `${grouped(EXPLORE_BOUNDS.states)} states, some 60m`,
    parse: memorySize(MEMORY_MIN_BYTES, MEMORY_MAX_BYTES),
    show: (bytes) => `${bytes / 2 ** 20}m`,
  }),
  jobs: asks('jobs', jobsFlag('searches')),
  shard: flag({
    field: 'shard',
    value: 'i/n|auto',
    help: SHARD_HELP,
    default: 'all of it',
    parse: parseShard,
  }),
  out: OUT,
  json: JSON_FILE,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

export type ExploreInput = CommandInput<typeof EXPLORE_FLAGS>;

export function exploreRequestOf({ flags }: Pick<ExploreInput, 'flags'>): ExploreRequest {
  const shard = shardOf(flags.shard) ?? undefined;
  return requestOf(EXPLORE_FLAGS, { ...flags, shard });
}
