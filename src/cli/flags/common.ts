/** Flags that several commands take, and what their values mean to all of them. */
import { anyText, duration, wholeNumber } from '../../request/values.ts';
import { type Flag, flag, switched } from './flag.ts';

export const PROTOCOL_HELP =
  'built-in names, or paths: of .ts/.js files whose default export is a protocol, of .c files and ' +
  '.wasm modules (include/stage2-stress.h), of .seq files with one step a line; `all`';

export const SEQUENCE_HELP =
  'plain steps as a protocol, such as "str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; str block; ' +
  'free child": docs/sequences.md has the grammar';

export const MUTANT_HELP = 'seeded bugs by name; `all`. Without --protocol nothing else runs';

/** A time with its unit. */
export function timeFlag(
  minMs: number,
  maxMs: number,
  row: Pick<Flag<number>, 'help' | 'default'>,
): Flag<number> {
  return {
    value: '60s|10m|2h',
    ...row,
    parse: duration(minMs, maxMs),
    show: (ms) => `${ms / 1000}s`,
  };
}

export const SHARD_HELP =
  'only part i of n, from 1; auto asks Slurm, Kubernetes or the CI which. merge joins them';

export const OUT = flag({
  value: 'DIR',
  help: 'every form of report, and the JSON where there is one, in DIR, which is made if it must',
  default: 'not written',
  parse: anyText,
});

export const JSON_FILE = flag({
  value: 'FILE',
  help:
    'write the results as JSON, also when interrupted; the folder must exist. - is standard output, ' +
    'and everything else then goes to standard error',
  default: 'not written',
  parse: anyText,
});

/** Of commands whose text is the result. */
export const JSON_INSTEAD = flag({
  value: '[FILE]',
  valueOptional: true,
  help: 'JSON instead of text, to FILE or to standard output',
  default: 'text',
  parse: anyText,
});

export const QUIET = switched({
  help: 'no progress line and no tables: what is wrong and the verdict only',
});

export const NO_COLOR = switched({
  help: 'no colour on a terminal; NO_COLOR does the same',
});

/** More threads than that have nothing to do on any machine that is known. */
const JOBS_MAX = 64;

/** `what` runs beside each other. */
export const jobsFlag = (what: string): Flag<number> => ({
  value: 'N',
  help: `threads at most, 1 to ${JOBS_MAX}: ${what} run beside each other`,
  default: 'one for each CPU',
  parse: wholeNumber(1, JOBS_MAX),
});
