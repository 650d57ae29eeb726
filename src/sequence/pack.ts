/**
 * A sequence in letters that need no quotes, for tokens: deflated, with the usual words known
 * beforehand, and then in base64url. A sequence of ten steps takes some thirty letters.
 */
import { deflateRawSync, inflateRawSync } from 'node:zlib';
import { TEXT_MAX } from './scan.ts';

/** What is in here costs next to nothing. Changing it makes every token of a sequence void. */
const DICTIONARY = Buffer.from(
  'name: summary: origin: lock: shared claims: never-invalid, handles-conflict split: alloc empty ' +
    'child; isb nshst nsh ; tlbi alle1is; tlbi vmalls12e1, ttl=level vmid=other ttl=2, ttl=3 ; put; ' +
    'get; clean; merge; cas locked; cas block; str invalid; str table; stlr table; str block+nt; ' +
    'each page { tlbi ipas2le1is, ipa+1 pages } free child page; free child below; ' +
    'tlbi ripas2e1is, range; dsb nshst; tlbi vmalle1; dsb nsh; isb; free child after grace; ' +
    'str 0; dsb ishst; each page { tlbi ipas2e1is, ipa }; dsb ish; tlbi vmalle1is; dsb ish; isb; ' +
    'str 0; dsb ishst; tlbi vmalls12e1is; dsb ish; isb; stlr block; str block; free child; dsb ishst',
);

export function packSequence(text: string): string {
  const packed = deflateRawSync(Buffer.from(text), { dictionary: DICTIONARY, level: 9 });
  return packed.toString('base64url');
}

/** Null if `packed` is none. */
export function unpackSequence(packed: string): string | null {
  try {
    const options = { dictionary: DICTIONARY, maxOutputLength: 4 * TEXT_MAX };
    return inflateRawSync(Buffer.from(packed, 'base64url'), options).toString();
  } catch {
    return null;
  }
}
