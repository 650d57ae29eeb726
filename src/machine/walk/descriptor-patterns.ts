/**
 * What the descriptors of this machine look like to its walker, as 32-bit halves: bits, the patterns that
 * every leaf and every table descriptor has, and where the frames of guest memory and tables begin.
 *
 * The MMU takes them into constants of its closure, which V8 folds; imported and module-level ones it
 * loads each time.
 */
import { makeLeaf, makeTable, NORMAL_RW } from '../../arch/descriptor.ts';
import { POISON_HIGH, POISON_LOW } from '../../pgtable/page-meta.ts';
import type { Arena } from '../arena.ts';

/** Software bits [58:55] as bits of the high half. */
const TAG_SHIFT = 55 - 32;
const TAG_MASK_HIGH = 0xf << TAG_SHIFT;
/** DBM as a bit of the high half. */
const DBM_HIGH = 1 << (51 - 32);
/**
 * What is the same in every leaf: XN and the upper half's other attributes; MemAttr and SH.
 * Permissions and AF vary.
 */
const LEAF_HIGH_MASK = ~(TAG_MASK_HIGH | 0xffff);
const LEAF_LOW_MASK = 0x33c;

export interface DescriptorPatterns {
  readonly ntBit: number;
  readonly afBit: number;
  readonly tableOrPageBit: number;
  readonly dbmHigh: number;
  readonly tagShift: number;
  readonly tagMaskHigh: number;
  /** PA bits [47:44] in the high half. */
  readonly farMask: number;
  /** A leaf's halves under these masks are `leafHigh` and `leafLow`. */
  readonly leafHighMask: number;
  readonly leafLowMask: number;
  readonly leafHigh: number;
  readonly leafLow: number;
  /** A table descriptor's high half without its tag. */
  readonly tableHigh: number;
  readonly poisonLow: number;
  readonly poisonHigh: number;
  /** In frames of 4 KiB; see layout.ts for the bases. */
  readonly guestBaseFrame: number;
  readonly tableBaseFrame: number;
  /** log2 of the frames in a page. */
  readonly frameShift: number;
  /** Guest pages by which a version's memory lies above the first place: blocks may move. */
  readonly placeOf: (tag: number) => number;
}

/** `updates`: the walker sets access flag and dirty state, so DBM varies as well. */
export function descriptorPatterns(
  { geometry, layout }: Arena,
  updates: boolean,
): DescriptorPatterns {
  const { guestPaBase, tablePaBase, pageShift, pages, config } = layout;
  const anyLeaf = makeLeaf(geometry, 3, guestPaBase, NORMAL_RW);
  return {
    ntBit: 1 << 16,
    afBit: 1 << 10,
    tableOrPageBit: 1 << 1,
    dbmHigh: DBM_HIGH,
    tagShift: TAG_SHIFT,
    tagMaskHigh: TAG_MASK_HIGH,
    farMask: 0xf000,
    leafHighMask: updates ? LEAF_HIGH_MASK & ~DBM_HIGH : LEAF_HIGH_MASK,
    leafLowMask: LEAF_LOW_MASK,
    leafHigh: Number(anyLeaf >> 32n) & LEAF_HIGH_MASK,
    leafLow: Number(anyLeaf & 0xffffn) & LEAF_LOW_MASK,
    tableHigh: Number(makeTable(geometry, tablePaBase) >> 32n) & ~TAG_MASK_HIGH,
    poisonLow: POISON_LOW,
    poisonHigh: POISON_HIGH,
    guestBaseFrame: guestPaBase / 4096,
    tableBaseFrame: tablePaBase / 4096,
    frameShift: pageShift - 12,
    placeOf: config.relocates === true ? (tag) => (tag & 1) * pages : () => 0,
  };
}
