/**
 * Memory attributes of a descriptor: `attrs:(Normal, iNC, oNC)`, `attrs:(Device-GRE)`. They have no
 * effect on order here; they are compared, shown, and say whether a change needs break-before-make.
 */

/** What is not given is Normal, inner-shareable, write-back. */
export interface MemoryAttributes {
  /** Null: Normal memory. */
  readonly device: string | null;
  readonly shareability: string;
  readonly inner: string;
  readonly outer: string;
  readonly tagged: boolean;
}

const USUAL: MemoryAttributes = {
  device: null,
  shareability: 'ISH',
  inner: 'WB',
  outer: 'WB',
  tagged: false,
};

const LONG_NAMES: Readonly<Record<string, string>> = {
  'Non-shareable': 'NSH',
  'Inner-shareable': 'ISH',
  'Outer-shareable': 'OSH',
  'Inner-write-back': 'iWB',
  'Inner-write-through': 'iWT',
  'Inner-non-cacheable': 'iNC',
  'Outer-write-back': 'oWB',
  'Outer-write-through': 'oWT',
  'Outer-non-cacheable': 'oNC',
};

const DEVICES: ReadonlySet<string> = new Set([
  'Device-GRE',
  'Device-nGRE',
  'Device-nGnRE',
  'Device-nGnRnE',
]);

/** Attributes of these words; null if one of them is none. */
export function memoryAttributes(words: readonly string[]): MemoryAttributes | null {
  const found: { -readonly [K in keyof MemoryAttributes]: MemoryAttributes[K] } = { ...USUAL };
  for (const given of words) {
    const word = LONG_NAMES[given] ?? given;
    if (DEVICES.has(word)) found.device = word;
    else if (['NSH', 'ISH', 'OSH'].includes(word)) found.shareability = word;
    else if (/^i(WB|WT|NC)$/.test(word)) found.inner = word.slice(1);
    else if (/^o(WB|WT|NC)$/.test(word)) found.outer = word.slice(1);
    else if (word === 'TaggedNormal') found.tagged = true;
    else if (word !== 'Normal') return null;
  }
  return found;
}

/** One text for equal attributes; empty for the usual ones. */
export function formatAttributes(attributes: MemoryAttributes): string {
  const { device, shareability, inner, outer, tagged } = attributes;
  if (device !== null) return `(${device})`;
  const words = [tagged ? 'TaggedNormal' : 'Normal'];
  if (shareability !== USUAL.shareability) words.push(shareability);
  if (inner !== USUAL.inner) words.push(`i${inner}`);
  if (outer !== USUAL.outer) words.push(`o${outer}`);
  return words.length === 1 && !tagged ? '' : `(${words.join(', ')})`;
}

/** The attributes of which `formatAttributes` made `text`. */
export function attributesIn(text: string): MemoryAttributes {
  const words = text.replace(/[()\s]/g, '').split(',');
  return memoryAttributes(words.filter((word) => word !== '')) ?? USUAL;
}
