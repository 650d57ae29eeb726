/** Lines of C for the frames of a stack that lie in a module. */
import type { SourcePlace } from '../port/foreign.ts';
import type { CodePlace, LineTable } from './line-table.ts';

const WASM_FRAME = /wasm:\/\/[^\s()]*:wasm-function\[\d+\]:0x([0-9a-f]+)/g;

/** Frames between an operation and the module's own, at most, and some of the module's. */
const FRAMES = 60;

export interface FrameOfC extends CodePlace {
  /** Of the call in the module. */
  readonly offset: number;
}

export class CodePlaces {
  readonly #table: LineTable;
  readonly #codeStart: number;
  readonly #isOurs: (file: string) => boolean;

  /** `isOurs`: the file is none of the user's. */
  constructor(table: LineTable, codeStart: number, isOurs: (file: string) => boolean) {
    this.#table = table;
    this.#codeStart = codeStart;
    this.#isOurs = isOurs;
  }

  /** Of an instruction, by its offset in the module. */
  at(offset: number): CodePlace | null {
    const place = this.#table.placeOf(offset - this.#codeStart);
    return place === null || this.#isOurs(place.file) ? null : place;
  }

  /** The innermost line of the user's in a stack. */
  inStack(stack: string): FrameOfC | null {
    let innermost: number | null = null;
    for (const [, text = '0'] of stack.matchAll(WASM_FRAME)) {
      const offset = Number.parseInt(text, 16);
      innermost ??= offset;
      const place = this.at(offset);
      if (place !== null) return { ...place, offset: innermost };
    }
    return null;
  }

  /** Asked from within a call out of the module. */
  here(): SourcePlace | null {
    const usual = Error.stackTraceLimit;
    Error.stackTraceLimit = FRAMES;
    const place = this.inStack(new Error('where').stack ?? '');
    Error.stackTraceLimit = usual;
    if (place === null) return null;
    const { file, line, column, offset } = place;
    return { file, line, column, site: offset };
  }
}
