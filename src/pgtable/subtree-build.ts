/**
 * Builds subtrees of page mappings, for subtree.ts. 1 GiB of them is 513 tables.
 */
import { assert } from '../arch/assert.ts';
import {
  attributesOf,
  childLeaf,
  type Descriptor,
  isLeaf,
  makeLeaf,
  outputAddress,
} from '../arch/descriptor.ts';
import { childLevel, entrySize, type Level } from '../arch/geometry.ts';
import type { Table } from '../port/tables.ts';
import { type PagePool, PoolExhausted } from './page-pool.ts';

/** First output address of a subtree, and the halves of a page descriptor of address 0. */
interface Template {
  readonly pa: number;
  readonly attrLow: number;
  readonly attrHigh: number;
}

/** Far more than the blocks of one machine in all their versions. */
const TEMPLATES_MAX = 4096;

/** `SubtreeOps.build` over this pool. */
export function createSubtreeBuild(pool: PagePool): (level: Level, like: Descriptor) => Table {
  const { geometry: g, descriptors } = pool.memory;
  const entries = g.entriesPerTable;
  /** The top table, copied as a whole. */
  const scratch = new BigUint64Array(entries);
  const templates: readonly Map<Descriptor, Template>[] = [0, 1, 2, 3].map(() => new Map());
  /** Pages of the subtree under construction, the top one first. */
  const taken = new Int32Array(1 + entries);

  function take(count: number): void {
    for (let i = 0; i < count; i++) {
      const page = pool.allocateUninitialised();
      if (page === null) {
        while (--i >= 0) pool.free(taken[i] as Table);
        throw new PoolExhausted(`a subtree needs ${count} table pages`);
      }
      taken[i] = page;
    }
  }

  /**
   * Fills a level-3 table with pages from `pa` on. The attributes are the halves of a page
   * descriptor of address 0. The table spans less than 4 GiB and starts at a multiple of its span, so
   * only the low half of the address moves and never carries.
   */
  function fillPages(table: Table, pa: number, attrLow: number, attrHigh: number): void {
    let low = attrLow | ((pa % 2 ** 32) | 0);
    if (g.granule === '64k') low |= Math.floor(pa / 2 ** 48) << 12;
    const high = attrHigh | (Math.floor(pa / 2 ** 32) & 0xffff);
    pool.bulk.fill(table, low, high, 1 << g.pageShift);
    pool.setCount(table, 1 + entries);
  }

  /** What pages of a subtree like `like` have in common. */
  function templateOf(level: Level, like: Descriptor): Template {
    if (!(isLeaf(like, level) && level < 3))
      assert(false, `a subtree replaces a block, not ${like} of level ${level}`);
    let page = makeLeaf(g, level, 0, attributesOf(like, level));
    for (let l = level; l < 3; l = childLevel(l)) page = childLeaf(g, page, l, 0);
    return {
      pa: outputAddress(g, like, level),
      attrLow: Number(BigInt.asIntN(32, page)),
      attrHigh: Number(BigInt.asIntN(32, page >> 32n)),
    };
  }

  /** A region's block comes back every sixteen versions: what its pages look like is kept. */
  function knownTemplate(level: Level, like: Descriptor): Template {
    const known = templates[level] as Map<Descriptor, Template>;
    const found = known.get(like);
    if (found !== undefined) return found;
    const made = templateOf(level, like);
    if (known.size === TEMPLATES_MAX) known.clear();
    known.set(like, made);
    return made;
  }

  function build(level: Level, like: Descriptor): Table {
    const { pa, attrLow, attrHigh } = knownTemplate(level, like);
    take(level === 2 ? 1 : 1 + entries);
    const top = taken[0] as Table;
    if (level === 2) {
      fillPages(top, pa, attrLow, attrHigh);
      return top;
    }
    assert(level === 1, 'blocks exist at levels 1 and 2');
    const span = entrySize(g, 2);
    for (let i = 0; i < entries; i++)
      fillPages(taken[1 + i] as Table, pa + i * span, attrLow, attrHigh);
    for (let i = 0; i < entries; i++) scratch[i] = pool.descriptorFor(taken[1 + i] as Table);
    descriptors.set(scratch, top * entries);
    pool.setCount(top, 1 + entries);
    return top;
  }

  return build;
}
