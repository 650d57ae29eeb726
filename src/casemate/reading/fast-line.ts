/**
 * One record in one line with named fields, as tracers write them by the hundred thousand: read by
 * one regular expression for each kind. Whatever does not fit is left to parse.ts, which also
 * knows what to say about it.
 */
import { ownName } from './names.ts';
import { DSB_SCOPES, TLBI_ADDRESS, TLBI_WHOLE } from './parse.ts';
import type { DsbScope, LogEvent, LogRecord } from './record.ts';

const HEAD = String.raw`\(id (\d{1,15})\) \(tid (\d{1,15})\) `;
const TAIL = String.raw`(?: \(src "([^"\p{Cc}]*)"\))?(?: \(task ([^()\s"]+)\))?\)[ \r]*$`;
const HEX = String.raw`(?:0x)?([0-9a-f]{1,16})`;
const line = (kind: string, fields: string): RegExp =>
  new RegExp(String.raw`^\(${kind} ${HEAD}${fields}${TAIL}`, 'u');

const WRITE = line(
  'mem-write',
  String.raw`\(mem-order (plain|release)\) \(address ${HEX}\) \(value ${HEX}\)`,
);
const DSB = line('barrier', String.raw`dsb \(kind (\w+)\)`);
const ISB = line('barrier', '(isb)');
const TLBI = line('tlbi', String.raw`(\w+)(?: \(value ${HEX}\))?`);
const SYSREG = line('sysreg-write', String.raw`\(sysreg (vttbr_el2)\) \(value ${HEX}\)`);

const ADDRESS_LIMIT = 2 ** 52;
const KNOWN_TLBI = new Map<string, boolean>([
  ...TLBI_WHOLE.map((name) => [name, false] as const),
  ...TLBI_ADDRESS.map((name) => [name, true] as const),
]);

/** Null: not of this form. */
export function fastLine(text: string, number: number): LogRecord | null {
  if (text.startsWith('(mem-write ')) return written(text, number);
  if (text.startsWith('(barrier ')) return barrier(text, number);
  if (text.startsWith('(tlbi ')) return tlbi(text, number);
  if (text.startsWith('(sysreg-write ')) return sysreg(text, number);
  return null;
}

function written(text: string, number: number): LogRecord | null {
  const m = WRITE.exec(text);
  if (m === null) return null;
  const address = Number.parseInt(m[4] ?? '', 16);
  if (address >= ADDRESS_LIMIT || address % 8 !== 0) return null;
  const event: LogEvent = {
    op: 'write',
    order: m[3] === 'release' ? 'release' : 'plain',
    address,
    value: BigInt(`0x${m[5]}`),
  };
  return record(m, number, event, m[6], m[7]);
}

function barrier(text: string, number: number): LogRecord | null {
  const m = DSB.exec(text);
  if (m === null) {
    const isb = ISB.exec(text);
    return isb === null ? null : record(isb, number, { op: 'isb' }, isb[4], isb[5]);
  }
  const scope = m[3] as DsbScope;
  if (!DSB_SCOPES.includes(scope)) return null;
  return record(m, number, { op: 'dsb', scope }, m[4], m[5]);
}

function tlbi(text: string, number: number): LogRecord | null {
  const m = TLBI.exec(text);
  const kind = m?.[3] ?? '';
  if (m === null || KNOWN_TLBI.get(kind) !== (m[4] !== undefined)) return null;
  const value = m[4] === undefined ? null : BigInt(`0x${m[4]}`);
  return record(m, number, { op: 'tlbi', kind, value }, m[5], m[6]);
}

function sysreg(text: string, number: number): LogRecord | null {
  const m = SYSREG.exec(text);
  if (m === null) return null;
  const event: LogEvent = { op: 'sysreg', register: 'vttbr_el2', value: BigInt(`0x${m[4]}`) };
  return record(m, number, event, m[5], m[6]);
}

function record(
  m: RegExpExecArray,
  number: number,
  event: LogEvent,
  source: string | undefined,
  task: string | undefined,
): LogRecord {
  return {
    line: number,
    id: Number(m[1]),
    thread: Number(m[2]),
    event,
    task: task === undefined ? null : ownName(task),
    source: source === undefined ? null : ownName(source),
  };
}
