/**
 * How tokens name a protocol that is not run as it is: `mine.ts@3o` with step 3 left out, `mine.ts@r` with
 * the repair for an erratum.
 */
import type { ProtocolSource } from '../explore/protocol/index.ts';

/** Between the name of a protocol and the code of its variant. */
const MARK = '@';

export function variantName(name: string, code: string): string {
  return `${name}${MARK}${code}`;
}

/** The name and, if a token is of a variant, its code. */
export function splitVariantName(name: string): readonly [string, string | null] {
  const [, base, code] = /^(.*)@(\d+(?:o|m|w\d+)|[ri])$/s.exec(name) ?? [];
  return base === undefined || code === undefined ? [name, null] : [base, code];
}

/** Null: no token can name the protocol, nor any variant of it. */
export function variantSource(own: ProtocolSource | null, code: string): ProtocolSource | null {
  return own === null ? null : { ...own, name: variantName(own.name, code), path: own.name };
}
