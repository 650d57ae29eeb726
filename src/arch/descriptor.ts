/**
 * A stage-2 descriptor, bit for bit (VMSAv8-64, DDI 0487 D8.3), as one unsigned 64-bit `bigint`.
 *
 *   63      59 58   55 54  53 52  51 50     48 47            12 11 10 9  8 7 6 5     2  1     0
 *  +----------+-------+------+--+---+---------+----------------+--+--+----+---+-------+----+-----+
 *  | ignored  |  sw   |  XN  |C |DBM|    0    | output address |0 |AF| SH |S2AP|MemAttr|type|valid|   leaf
 *  | ignored  |  sw   |        ignored        | next table     |          ignored       | 1  |  1  |   table
 *  +----------+-------+-----------------------+----------------+------------------------+----+-----+
 *
 * `nT` is bit 16 and exists in block descriptors only (I_PJZBK). The 64K granule keeps OA[51:48] in
 * bits [15:12]. An entry with bit 0 clear is invalid whatever the rest says; software keeps notes
 * there (KVM: owner ids, LOCKED).
 *
 * The four software bits [58:55] are the harness's: a leaf carries the version of its region, a
 * table descriptor the generation of the table page it points to. Hardware ignores them and
 * protocols pass them on unseen.
 */
import { assert } from './assert.ts';
import { entrySize, type Geometry, type Level } from './geometry.ts';

/** An unsigned 64-bit descriptor value. */
export type Descriptor = bigint;

export const VALID = 1n;
export const TYPE_TABLE_OR_PAGE = 1n << 1n;
export const AF = 1n << 10n;
export const NT = 1n << 16n;
export const DBM = 1n << 51n;
export const CONTIGUOUS = 1n << 52n;
export const S2AP_R = 1n << 6n;
export const S2AP_W = 1n << 7n;
export const MEMATTR_SHIFT = 2n;
export const SH_SHIFT = 8n;
export const XN_SHIFT = 53n;
export const SW_SHIFT = 55n;
export const SW_MASK = 0xfn << SW_SHIFT;

/** KVM_INVALID_PTE_LOCKED: bit 10 of an invalid entry, v6.2 and later (stage2_try_break_pte). */
export const LOCKED: Descriptor = 1n << 10n;
/** An empty entry. */
export const EMPTY: Descriptor = 0n;

const OA_MASK_48 = 0x0000_ffff_ffff_f000n;

export type DescriptorType = 'invalid' | 'table' | 'block' | 'page' | 'reserved';

/** Attributes of a leaf, everything but the address. Units and encodings are the architecture's. */
export interface LeafAttributes {
  /** MemAttr[3:0], bits [5:2]; 0b1111 is Normal Write-Back. */
  readonly memAttr: number;
  readonly read: boolean;
  readonly write: boolean;
  /** SH[1:0], bits [9:8]; 0b11 is Inner Shareable. */
  readonly sh: number;
  readonly af: boolean;
  readonly nT: boolean;
  readonly dbm: boolean;
  readonly contiguous: boolean;
  /** XN[1:0], bits [54:53]; 0b10 is execute-never at EL1 and EL0. */
  readonly xn: number;
  /** Software bits [58:55]. */
  readonly sw: number;
}

/** Normal write-back inner-shareable memory, readable, writable, accessed, not executable. */
export const NORMAL_RW: LeafAttributes = Object.freeze({
  memAttr: 0b1111,
  read: true,
  write: true,
  sh: 0b11,
  af: true,
  nT: false,
  dbm: false,
  contiguous: false,
  xn: 0b10,
  sw: 0,
});

export function isValid(d: Descriptor): boolean {
  return (d & VALID) !== 0n;
}

/**
 * What an entry of `level` holding `d` is. Levels 0 and 3 with type 0 are reserved and fault like an
 * invalid one: a page needs the type bit, and there are no blocks of 512 GiB (LPA2 left out).
 */
export function typeOf(d: Descriptor, level: Level): DescriptorType {
  if ((d & VALID) === 0n) return 'invalid';
  const typeBit = (d & TYPE_TABLE_OR_PAGE) !== 0n;
  if (level === 3) return typeBit ? 'page' : 'reserved';
  if (typeBit) return 'table';
  return level === 0 ? 'reserved' : 'block';
}

export function isTable(d: Descriptor, level: Level): boolean {
  return typeOf(d, level) === 'table';
}

export function isLeaf(d: Descriptor, level: Level): boolean {
  const type = typeOf(d, level);
  return type === 'block' || type === 'page';
}

/**
 * Address bits as stored; `pa` must be aligned to a page of the granule and, for 64K, below 2^52.
 */
function encodeAddress(g: Geometry, pa: number): bigint {
  if (!(pa >= 0 && pa < 2 ** (g.granule === '64k' ? 52 : 48)))
    assert(false, `PA ${pa} does not fit the descriptor`);
  if (pa % 2 ** g.pageShift !== 0)
    assert(false, `PA 0x${pa.toString(16)} is not aligned to granule ${g.granule}`);
  const low = BigInt(pa) & OA_MASK_48;
  return g.granule === '64k' ? low | ((BigInt(pa) >> 48n) << 12n) : low;
}

/**
 * Output address of a leaf or next-level table address, in bytes. Bits below the granule are not
 * address bits.
 */
export function addressOf(g: Geometry, d: Descriptor): number {
  const low = Number(d & OA_MASK_48 & ~((1n << BigInt(g.pageShift)) - 1n));
  return g.granule === '64k' ? low + Number((d >> 12n) & 0xfn) * 2 ** 48 : low;
}

/**
 * Does nT lie within the address field of a block of `level`? Only in the small granules, whose blocks
 * are smaller than 2^17; those of the real granules begin well above it.
 */
function ntIsAddressBit(g: Geometry, level: Level): boolean {
  return level < 3 && entrySize(g, level) < 2 * Number(NT);
}

/**
 * Can a leaf of `level` have this address: does the level have leaves, is it aligned to them, and,
 * for a block of a small granule, is bit 16 clear? That bit would read as nT.
 */
export function leafMayMap(g: Geometry, level: Level, pa: number): boolean {
  if (level !== 3 && !(g.blockLevels as readonly number[]).includes(level)) return false;
  if (pa % entrySize(g, level) !== 0) return false;
  return !ntIsAddressBit(g, level) || Math.floor(pa / Number(NT)) % 2 === 0;
}

/**
 * Output address of a leaf of `level`. A block's address field starts at the block's own size:
 * lower bits are attributes (nT is bit 16, inside the address field of a page). Bit 16 of a block
 * is always nT, also where the block is so small that it would be an address bit.
 */
export function outputAddress(g: Geometry, d: Descriptor, level: Level): number {
  const size = entrySize(g, level);
  const low = Number(d & OA_MASK_48 & (ntIsAddressBit(g, level) ? ~NT : ~0n));
  const high = g.granule === '64k' ? Number((d >> 12n) & 0xfn) * 2 ** 48 : 0;
  return high + Math.floor(low / size) * size;
}

export function makeTable(g: Geometry, pa: number, sw = 0): Descriptor {
  return VALID | TYPE_TABLE_OR_PAGE | encodeAddress(g, pa) | (BigInt(sw & 0xf) << SW_SHIFT);
}

/**
 * A block (levels 1 and 2) or page (level 3). The address must be aligned to the size of the level.
 */
export function makeLeaf(
  g: Geometry,
  level: Level,
  pa: number,
  a: LeafAttributes = NORMAL_RW,
): Descriptor {
  if (!leafMayMap(g, level, pa))
    assert(
      false,
      `no leaf of level ${level} maps PA 0x${pa.toString(16)}: no block level, misaligned, or bit 16 set`,
    );
  assert(!(a.nT && level === 3), 'nT exists in block descriptors only');
  return (
    VALID |
    (level === 3 ? TYPE_TABLE_OR_PAGE : 0n) |
    (BigInt(a.memAttr & 0xf) << MEMATTR_SHIFT) |
    (a.read ? S2AP_R : 0n) |
    (a.write ? S2AP_W : 0n) |
    (BigInt(a.sh & 3) << SH_SHIFT) |
    (a.af ? AF : 0n) |
    (a.nT ? NT : 0n) |
    (a.dbm ? DBM : 0n) |
    (a.contiguous ? CONTIGUOUS : 0n) |
    (BigInt(a.xn & 3) << XN_SHIFT) |
    (BigInt(a.sw & 0xf) << SW_SHIFT) |
    encodeAddress(g, pa)
  );
}

export function attributesOf(d: Descriptor, level: Level): LeafAttributes {
  return {
    memAttr: Number((d >> MEMATTR_SHIFT) & 0xfn),
    read: (d & S2AP_R) !== 0n,
    write: (d & S2AP_W) !== 0n,
    sh: Number((d >> SH_SHIFT) & 3n),
    af: (d & AF) !== 0n,
    nT: level !== 3 && (d & NT) !== 0n,
    dbm: (d & DBM) !== 0n,
    contiguous: (d & CONTIGUOUS) !== 0n,
    xn: Number((d >> XN_SHIFT) & 3n),
    sw: softwareBits(d),
  };
}

export function softwareBits(d: Descriptor): number {
  return Number((d >> SW_SHIFT) & 0xfn);
}

export function withSoftwareBits(d: Descriptor, sw: number): Descriptor {
  return (d & ~SW_MASK) | (BigInt(sw & 0xf) << SW_SHIFT);
}

export function hasNt(d: Descriptor, level: Level): boolean {
  return typeOf(d, level) === 'block' && (d & NT) !== 0n;
}

/**
 * The leaf that maps child `index` of the block or page group `parent`: same attributes, one level
 * down.
 */
export function childLeaf(
  g: Geometry,
  parent: Descriptor,
  parentLevel: Level,
  index: number,
): Descriptor {
  assert(parentLevel < 3, 'a page has no children');
  const level = (parentLevel + 1) as Level;
  const pa = outputAddress(g, parent, parentLevel) + index * entrySize(g, level);
  return makeLeaf(g, level, pa, { ...attributesOf(parent, parentLevel), nT: false });
}

/** All of them. Pages of one region differ in address bits [47:12] alone, which no carry leaves. */
export function childLeaves(
  g: Geometry,
  parent: Descriptor,
  parentLevel: Level,
): readonly Descriptor[] {
  const first = childLeaf(g, parent, parentLevel, 0);
  const step = BigInt(2 ** g.pageShift);
  const leaves = [first];
  for (let index = 1, leaf = first; index < g.entriesPerTable; index++) {
    leaf = parentLevel === 2 ? leaf + step : childLeaf(g, parent, parentLevel, index);
    leaves.push(leaf);
  }
  return leaves;
}

/**
 * Are they the same but for what hardware may have set? Of leaves with DBM, AF and S2AP[1] say what
 * became of the memory, not what may be done with it (FEAT_HAFDBS).
 */
export function sameButState(a: Descriptor, b: Descriptor): boolean {
  if (a === b) return true;
  return (a & b & DBM) !== 0n && (a & ~(AF | S2AP_W)) === (b & ~(AF | S2AP_W));
}

const DEVICE_TYPES = ['Device-nGnRnE', 'Device-nGnRE', 'Device-nGRE', 'Device-GRE'];
const CACHEABILITY = ['', 'Non-cacheable', 'Write-Through', 'Write-Back'];

/** MemAttr[3:0] of stage 2 without FEAT_S2FWB (D8.6.5): `Normal Write-Back`, `Device-nGnRE`. */
export function memoryTypeName(memAttr: number): string {
  const outer = CACHEABILITY[memAttr >> 2] ?? '';
  const inner = CACHEABILITY[memAttr & 3] ?? '';
  if (outer === '') return DEVICE_TYPES[memAttr & 3] ?? '';
  if (inner === '') return `a reserved encoding (MemAttr ${memAttr})`;
  return outer === inner ? `Normal ${outer}` : `Normal outer ${outer} inner ${inner}`;
}

/** SH[1:0]. */
export function shareabilityName(sh: number): string {
  return (
    ['Non-shareable', 'a reserved encoding', 'Outer Shareable', 'Inner Shareable'][sh & 3] ?? ''
  );
}

/** One line for people: `table -> 0x…`, `block 0x… rw nT v3`, `invalid (locked)`. */
export function describeDescriptor(g: Geometry, d: Descriptor, level: Level): string {
  const type = typeOf(d, level);
  const hex = (n: number): string => `0x${n.toString(16)}`;
  if (type === 'invalid')
    return d === EMPTY ? 'invalid' : d === LOCKED ? 'invalid (locked)' : 'invalid (bits kept)';
  if (type === 'table') return `table -> ${hex(addressOf(g, d))} g${softwareBits(d)}`;
  if (type === 'reserved') return 'reserved';
  const a = attributesOf(d, level);
  const flags = [
    `${a.read ? 'r' : '-'}${a.write ? 'w' : '-'}`,
    a.nT ? 'nT' : '',
    a.dbm ? 'DBM' : '',
    a.af ? '' : 'AF=0',
    a.memAttr === NORMAL_RW.memAttr ? '' : memoryTypeName(a.memAttr),
    a.sh === NORMAL_RW.sh ? '' : shareabilityName(a.sh),
    a.contiguous ? 'Contiguous' : '',
    a.xn === NORMAL_RW.xn ? '' : `XN=${a.xn}`,
    `v${a.sw}`,
  ];
  return `${type} ${hex(outputAddress(g, d, level))} ${flags.filter(Boolean).join(' ')}`;
}
