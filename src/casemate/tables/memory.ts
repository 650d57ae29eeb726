/** What a log has written, by 64-bit word. Whole pages that were filled alike are kept as one. */
import type { Descriptor } from '../../arch/descriptor.ts';

export const PAGE_BYTES = 4096;
const WORD_BYTES = 8;
/** Ranges of more pages are kept as ranges. */
const ZEROED_PAGES = 16;

interface Page {
  /** What every word that is not in `words` holds. */
  readonly fill: Descriptor;
  readonly words: Map<number, Descriptor>;
}

export class LogMemory {
  readonly #pages = new Map<number, Page>();
  /** Pages that were handed out zeroed, and long ranges of them. */
  readonly #zeroed = new Set<number>();
  readonly #zeroedRanges: { readonly from: number; readonly to: number }[] = [];

  /** Zero where nothing was written: memory is handed to casemate zeroed. */
  read(address: number): Descriptor {
    const page = this.#pages.get(pageOf(address));
    return page === undefined ? 0n : (page.words.get(address) ?? page.fill);
  }

  write(address: number, value: Descriptor): void {
    const at = pageOf(address);
    let page = this.#pages.get(at);
    if (page === undefined) {
      page = { fill: 0n, words: new Map<number, Descriptor>() };
      this.#pages.set(at, page);
    }
    page.words.set(address, value);
  }

  /** Addresses of the words of a table that are not zero, ascending. */
  nonZero(table: number, bytes: number): number[] {
    return wordsOf(table, bytes).filter((address) => this.read(address) !== 0n);
  }

  /** Does the log say what is at the address's page? */
  isTold(address: number): boolean {
    const page = pageOf(address);
    if (this.#pages.has(page) || this.#zeroed.has(page)) return true;
    return this.#zeroedRanges.some(({ from, to }) => from <= page && page < to);
  }

  /** Zeroing forgets, so that a range may be as long as memory; other values take room. */
  fill(address: number, size: number, value: Descriptor): void {
    if (value === 0n) this.#zero(address, size);
    for (const page of value === 0n ? this.#pagesIn(address, size) : pagesOf(address, size)) {
      const from = Math.max(page, address);
      const bytes = Math.min(page + PAGE_BYTES, address + size) - from;
      if (bytes < PAGE_BYTES) for (const word of wordsOf(from, bytes)) this.write(word, value);
      else if (value === 0n) this.#pages.delete(page);
      else this.#pages.set(page, { fill: value, words: new Map() });
    }
  }

  #zero(address: number, size: number): void {
    if (size > ZEROED_PAGES * PAGE_BYTES)
      this.#zeroedRanges.push({ from: pageOf(address), to: address + size });
    else for (const page of pagesOf(address, size)) this.#zeroed.add(page);
  }

  #pagesIn(address: number, size: number): number[] {
    return keysWithin(this.#pages, address, size);
  }
}

/** First addresses of the pages of a map that a range touches, whichever is fewer to look at. */
export function keysWithin(
  pages: ReadonlyMap<number, unknown>,
  address: number,
  size: number,
): number[] {
  if (size / PAGE_BYTES <= pages.size)
    return [...pagesOf(address, size)].filter((page) => pages.has(page));
  return [...pages.keys()].filter((p) => p + PAGE_BYTES > address && p < address + size);
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
