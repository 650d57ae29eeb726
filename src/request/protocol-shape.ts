/**
 * Is the default export of a user's file a protocol? Checked by hand, field by field, so that the
 * answer names the field and what belongs there. The tables are typed by `Protocol` and `Claims`: a
 * new field there is a type error here.
 */
import { CONTEXTS } from '../arch/context.ts';
import { CHANGE_NAMES, PROTOCOL_KINDS } from '../port/kinds.ts';
import type { Claims, Protocol } from '../port/protocol.ts';
import { CPU_KNOB_NAMES, CPU_KNOBS, knobText } from './cpu-knobs.ts';
import { suggestion } from './did-you-mean.ts';
import { UsageError } from './usage-error.ts';

/**
 * What is wrong with a value, as the end of a sentence that begins with the field's name; null if
 * nothing.
 */
type Check = (value: unknown) => string | null;
interface Field {
  readonly required: boolean;
  readonly check: Check;
}

/** Functions of a kernel tree have names of their own. */
const NAME = /^(?:kernel:)?[a-z0-9]+(-[a-z0-9]+)*$/;
const CLAIMS: Readonly<Record<keyof Claims, true>> = { neverInvalid: true, handlesConflict: true };

const required = (check: Check): Field => ({ required: true, check });
const optional = (check: Check): Field => ({ required: false, check });

const FIELDS: Readonly<Record<keyof Protocol, Field>> = {
  name: required((v) =>
    typeof v === 'string' && NAME.test(v) ? null : 'must be lower-case words joined by hyphens',
  ),
  kind: required((v) => oneOfText(v, PROTOCOL_KINDS)),
  form: optional((v) => oneOfText(v, CHANGE_NAMES)),
  summary: required(lineProblem),
  origin: required(lineProblem),
  claims: required(claimsProblem),
  lock: optional((v) => oneOfText(v, ['exclusive', 'shared'])),
  hole: optional((v) => oneOfText(v, ['empty', 'invalid'])),
  walks: optional((v) => (v === true ? null : 'must be true; without it leave it out')),
  cpu: optional(cpuFieldProblem),
  context: optional((v) => oneOfText(v, CONTEXTS)),
  vmid: optional((v) =>
    Number.isInteger(v) && (v as number) > 0 && (v as number) < 2 ** 16
      ? null
      : 'must be a VMID from 1 to 65535; 0 is the host',
  ),
  exhibit: optional(lineProblem),
  run: required(runProblem),
};
const FIELD_NAMES = Object.keys(FIELDS) as readonly (keyof Protocol)[];

/** One line that says what is wrong, or null. After null the value is a `Protocol`. */
export function protocolProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const needed = FIELD_NAMES.filter((name) => FIELDS[name].required);
    return `is ${describe(value)}, not a protocol { ${needed.join(', ')} }`;
  }
  const fields = value as Readonly<Record<string, unknown>>;
  for (const name of FIELD_NAMES) {
    const field = FIELDS[name];
    if (fields[name] === undefined) {
      if (field.required)
        return `has no field "${name}"; it ${field.check(undefined) ?? 'is needed'}`;
      continue;
    }
    const problem = field.check(fields[name]);
    if (problem !== null) return `has ${name} = ${describe(fields[name])}; it ${problem}`;
  }
  const stranger = Object.keys(fields).find(
    (name) => !FIELD_NAMES.includes(name as keyof Protocol),
  );
  return stranger === undefined
    ? null
    : `has an unknown field "${stranger}" ${suggestion(stranger, FIELD_NAMES)}`;
}

function oneOfText(value: unknown, words: readonly string[]): string | null {
  return words.includes(value as string) ? null : `must be one of ${words.join('|')}`;
}

function lineProblem(value: unknown): string | null {
  return typeof value === 'string' && value !== '' && !value.includes('\n')
    ? null
    : 'must be one line of text';
}

function claimsProblem(value: unknown): string | null {
  const names = Object.keys(CLAIMS);
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    return `must be an object such as {} or { ${names[0]}: true }`;
  }
  for (const [name, claimed] of Object.entries(value)) {
    if (!names.includes(name)) return `has an unknown claim "${name}" ${suggestion(name, names)}`;
    if (typeof claimed !== 'boolean') return `must say true or false for ${name}`;
  }
  return null;
}

function cpuFieldProblem(value: unknown): string | null {
  if (typeof value !== 'object' || value === null || Array.isArray(value))
    return 'must be an object such as { bbm: [2] }';
  for (const [key, wanted] of Object.entries(value)) {
    const name = CPU_KNOB_NAMES.find((knob) => knob === key);
    if (name === undefined)
      return `has an unknown knob "${key}" ${suggestion(key, CPU_KNOB_NAMES)}`;
    try {
      const right = CPU_KNOBS[name].parse(knobText(wanted));
      if (JSON.stringify(right) !== JSON.stringify(wanted))
        return `must have ${name}: ${JSON.stringify(right)} here`;
    } catch (error) {
      if (error instanceof UsageError) return `must have a right ${name}: ${error.message}`;
      throw error;
    }
  }
  return null;
}

function runProblem(value: unknown): string | null {
  if (typeof value !== 'function') return 'must be a function run(cpu, transition, tables)';
  const kind = Object.prototype.toString.call(value);
  return kind === '[object Function]'
    ? null
    : 'must be a plain synchronous function, not async and no generator';
}

function describe(value: unknown): string {
  if (typeof value === 'function') return Object.prototype.toString.call(value).slice(8, -1);
  if (Array.isArray(value)) return 'an array';
  if (typeof value === 'object' && value !== null) return 'an object';
  return typeof value === 'string' ? JSON.stringify(value.slice(0, 60)) : String(value);
}
