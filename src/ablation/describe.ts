/** Recorded operations in the words of plain sequences (docs/sequences.md). */
import { assertNever } from '../arch/assert.ts';
import {
  type Descriptor,
  EMPTY,
  type Entry,
  isValid,
  LOCKED,
  NT,
  type TlbiOp,
  type Transition,
  VALID,
} from '../port/index.ts';
import type { Call } from './tap.ts';

const TYPE_BITS = 3n;
/** Below level 2 it is a page. */
const TABLE_OR_PAGE = 3n;

/** `isSplit`: the entry held a block. */
export function describeCall(call: Call, t: Transition, isSplit: boolean): string {
  switch (call.op) {
    case 'read':
      return `ldr${placeText(call.entry, t)}`;
    case 'write':
      return `str ${storeText(call, t, isSplit)}`;
    case 'writeRelease':
      return `stlr ${storeText(call, t, isSplit)}`;
    case 'compareExchange':
      return `cas ${storeText(call, t, isSplit)}`;
    case 'dsb':
      return `dsb ${call.kind}`;
    case 'dmb':
      return `dmb ${call.kind}`;
    case 'isb':
    case 'ipi':
      return call.op;
    case 'writeVttbr':
      return `vttbr ${call.table}`;
    case 'writeTge':
      return `tge ${call.on ? 'on' : 'off'}`;
    case 'tlbi':
      return tlbiText(call.tlbi, t);
    case 'allocate':
    case 'tryAllocate':
      return 'alloc empty child';
    case 'buildSubtree':
      return 'alloc child';
    case 'mergeState':
      return 'merge';
    case 'get':
    case 'put':
      return `${call.op}${placeText(call.entry, t)}`;
    case 'tearDown':
      return 'free child';
    case 'tearDownBelow':
      return 'free child below';
    case 'freeNow':
      return 'free child page';
    case 'tearDownAfterGrace':
      return 'free child after grace';
    case 'cleanDcache':
      return 'clean';
    default:
      return assertNever(call);
  }
}

function storeText(
  { entry, d }: { readonly entry: Entry; readonly d: Descriptor },
  t: Transition,
  isSplit: boolean,
): string {
  const isPage = entry !== t.entry && t.level === 2 && (d & TYPE_BITS) === TABLE_OR_PAGE;
  return `${isPage ? 'a page' : valueText(d, t, isSplit)}${placeText(entry, t)}`;
}

function placeText(entry: Entry, t: Transition): string {
  return entry === t.entry ? '' : ' (child)';
}

function valueText(d: Descriptor, { old, wanted }: Transition, isSplit: boolean): string {
  const block = isSplit ? old : wanted;
  if (d === EMPTY) return '0';
  if (d === LOCKED) return 'locked';
  if (d === block) return 'block';
  if (d === (block | NT)) return 'block+nt';
  if (d === (old & ~VALID)) return 'invalid';
  if (!isValid(d)) return 'an invalid descriptor';
  return (d & TYPE_BITS) === TABLE_OR_PAGE ? 'table' : 'a leaf';
}

export function tlbiText({ kind, ipa, size, ttl, vmid }: TlbiOp, t: Transition): string {
  return [
    `tlbi ${kind}`,
    ...(ipa === undefined ? [] : [size === undefined ? ipaText(ipa, t) : rangeText(ipa, size, t)]),
    ...(ttl === undefined || ttl === 0 ? [] : [`ttl=${ttl}`]),
    ...(vmid === undefined ? [] : [`vmid=${vmid}`]),
  ].join(', ');
}

function ipaText(ipa: number, t: Transition): string {
  return ipa === t.ipa ? 'ipa' : 'ipa of a page';
}

function rangeText(ipa: number, size: number, t: Transition): string {
  return ipa === t.ipa && size === t.size ? 'range' : 'part of the range';
}
