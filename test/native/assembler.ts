/**
 * WebAssembly modules byte by byte (WebAssembly Core Specification 2.0, §5), so that tests of `.wasm` need
 * no compiler, and modules that no compiler would make can be had.
 */
import { DSB_KINDS } from '../../src/port/index.ts';
import { TLBI_KINDS } from '../../src/arch/tlbi.ts';

const I32 = 0x7f;
const I64 = 0x7e;

export function leb(value: number | bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ; rest >>= 7n) {
    const low = Number(rest & 0x7fn);
    const isLast = rest >= -64n && rest < 64n;
    bytes.push(isLast ? low : low | 0x80);
    if (isLast) return bytes;
  }
}

/** Lengths and indices are unsigned. */
function uleb(value: number): number[] {
  return value < 0x80 ? [value] : [(value & 0x7f) | 0x80, ...uleb(value >>> 7)];
}

const vector = (items: readonly (readonly number[])[]): number[] => [
  ...uleb(items.length),
  ...items.flat(),
];
const bytesOf = (text: string): number[] => [...Buffer.from(text)];
const nameOf = (text: string): number[] => [...uleb(text.length), ...bytesOf(text)];
const section = (id: number, content: readonly number[]): number[] => [
  id,
  ...uleb(content.length),
  ...content,
];
const signature = (from: readonly number[], to: readonly number[]): number[] => [
  0x60,
  ...vector(from.map((type) => [type])),
  ...vector(to.map((type) => [type])),
];

/** Imports that the protocol below calls: operands and result. */
const PORT = {
  follow: signature([I64], [I32]),
  write: signature([I32, I64], []),
  write_release: signature([I32, I64], []),
  dsb: signature([I32], []),
  tlbi: signature([I32, I64, I64, I32, I32], []),
  isb: signature([], []),
  merge_state: signature([I64, I32, I32], [I64]),
  tear_down: signature([I32, I32], []),
} as const;
type Word = keyof typeof PORT;
const WORDS = Object.keys(PORT) as Word[];

const local = (index: number): number[] => [0x20, index];
const i32 = (value: number): number[] => [0x41, ...leb(value)];
const i64 = (value: number | bigint): number[] => [0x42, ...leb(value)];
const call = (word: Word): number[] => [0x10, WORDS.indexOf(word)];
const plus = 0x6a;
const andLong = 0x83;

/** Operands of stage2_run; CHILD is a local of it. */
const [ENTRY, LEVEL, OLD, WANTED, CHILD] = [0, 1, 4, 5, 8] as const;

const childLevel = [...local(LEVEL), ...i32(1), plus];
export const FLUSH: readonly number[] = [
  ...i32(DSB_KINDS.indexOf('ishst')),
  ...call('dsb'),
  ...i32(TLBI_KINDS.indexOf('vmalls12e1is')),
  ...i64(0),
  ...i64(0),
  ...i32(0),
  ...i32(-1),
  ...call('tlbi'),
  ...i32(DSB_KINDS.indexOf('ish')),
  ...call('dsb'),
  ...call('isb'),
];
/** The table's address, before the entry is stored to. */
const FOLLOW = [...local(OLD), ...call('follow'), 0x21, CHILD];
const CLEAR = [...local(ENTRY), ...local(OLD), ...i64(-2), andLong, ...call('write')];
const BLOCK = [
  ...local(ENTRY),
  ...[...local(WANTED), ...local(CHILD), ...childLevel, ...call('merge_state')],
  ...call('write_release'),
];
const FREE = [...local(CHILD), ...childLevel, ...call('tear_down')];

/** Break-before-make; `flush` and `first` are code in its places. */
export const breakBeforeMake = (
  flush: readonly number[] = FLUSH,
  first: readonly number[] = [],
) => [...first, ...FOLLOW, ...CLEAR, ...flush, ...BLOCK, ...FREE];

export interface ModuleParts {
  /** Body of stage2_run. */
  readonly run?: readonly number[];
  readonly abi?: readonly number[];
  readonly heapBase?: number;
  /** Where the description of the protocol is said to lie. */
  readonly protocol?: number;
  readonly name?: string;
  readonly pages?: number;
  readonly start?: readonly number[];
  readonly isStackPointerFixed?: boolean;
  readonly without?: string;
}

const DESCRIBED_AT = 1024;

/** A protocol, in the form that the header's link command gives one. */
export function moduleOf(parts: ModuleParts = {}): Uint8Array<ArrayBuffer> {
  const { run = breakBeforeMake(), abi = i32(1), heapBase = 4096, pages = 1 } = parts;
  const { protocol = DESCRIBED_AT, name = 'by-hand', start, isStackPointerFixed = false } = parts;
  const types = WORDS.length;
  const texts = [name, 'coalesce', 'byte by byte', 'a test'];
  const at = texts.map((_, i) => DESCRIBED_AT + 64 + texts.slice(0, i).join('\0').length + i);
  const words = at.flatMap((address) => [address & 0xff, (address >> 8) & 0xff, 0, 0]);
  // The first text begins at + 64: its predecessors are none.
  const data = [...words, ...Array.from({ length: 48 }, () => 0), ...bytesOf(texts.join('\0')), 0];
  const fixed = (value: number, isMutable = false): number[] => [
    I32,
    isMutable ? 1 : 0,
    ...i32(value),
    0x0b,
  ];
  const exported: readonly (readonly [string, number, number])[] = [
    ['memory', 2, 0],
    ['stage2_run', 0, types],
    ['stage2_stress_abi', 0, types + 1],
    ['__stack_pointer', 3, 0],
    ['__heap_base', 3, 1],
    ['stage2_protocol', 3, 2],
  ];
  const body = (code: readonly number[], locals: readonly number[] = [0]): number[] => {
    const content = [...locals, ...code, 0x0b];
    return [...uleb(content.length), ...content];
  };
  return new Uint8Array([
    ...[0, 0x61, 0x73, 0x6d, 1, 0, 0, 0],
    ...section(
      1,
      vector([
        ...WORDS.map((word) => PORT[word]),
        signature([I32, I32, I64, I64, I64, I64, I64, I32], []),
        signature([], [I32]),
        signature([], []),
      ]),
    ),
    ...section(2, vector(WORDS.map((word, i) => [...nameOf('port'), ...nameOf(word), 0, i]))),
    ...section(3, vector([[types], [types + 1], ...(start === undefined ? [] : [[types + 2]])])),
    ...section(5, vector([[0, ...uleb(pages)]])),
    ...section(6, vector([fixed(1024, !isStackPointerFixed), fixed(heapBase), fixed(protocol)])),
    ...section(
      7,
      vector(
        exported
          .filter(([export_]) => export_ !== parts.without)
          .map(([export_, kind, index]) => [...nameOf(export_), kind, index]),
      ),
    ),
    ...(start === undefined ? [] : section(8, uleb(types + 2))),
    ...section(
      10,
      vector([body(run, [1, 1, I32]), body(abi), ...(start === undefined ? [] : [body(start)])]),
    ),
    ...section(11, vector([[0, ...i32(DESCRIBED_AT), 0x0b, ...uleb(data.length), ...data]])),
  ]);
}
