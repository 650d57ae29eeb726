/** Where the sections of a WebAssembly module lie (WebAssembly Core Specification 2.0, §5.5.2). */

export interface Sections {
  /** Offset in the module of the code section's content: addresses of DWARF count from there. */
  readonly codeStart: number;
  /** Content of the custom sections, by name. */
  readonly custom: ReadonlyMap<string, Uint8Array>;
  /** Bytes of the memory at the start; 0 if there is none. */
  readonly memoryBytes: number;
  /** A function is called as soon as the module is instantiated. */
  readonly hasStart: boolean;
}

const CUSTOM = 0;
const MEMORY = 5;
const START = 8;
const CODE = 10;
const PAGE_BYTES = 65_536;

/** Reads numbers as WebAssembly and DWARF write them. */
export class ByteReader {
  at: number;
  readonly #bytes: Uint8Array;
  readonly #view: DataView;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.at = at;
  }

  get isAtEnd(): boolean {
    return this.at >= this.#bytes.length;
  }

  u8(): number {
    return this.#view.getUint8(this.at++);
  }

  i8(): number {
    return this.#view.getInt8(this.at++);
  }

  u16(): number {
    this.at += 2;
    return this.#view.getUint16(this.at - 2, true);
  }

  u32(): number {
    this.at += 4;
    return this.#view.getUint32(this.at - 4, true);
  }

  /** Unsigned LEB128. */
  uleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
    }
  }

  /** Signed LEB128. */
  sleb(): number {
    let value = 0;
    for (let scale = 1; ; scale *= 128) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return (byte & 0x40) === 0 ? value : value - scale * 128;
    }
  }

  bytes(length: number): Uint8Array {
    this.at += length;
    return this.#bytes.subarray(this.at - length, this.at);
  }

  /** UTF-8 up to a zero byte, which is skipped. */
  text(): string {
    const end = this.#bytes.indexOf(0, this.at);
    const text = new TextDecoder().decode(
      this.bytes((end < 0 ? this.#bytes.length : end) - this.at),
    );
    this.at++;
    return text;
  }
}

/** Of a module that is valid. */
export function sectionsOf(module: Uint8Array): Sections {
  const reader = new ByteReader(module, 8);
  const custom = new Map<string, Uint8Array>();
  let codeStart = 0;
  let memoryBytes = 0;
  let hasStart = false;
  while (!reader.isAtEnd) {
    const id = reader.u8();
    const size = reader.uleb();
    const start = reader.at;
    if (id === CODE) codeStart = start;
    if (id === START) hasStart = true;
    if (id === MEMORY && reader.uleb() > 0) {
      reader.uleb();
      memoryBytes = reader.uleb() * PAGE_BYTES;
    }
    if (id === CUSTOM) {
      const name = new TextDecoder().decode(reader.bytes(reader.uleb()));
      custom.set(name, module.subarray(reader.at, start + size));
    }
    reader.at = start + size;
  }
  return { codeStart, custom, memoryBytes, hasStart };
}
