/**
 * A change of a kind (port/kinds.ts) as the hypervisor's thread runs it: what is wanted of the entry,
 * whether it was got, and what happens to the region with the lock held, around the protocol.
 */
import {
  DBM,
  type Descriptor,
  EMPTY,
  isTable,
  isValid,
  LOCKED,
  S2AP_W,
  sameButState,
} from '../../arch/descriptor.ts';
import type { Level } from '../../arch/geometry.ts';
import { changeNamed, type ChangeName, type ProtocolKind } from '../../port/kinds.ts';
import type { Protocol } from '../../port/protocol.ts';

export interface MadeChange {
  readonly name: ChangeName;
  /** Before the protocol: nothing of the region has changed yet. */
  readonly before?: () => void;
  /** After it: the new version is the only one, so this is where memory is taken. */
  readonly after?: () => void;
}

/** `block`: what maps the region at its new version. Where permissions are changed no hardware gives them. */
export function wantedOf(name: ChangeName, block: Descriptor): Descriptor {
  const { to, readOnly } = changeNamed(name);
  if (to === 'empty') return EMPTY;
  if (readOnly === undefined) return block;
  return readOnly === 'new' ? block & ~(S2AP_W | DBM) : (block | S2AP_W) & ~DBM;
}

/** Does the entry hold what was wanted of it? `hole`: what the protocol's VM takes for one. */
export function isMade(
  name: ChangeName,
  found: Descriptor,
  wanted: Descriptor,
  level: Level,
  hole: Protocol['hole'] = 'empty',
): boolean {
  const { to } = changeNamed(name);
  if (to === 'table') return isTable(found, level);
  if (to === 'empty' && hole === 'invalid') return !isValid(found) && found !== LOCKED;
  return sameButState(found, wanted);
}

/** With protocols of this kind every version of a region is a block. */
export function hasOnlyBlocks(kind: ProtocolKind): boolean {
  return kind === 'map' || kind === 'protect';
}

/** How often a transition begins anew that has given way to a walker's update: there are two flags. */
export const TRIES_MAX = 64;

/**
 * Has hardware set flags since, and nobody done anything else? A compare-exchange then fails, and who holds
 * the lock for reading gives way: it comes back with the next fault.
 */
export function isUpdated(before: Descriptor, found: Descriptor): boolean {
  return found !== before && sameButState(found, before);
}
