/**
 * Sizes and addresses of the kernel's 4K tables, 512 entries each, in a machine whose tables are
 * smaller: the explorer's have two. The kernel sees 512 entries of which the first ones exist; an
 * address of the region is taken apart into the indices of its entries and put together again.
 */
import type { BlockLevel, Level } from '../arch/geometry.ts';
import type { Transition } from '../port/protocol.ts';

const PAGE_SHIFT = 12;
const INDEX_BITS = 9;
export const KERNEL_ENTRIES = 2 ** INDEX_BITS;

/** Bytes that an entry of the kernel's tables maps. */
export const kernelSize = (level: Level): number => 2 ** (PAGE_SHIFT + INDEX_BITS * (3 - level));

export class Scale {
  readonly #entries: number;
  readonly #level: BlockLevel;
  readonly #ipa: number;
  readonly #pa: number;
  /** Where the region begins in the kernel's eyes. */
  readonly kernelIpa: number;
  /** The region in the kernel's eyes and in the machine's. */
  readonly kernelBytes: number;
  readonly machineBytes: number;

  constructor({ level, ipa, pa, size }: Transition, entries: number) {
    this.#entries = entries;
    this.#level = level;
    this.#ipa = ipa;
    this.#pa = pa;
    this.kernelBytes = kernelSize(level);
    this.machineBytes = size;
    this.kernelIpa = this.isSame ? ipa : this.#kernelIpaOf(ipa);
  }

  /** Entries that lie beside each other do so in the kernel's eyes. */
  #kernelIpaOf(ipa: number): number {
    const beside = (ipa % this.kernelBytes) / this.machineBytes;
    return ipa - (ipa % this.kernelBytes) + beside * this.kernelBytes;
  }

  get isSame(): boolean {
    return this.#entries === KERNEL_ENTRIES;
  }

  /** Null where the machine has no such address: the entry does not exist there. */
  machineIpa(ipa: number): number {
    return this.#ipa + this.#machineOffset(ipa - this.kernelIpa);
  }

  machinePa(pa: number): number {
    const offset = pa - this.#pa;
    return offset < 0 || offset >= this.kernelBytes ? pa : this.#pa + this.#machineOffset(offset);
  }

  kernelPa(pa: number): number {
    const offset = pa - this.#pa;
    return offset < 0 || offset >= this.machineBytes ? pa : this.#pa + this.#kernelOffset(offset);
  }

  /** Of a range: all of the region, or as many pages as there are. */
  machineSize(size: number): number {
    return this.isSame ? size : size >= this.kernelBytes ? this.machineBytes : size;
  }

  #machineOffset(offset: number): number {
    return this.#rebase(offset, KERNEL_ENTRIES, this.#entries);
  }

  #kernelOffset(offset: number): number {
    return this.#rebase(offset, this.#entries, KERNEL_ENTRIES);
  }

  /** Digits of an address in base `from`, read in base `to`; below them the byte in the page. */
  #rebase(offset: number, from: number, to: number): number {
    if (from === to) return offset;
    const page = 2 ** PAGE_SHIFT;
    let rest = Math.floor(offset / page);
    let result = offset % page;
    for (let level = 3, unit = page; level > this.#level; level--, unit *= to) {
      result += (rest % from) * unit;
      rest = Math.floor(rest / from);
    }
    return result;
  }
}
