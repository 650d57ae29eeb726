/**
 * From the text of a log to its records, whatever their form: named or positional fields, one
 * record over several lines or several in one. lines.ts gives it what its fast path does not know.
 */
import { Fields } from './fields.ts';
import { ownName } from './names.ts';
import { type DsbScope, HINTS, type LogEvent, type LogRecord, SYSREGS } from './record.ts';
import { tokensOf } from './tokens.ts';

const WORD_BYTES = 8;
/** One event that fills more is no page-table event. */
const SET_BYTES_MAX = 2 ** 30;
export const DSB_SCOPES: readonly DsbScope[] = ['ish', 'ishst', 'nsh', 'nshst', 'sy'];
/** Operations that act on all of something, and those with a register operand. */
export const TLBI_WHOLE = [
  ...['vmalls12e1', 'vmalls12e1is', 'vmalle1', 'vmalle1is', 'alle1', 'alle1is', 'alle2', 'alle2is'],
];
export const TLBI_ADDRESS = [
  'ipas2e1',
  'ipas2e1is',
  'ipas2le1',
  'ipas2le1is',
  'ripas2e1',
  'ripas2e1is',
  'ripas2le1',
  'ripas2le1is',
  'vae2',
  'vae2is',
  'vale2',
  'vale2is',
  'rvae2',
  'rvae2is',
  'rvale2',
  'rvale2is',
];

/** Throws a LogSyntaxError at the first record that is none. */
export function* parseLog(text: string, firstLine = 1): Generator<LogRecord, void> {
  const fields = new Fields(tokensOf(text, firstLine));
  while (fields.next.kind !== 'end') yield record(fields);
}

function record(fields: Fields): LogRecord {
  const { line } = fields.next;
  fields.expect('(', '"(" at the start of a record');
  const kind = fields.oneOf(KIND_NAMES, 'a kind of event');
  const id = fields.decimal('id');
  const thread = fields.decimal('tid', 'thread');
  // Positional records have the source here, named ones at the end.
  const early = fields.next.kind === 'string' ? fields.take().text : null;
  const event = KINDS[kind](fields);
  const { source, task } = trailing(fields);
  fields.expect(')', `")" at the end of the record ${kind}`);
  const place = early ?? source;
  return {
    ...{ line, id, thread, event },
    task: task === null ? null : ownName(task),
    source: place === null ? null : ownName(place),
  };
}

/** `(src "file:line")` and `(task 0x…)`, in either order, or a source without a name. */
function trailing(fields: Fields): Pick<LogRecord, 'source' | 'task'> {
  const found: { source: string | null; task: string | null } = { source: null, task: null };
  while (fields.next.kind !== ')' && fields.next.kind !== 'end') {
    const name = fields.field(['src', 'task'], (named) => {
      if (fields.next.kind !== 'string' && fields.next.kind !== 'word')
        fields.fail('a source location');
      if (named === 'task') found.task = fields.take().text;
      else found.source = fields.take().text;
      return named;
    });
    // A source without a name is the last thing of its record.
    if (name === '') break;
  }
  return found;
}

type Kind =
  | ('mem-init' | 'mem-free' | 'mem-set' | 'mem-read' | 'mem-write')
  | ('barrier' | 'tlbi' | 'sysreg-write' | 'msr' | 'hint' | 'lock' | 'trylock' | 'unlock');

const range =
  (op: 'init' | 'free') =>
  (f: Fields): LogEvent => ({
    op,
    address: f.address('address', WORD_BYTES),
    size: f.address('size', 1),
  });
const lock =
  (op: 'lock' | 'trylock' | 'unlock') =>
  (f: Fields): LogEvent => ({
    op,
    address: f.address('address', 1),
  });
const sysreg = (f: Fields): LogEvent => ({
  op: 'sysreg',
  register: f.field(['sysreg'], () => f.oneOf(SYSREGS, 'a system register')),
  value: f.hex('value'),
});

const KINDS: Readonly<Record<Kind, (fields: Fields) => LogEvent>> = {
  'mem-init': range('init'),
  'mem-free': range('free'),
  'mem-set': (f) => ({
    op: 'set',
    address: f.address('address', WORD_BYTES),
    size: f.address('size', WORD_BYTES, SET_BYTES_MAX),
    value: f.hex('value') & 0xffn,
  }),
  'mem-read': (f) => ({
    op: 'read',
    address: f.address('address', WORD_BYTES),
    value: f.hex('value'),
  }),
  'mem-write': (f) => ({
    op: 'write',
    order: f.field(['mem-order'], () => f.oneOf(['plain', 'release'], 'a memory order')),
    address: f.address('address', WORD_BYTES),
    value: f.hex('value'),
  }),
  barrier: (f) => {
    if (f.oneOf(['dsb', 'isb'], 'a barrier') === 'isb') return { op: 'isb' };
    return { op: 'dsb', scope: f.field(['kind'], () => f.oneOf(DSB_SCOPES, 'a kind of DSB')) };
  },
  tlbi: (f) => {
    const kind = f.oneOf([...TLBI_WHOLE, ...TLBI_ADDRESS], 'a TLBI operation');
    return { op: 'tlbi', kind, value: TLBI_ADDRESS.includes(kind) ? f.hex('value') : null };
  },
  'sysreg-write': sysreg,
  msr: sysreg,
  hint: (f) => ({
    op: 'hint',
    kind: f.field(['kind'], () => f.oneOf(HINTS, 'a hint')),
    location: f.address('location', 1),
    value: f.hex('value'),
  }),
  lock: lock('lock'),
  trylock: lock('trylock'),
  unlock: lock('unlock'),
};
const KIND_NAMES = Object.keys(KINDS) as readonly Kind[];
