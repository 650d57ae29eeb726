/**
 * Which line of C an address of a module comes from: the line table of DWARF 4 and 5 (§6.2), as clang
 * writes it with -g. An address within an inlined function belongs to that function's line.
 */
import path from 'node:path';
import { ByteReader, type Sections } from './module-sections.ts';

export interface CodePlace {
  readonly file: string;
  /** From 1. */
  readonly line: number;
  /** From 1; 0 where it is not known. */
  readonly column: number;
}

interface Row extends CodePlace {
  /** From the start of the code section's content. */
  readonly address: number;
  readonly endsSequence: boolean;
}

export class LineTable {
  /** By address. */
  readonly #rows: readonly Row[];

  constructor(rows: readonly Row[]) {
    this.#rows = [...rows].sort(
      (a, b) => a.address - b.address || Number(b.endsSequence) - Number(a.endsSequence),
    );
  }

  /** Null where the module says nothing of it. */
  placeOf(address: number): CodePlace | null {
    let low = 0;
    let high = this.#rows.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#rows[middle]?.address ?? 0) <= address) low = middle + 1;
      else high = middle;
    }
    const row = this.#rows[low - 1];
    return row === undefined || row.endsSequence ? null : row;
  }

  get places(): readonly CodePlace[] {
    return this.#rows.filter((row) => !row.endsSequence);
  }
}

/** Empty where there is no line table, or one of a version that is not known. */
export function lineTableOf({ custom }: Sections): LineTable {
  const lines = custom.get('.debug_line');
  if (lines === undefined) return new LineTable([]);
  const strings = {
    line: custom.get('.debug_line_str') ?? new Uint8Array(),
    all: custom.get('.debug_str') ?? new Uint8Array(),
  };
  const rows: Row[] = [];
  try {
    for (const reader = new ByteReader(lines); !reader.isAtEnd;) {
      const length = reader.u32();
      const end = reader.at + length;
      readUnit(reader, end, strings, rows);
      reader.at = end;
    }
  } catch (error) {
    // A table that is cut short: what was read of it is right.
    if (!(error instanceof RangeError)) throw error;
  }
  return new LineTable(rows);
}

interface Strings {
  readonly line: Uint8Array;
  readonly all: Uint8Array;
}

interface Head {
  readonly instructionLength: number;
  readonly lineBase: number;
  readonly lineRange: number;
  readonly opcodeBase: number;
  readonly operands: readonly number[];
  readonly fileOf: (index: number) => string;
}

const FORM = {
  string: 0x08,
  lineStrp: 0x1f,
  strp: 0x0e,
  udata: 0x0f,
  data1: 0x0b,
  data2: 0x05,
  data4: 0x06,
  data16: 0x1e,
} as const;
const CONTENT_PATH = 1;
const CONTENT_FOLDER = 2;

function readUnit(reader: ByteReader, end: number, strings: Strings, rows: Row[]): void {
  const version = reader.u16();
  if (version < 2 || version > 5) return;
  if (version === 5) reader.at += 2;
  const headLength = reader.u32();
  const program = reader.at + headLength;
  const instructionLength = reader.u8();
  if (version >= 4) reader.u8();
  reader.u8();
  const lineBase = reader.i8();
  const lineRange = reader.u8();
  const opcodeBase = reader.u8();
  const operands = Array.from({ length: opcodeBase - 1 }, () => reader.u8());
  const fileOf = version === 5 ? filesOf5(reader, strings) : filesOf4(reader);
  const head = { instructionLength, lineBase, lineRange, opcodeBase, operands, fileOf };
  reader.at = program;
  runProgram(reader, end, head, rows);
}

function filesOf4(reader: ByteReader): Head['fileOf'] {
  const folders = [''];
  for (let name = reader.text(); name !== ''; name = reader.text()) folders.push(name);
  const files = [''];
  for (let name = reader.text(); name !== ''; name = reader.text()) {
    const folder = folders[reader.uleb()] ?? '';
    reader.uleb();
    reader.uleb();
    files.push(path.resolve(folder === '' ? '/' : folder, name));
  }
  return (index) => files[index] ?? '';
}

function filesOf5(reader: ByteReader, strings: Strings): Head['fileOf'] {
  const folders = entriesOf5(reader, strings);
  const files = entriesOf5(reader, strings);
  return (index) => {
    const file = files[index];
    if (file === undefined) return '';
    const top = folders[0]?.name ?? '/';
    return path.resolve(top, folders[file.folder]?.name ?? top, file.name);
  };
}

function entriesOf5(
  reader: ByteReader,
  strings: Strings,
): readonly { readonly name: string; readonly folder: number }[] {
  const forms = Array.from({ length: reader.u8() }, () => [reader.uleb(), reader.uleb()] as const);
  return Array.from({ length: reader.uleb() }, () => {
    let name = '';
    let folder = 0;
    for (const [content, form] of forms) {
      const value = readForm(reader, form, strings);
      if (content === CONTENT_PATH) name = String(value);
      if (content === CONTENT_FOLDER) folder = Number(value);
    }
    return { name, folder };
  });
}

function readForm(reader: ByteReader, form: number, strings: Strings): string | number {
  switch (form) {
    case FORM.string:
      return reader.text();
    case FORM.lineStrp:
      return new ByteReader(strings.line, reader.u32()).text();
    case FORM.strp:
      return new ByteReader(strings.all, reader.u32()).text();
    case FORM.udata:
      return reader.uleb();
    case FORM.data1:
      return reader.u8();
    case FORM.data2:
      return reader.u16();
    case FORM.data4:
      return reader.u32();
    case FORM.data16:
      reader.at += 16;
      return 0;
    default:
      throw new RangeError(`DWARF form ${form} is not known`);
  }
}

/** Standard and extended opcodes of the line number program (DWARF 5 §6.2.5). */
const STANDARD = {
  copy: 1,
  advancePc: 2,
  advanceLine: 3,
  setFile: 4,
  setColumn: 5,
  constAddPc: 8,
  fixedAdvancePc: 9,
};
const EXTENDED = { endSequence: 1, setAddress: 2 };

function runProgram(reader: ByteReader, end: number, head: Head, rows: Row[]): void {
  const { instructionLength, lineBase, lineRange, opcodeBase, operands, fileOf } = head;
  const start = { address: 0, file: 1, line: 1, column: 0 };
  let state = { ...start };
  const emit = (endsSequence: boolean): void => {
    // Line 0 is code that no line asked for: it counts for the line before it.
    if (state.line === 0 && !endsSequence) return;
    const { address, line, column } = state;
    rows.push({ address, file: fileOf(state.file), line, column, endsSequence });
  };
  const advance = (special: number): void => {
    state.address += Math.floor((special - opcodeBase) / lineRange) * instructionLength;
  };
  while (reader.at < end) {
    const opcode = reader.u8();
    if (opcode >= opcodeBase) {
      advance(opcode);
      state.line += lineBase + ((opcode - opcodeBase) % lineRange);
      emit(false);
    } else if (opcode === 0) {
      const next = reader.uleb() + reader.at;
      const extended = reader.u8();
      if (extended === EXTENDED.setAddress) state.address = reader.u32();
      if (extended === EXTENDED.endSequence) {
        emit(true);
        state = { ...start };
      }
      reader.at = next;
    } else if (opcode === STANDARD.copy) emit(false);
    else if (opcode === STANDARD.advancePc) state.address += reader.uleb() * instructionLength;
    else if (opcode === STANDARD.advanceLine) state.line += reader.sleb();
    else if (opcode === STANDARD.setFile) state.file = reader.uleb();
    else if (opcode === STANDARD.setColumn) state.column = reader.uleb();
    else if (opcode === STANDARD.constAddPc) advance(255);
    else if (opcode === STANDARD.fixedAdvancePc) state.address += reader.u16();
    else for (let i = operands[opcode - 1] ?? 0; i > 0; i--) reader.uleb();
  }
}
