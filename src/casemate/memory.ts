/** What a log has written, by 64-bit word. Whole pages that were filled alike are kept as one. */
import type { Descriptor } from '../arch/descriptor.ts';

export const PAGE_BYTES = 4096;
const WORD_BYTES = 8;

interface Page {
  /** What every word that is not in `words` holds. */
  readonly fill: Descriptor;
  readonly words: Map<number, Descriptor>;
}

export class LogMemory {
  readonly #pages = new Map<number, Page>();

  /** Zero where nothing was written: memory is handed to casemate zeroed. */
  read(address: number): Descriptor {
    const page = this.#pages.get(pageOf(address));
    return page?.words.get(address) ?? page?.fill ?? 0n;
  }

  write(address: number, value: Descriptor): void {
    const at = pageOf(address);
    const page = this.#pages.get(at) ?? { fill: 0n, words: new Map<number, Descriptor>() };
    page.words.set(address, value);
    this.#pages.set(at, page);
  }

  /** Addresses of the words of a page that are not zero, ascending. */
  nonZero(page: number): number[] {
    return wordsOf(page, PAGE_BYTES).filter((address) => this.read(address) !== 0n);
  }

  /** Zeroing forgets, so that a range may be as long as memory; other values take room. */
  fill(address: number, size: number, value: Descriptor): void {
    const pages =
      value === 0n
        ? [...this.#pages.keys()].filter((p) => p + PAGE_BYTES > address && p < address + size)
        : pagesOf(address, size);
    for (const page of pages) {
      const from = Math.max(page, address);
      const bytes = Math.min(page + PAGE_BYTES, address + size) - from;
      if (bytes < PAGE_BYTES) for (const word of wordsOf(from, bytes)) this.write(word, value);
      else if (value === 0n) this.#pages.delete(page);
      else this.#pages.set(page, { fill: value, words: new Map() });
    }
  }
}

export function pageOf(address: number): number {
  return address - (address % PAGE_BYTES);
}

/** First addresses of the pages that a range touches. */
export function* pagesOf(address: number, size: number): Generator<number, void> {
  for (let page = pageOf(address); page < address + size; page += PAGE_BYTES) yield page;
}

export function wordsOf(address: number, size: number): number[] {
  return Array.from({ length: Math.floor(size / WORD_BYTES) }, (_, i) => address + i * WORD_BYTES);
}
