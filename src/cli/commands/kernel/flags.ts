/** The flags of `kernel`, and the request they make; trees are no flags. */
import type { BlockLevel } from '../../../arch/geometry.ts';
import { ACCESSES_EXPLORED_MAX, EXPLORE_BOUNDS } from '../../../explore/protocol/machine/bounds.ts';
import { OFFER_NAMES } from '../../../kernel/index.ts';
import { parseCpu } from '../../../request/cpu-knobs.ts';
import type { KernelRequest } from '../../../request/kernel-plan.ts';
import { anyText, listOf, nameOf, wholeNumber } from '../../../request/values.ts';
import { TIME_MS_MAX } from '../../../stress/plan/plan.ts';
import type { CommandInput } from '../../command.ts';
import { jobsFlag, JSON_FILE, NO_COLOR, OUT, QUIET, timeFlag } from '../../flags/common.ts';
import { flag, switched } from '../../flags/flag.ts';
import { KERNEL_CAPS, KERNEL_TLB } from '../../flags/kernel.ts';
import { asking, requestOf } from '../../flags/request.ts';

const asks = asking<KernelRequest>();

export const KERNEL_FLAGS = {
  protocol: asks('functions', {
    value: 'a,b,…',
    help: 'functions of the tree by name, such as kernel:map',
    default: 'all that it offers',
    parse: listOf(nameOf('function', OFFER_NAMES)),
  }),
  mutate: asks(
    'mutate',
    switched({
      help: 'which step of the code is needed: each left out, weakened and moved in turn',
    }),
  ),
  'kernel-tlb': asks('kernelTlb', KERNEL_TLB),
  'kernel-caps': asks('kernelCapabilities', KERNEL_CAPS),
  cpu: asks('cpu', {
    value: 'key=value,…',
    help: 'knobs of the simulated CPU, see below',
    default: 'one CPU of each BBM level',
    parse: parseCpu,
  }),
  level: asks('levels', {
    value: '1|2',
    help: 'level of the block: 2 is a table of two pages, 1 one more level',
    default: 'both, with --mutate 2',
    parse: listOf((text) => wholeNumber(1, 2)(text) as BlockLevel),
  }),
  accesses: asks('accesses', {
    value: 'N',
    help: `accesses of the vCPU at most, 1 to ${ACCESSES_EXPLORED_MAX}`,
    default: '2, and 1 for a split of level 1, which has too many orders',
    parse: wholeNumber(1, ACCESSES_EXPLORED_MAX),
  }),
  time: asks(
    'timeMs',
    timeFlag(100, TIME_MS_MAX, {
      help: 'how long one search may take',
      default: `${EXPLORE_BOUNDS.timeMs / 1000}s`,
    }),
  ),
  jobs: asks('jobs', jobsFlag('functions')),
  resume: flag({
    value: 'FILE',
    help:
      'keeps what FILE, a result of --json, has of the same code, and runs only what is missing; one ' +
      'result, in FILE unless --json says otherwise',
    default: 'everything is run',
    parse: anyText,
  }),
  out: OUT,
  json: JSON_FILE,
  quiet: QUIET,
  'no-color': NO_COLOR,
};

export type KernelInput = CommandInput<typeof KERNEL_FLAGS>;

export function kernelRequestOf({
  flags,
  positionals,
}: Pick<KernelInput, 'flags' | 'positionals'>): KernelRequest {
  return { ...requestOf(KERNEL_FLAGS, flags), trees: positionals };
}
