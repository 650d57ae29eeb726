/**
 * A violation in one word: which protocol, CPU and configuration, and which schedule.
 *
 *   r1:m:no-tlbi:9f3a01c2:bbm=1:2:1:l0-l1:0.0132.0.4:7c2e1f
 *   │  │ │       │        │     │ │ │     │         └ checksum of everything before it
 *   │  │ │       │        │     │ │ │     └ skeletons, events in order, vCPU, its way; h and a rule for what
 *   │  │ │       │        │     │ │ │       both hypervisors do; or @RULE
 *   │  │ │       │        │     │ │ └ accesses before and after the lock is seen free
 *   │  │ │       │        │     └─┴ level, vCPUs; 1q with tables of four entries, 1r with two regions,
 *   │  │ │       │        │       1n beside a second VM; 1/1 in the second form of its kind, 1k2 where its
 *   │  │ │       │        │       second allocation fails
 *   │  │ │       │        └ knobs other than the default, and always bbm
 *   │  │ │       └ fingerprint of what the protocol does and, of a file, of its text
 *   │  └─┴ built-in (p), mutant (m), file (f) or sequence (s); its name, or all of it; behind a comma
 *   │      the same of the protocol beside it
 *   └ version of this form
 */
import { createHash } from 'node:crypto';
import { type CpuModel, DEFAULT_CPU, describeCpu } from '../../arch/cpu-model.ts';
import type { BlockLevel, SmallGranule } from '../../arch/geometry.ts';
import type { Protocol } from '../../port/index.ts';
import { type Rule, RULES } from '../../result/rule.ts';
import type { ExploredScenario } from './machine/bounds.ts';
import type { Access, AccessKind, GuestProgram } from './machine/guest.ts';
import type { Regions } from './machine/memory-map.ts';
import type { HostThread } from './run/host.ts';
import type { Path } from './run/unroll.ts';

export const TOKEN_LENGTH_MAX = 200;
const VERSION = 'r1';

/** Less of a file's name would not tell anybody which one it is. */
const NAME_LENGTH_MIN = 8;

export const SOURCE_KINDS = ['built-in', 'mutant', 'file', 'sequence'] as const;

/** Where a protocol comes from. */
export interface ProtocolSource {
  readonly kind: (typeof SOURCE_KINDS)[number];
  /** Its name; of a file the path, as short as it can be; of a sequence all of it, packed. */
  readonly name: string;
  /** What is in the file; empty for the others. */
  readonly text: string;
  /** Of a variant of a file's protocol: the name without what is behind it. Absent: it is the name. */
  readonly path?: string;
}

/** What a token says. */
export interface ScheduleToken {
  readonly kind: ProtocolSource['kind'];
  /** Of a file with a long path only its end. */
  readonly name: string;
  readonly fingerprint: string;
  /** The protocol beside it; null: none is. */
  readonly against: Pick<ProtocolSource, 'kind' | 'name'> | null;
  /** As `--cpu` takes it. */
  readonly cpu: string;
  readonly level: BlockLevel;
  readonly granule: SmallGranule;
  readonly regions: Regions;
  readonly vcpus: number;
  readonly scenario: ExploredScenario;
  /** Which of the forms of its kind. */
  readonly form: number;
  /** Which of the allocations that may fail does; null: none. */
  readonly failing: number | null;
  readonly shows: ScheduleKey | OperationsKey;
}

/** One schedule: see `SchedulePlace`. */
export interface ScheduleKey {
  readonly by: 'schedule';
  readonly program: GuestProgram;
  readonly choice: number;
  readonly numbers: readonly number[];
  readonly vcpu: number | null;
  readonly end: number;
}

/** The protocol's own operations, which break this rule. */
export interface OperationsKey {
  readonly by: 'operations';
  readonly rule: Rule;
}

const KIND_LETTERS = { 'built-in': 'p', mutant: 'm', file: 'f', sequence: 's' } as const;
const ACCESS_LETTERS: Readonly<Record<AccessKind, string>> = { load: 'l', store: 's' };
const GRANULE_LETTERS = { tiny: '', tiny4: 'q' } as const satisfies Record<SmallGranule, string>;
const REGIONS_LETTER = 'r';
const NEIGHBOUR_LETTER = 'n';
const FAILING_LETTER = 'k';
const HYPERVISORS_LETTER = 'h';
const BESIDE = ',';
const RADIX = 36;
const FINGERPRINT_DIGITS = 8;
const CHECKSUM_DIGITS = 6;

function digest(text: string, digits: number): string {
  return createHash('sha256').update(text).digest('hex').slice(0, digits);
}

/** What has to be the same for a schedule to mean the same. */
export function fingerprintOf(
  { name, kind, claims }: Protocol,
  paths: readonly Path[],
  text: string,
): string {
  const does = paths.map(({ operations }) => operations);
  const all = JSON.stringify([name, kind, claims, does, text], (_, value: unknown) =>
    typeof value === 'bigint' ? `0x${value.toString(16)}` : value,
  );
  return digest(all, FINGERPRINT_DIGITS);
}

/** Of one protocol or two at once. `texts`: of their files. */
export function fingerprintOfHost(
  threads: readonly Pick<HostThread, 'maker' | 'paths'>[],
  texts: readonly string[],
): string {
  const each = threads.map(({ maker, paths }, i) =>
    fingerprintOf(maker.protocol, paths, texts[i] ?? ''),
  );
  return each.length === 1 ? (each[0] ?? '') : digest(each.join(' '), FINGERPRINT_DIGITS);
}

/**
 * The knobs that differ from the default CPU, and always `bbm`. PEs that run no vCPU count by the
 * least of them alone, which is what protocols see.
 */
export function cpuKey(cpu: CpuModel, vcpus: number): string {
  const usual = describeCpu(DEFAULT_CPU).split(',');
  const least = cpu.bbm.toSorted((a, b) => a - b).slice(0, 1);
  const bbm = cpu.bbm.length > vcpus + 1 ? [...cpu.bbm.slice(0, vcpus), ...least] : cpu.bbm;
  return describeCpu({ ...cpu, bbm })
    .split(',')
    .filter((knob, i) => i === 0 || knob !== usual[i])
    .join(',');
}

/** Null if what has to be in it does not fit, as with a guest program of many accesses. */
export function encodeToken(token: ScheduleToken): string | null {
  const { kind, fingerprint, cpu, level, shows } = token;
  const rest = [fingerprint, cpu, level, vcpusText(token), showsText(shows)].join(':');
  const head = `${VERSION}:${KIND_LETTERS[kind]}:`;
  const { against } = token;
  const beside =
    against === null ? '' : `${BESIDE}${KIND_LETTERS[against.kind]}${encodeName(against.name)}`;
  const used = head.length + rest.length + beside.length;
  const room = TOKEN_LENGTH_MAX - used - CHECKSUM_DIGITS - 2;
  if (room < NAME_LENGTH_MIN) return null;
  if (kind === 'sequence' && encodeName(token.name).length > room) return null;
  const body = `${head}${nameText(token.name, room)}${beside}:${rest}`;
  return `${body}:${digest(body, CHECKSUM_DIGITS)}`;
}

function vcpusText({ granule, regions, vcpus, scenario, form, failing }: ScheduleToken): string {
  const size = `${GRANULE_LETTERS[granule]}${regions > 1 ? REGIONS_LETTER : ''}`;
  const beside = scenario === 'two-vms' ? NEIGHBOUR_LETTER : '';
  const fails = failing === null ? '' : `${FAILING_LETTER}${failing}`;
  return `${vcpus}${size}${beside}${form === 0 ? '' : `/${form}`}${fails}`;
}

function showsText(shows: ScheduleKey | OperationsKey): string {
  if (shows.by === 'operations') return `@${shows.rule}`;
  const { program, choice, numbers, vcpu, end } = shows;
  const [first, last] = [program.early, program.late].map((accesses) =>
    accesses.map(({ kind, page }) => `${ACCESS_LETTERS[kind]}${page}`).join(''),
  );
  const order = numbers.map((number) => number.toString(RADIX)).join('');
  const who = vcpu ?? HYPERVISORS_LETTER;
  return `${first}-${last}:${choice.toString(RADIX)}.${order}.${who}.${end.toString(RADIX)}`;
}

/** Its last characters, where there is no room for all. */
function nameText(name: string, room: number): string {
  for (let from = 0; ; from++) {
    const text = encodeName(name.slice(from));
    if (text.length <= room) return text;
  }
}

/** Without what separates fields and what a shell would touch. */
function encodeName(name: string): string {
  return name.replaceAll(/[^A-Za-z0-9._@/-]+/g, (part) => `%${Buffer.from(part).toString('hex')}%`);
}

function decodeName(text: string): string {
  return text.replaceAll(/%([0-9a-f]*)%/g, (_, hex: string) => Buffer.from(hex, 'hex').toString());
}

/** Null if `text` is no token, or not all of one. */
export function decodeToken(text: string): ScheduleToken | null {
  const fields = text.split(':');
  const checksum = fields.pop();
  if (checksum === undefined || digest(fields.join(':'), CHECKSUM_DIGITS) !== checksum) return null;
  const [version, letter, name, fingerprint, cpu, level, vcpus, first, second] = fields;
  const kind = kindOf(letter);
  const shows = first === undefined ? null : parseShows(first, second ?? '');
  if (version !== VERSION || kind === undefined || shows === null) return null;
  if (name === undefined || fingerprint === undefined || cpu === undefined) return null;
  const [own = '', beside] = name.split(BESIDE);
  const besideKind = kindOf(beside?.slice(0, 1));
  if (beside !== undefined && besideKind === undefined) return null;
  const failing = vcpus?.split(FAILING_LETTER)[1];
  return {
    kind,
    name: decodeName(own),
    against:
      besideKind === undefined
        ? null
        : { kind: besideKind, name: decodeName(beside?.slice(1) ?? '') },
    fingerprint,
    cpu,
    level: level === '1' ? 1 : 2,
    granule: vcpus?.includes(GRANULE_LETTERS.tiny4) === true ? 'tiny4' : 'tiny',
    regions: vcpus?.includes(REGIONS_LETTER) === true ? 2 : 1,
    vcpus: Number.parseInt(vcpus ?? '', 10),
    scenario: vcpus?.includes(NEIGHBOUR_LETTER) === true ? 'two-vms' : 'adjust-populated',
    form: Number.parseInt(vcpus?.split('/')[1] ?? '0', 10),
    failing: failing === undefined ? null : Number(failing),
    shows,
  };
}

function kindOf(letter: string | undefined): ProtocolSource['kind'] | undefined {
  return SOURCE_KINDS.find((known) => KIND_LETTERS[known] === letter);
}

function parseShows(first: string, second: string): ScheduleKey | OperationsKey | null {
  if (first.startsWith('@')) {
    const rule = RULES.find((known) => `@${known}` === first);
    return rule === undefined ? null : { by: 'operations', rule };
  }
  const [early, late] = first.split('-').map(parseAccesses);
  const [choice, order, vcpu, end] = second.split('.');
  if (early === undefined || late === undefined || end === undefined) return null;
  return {
    by: 'schedule',
    program: { early, late },
    choice: Number.parseInt(choice ?? '', RADIX),
    numbers: (order ?? '').split('').map((digit) => Number.parseInt(digit, RADIX)),
    vcpu: vcpu === HYPERVISORS_LETTER ? null : Number(vcpu),
    end: Number.parseInt(end, RADIX),
  };
}

function parseAccesses(text: string): Access[] {
  return [...text.matchAll(/([a-z])(\d+)/g)].map(([, letter, page]) => ({
    kind: letter === ACCESS_LETTERS.store ? 'store' : 'load',
    page: Number(page),
  }));
}
