/** A place in the code of a test: before the instruction `index` of a thread or of its handler. */
export interface CodePoint {
  readonly thread: number;
  readonly section: 'main' | 'handler';
  readonly index: number;
}

/** Bytes an instruction takes. */
const INSTRUCTION_BYTES = 4;

export function codeKey({ thread, section, index }: CodePoint): string {
  return `${thread} ${section} ${index}`;
}

export function behind({ thread, section, index }: CodePoint): CodePoint {
  return { thread, section, index: index + 1 };
}

/** `bytes` further on; null if no instruction can be there. */
export function moved(at: CodePoint, bytes: number): CodePoint | null {
  const index = at.index + bytes / INSTRUCTION_BYTES;
  return Number.isInteger(index) && index >= 0 ? { ...at, index } : null;
}
