/**
 * When is a transition's flush complete? The moment a `dsb ish` ends that follows TLBIs covering
 * the whole region, issued while the entry no longer led to the old mapping. From then on no new
 * access may use the old version, although the protocol may still run for a long time (teardown).
 *
 * Conservative on purpose: what it does not recognise as covering is judged at the end of the
 * transition instead.
 */
import { isTable, isValid, NT, softwareBits, type Descriptor } from '../../arch/descriptor.ts';
import type { Level } from '../../arch/geometry.ts';
import { isBroadcast, type TlbiOp } from '../../arch/tlbi.ts';
import { VMID } from '../layout.ts';

/** Does `now`, in an entry of `level`, still translate what `old` did, under the old version? */
export function leadsToOld(now: Descriptor, old: Descriptor, level: Level): boolean {
  if (!isValid(now)) return false;
  if (isTable(now, level)) return now === old;
  return !isTable(old, level) && softwareBits(now & ~NT) === softwareBits(old);
}

export interface SettleTracker {
  begin(old: Descriptor, level: Level, ipa: number, size: number): void;
  /** A TLBI was issued while the entry held `now`. */
  onTlbi(op: TlbiOp, now: Descriptor): void;
  /** A DSB ISH completed. True exactly once: the old mapping is gone. */
  onDsbIsh(): boolean;
}

/** `completedByNext`: a core on which the next TLBI, of any kind, completes the ones before its DSB. */
export function createSettleTracker(completedByNext = false): SettleTracker {
  let old: Descriptor = 0n;
  let level: Level = 2;
  let ipa = 0;
  let size = 0;
  /** Stage-2 part issued; stage-2 part complete; combined part issued after it. */
  let stage2Issued = false;
  let stage2Done = false;
  let bothIssued = false;
  let settled = false;
  /** All was issued and waited for; something was issued after that. */
  let waitedFor = false;
  let repeated = false;

  function coversStage2(op: TlbiOp): boolean {
    if (op.kind === 'ripas2e1is') {
      const from = op.ipa ?? 0;
      return !op.ttl && from <= ipa && from + (op.size ?? 0) >= ipa + size;
    }
    // One address is enough only for one leaf.
    const inside = op.ipa !== undefined && op.ipa >= ipa && op.ipa < ipa + size;
    const hintFits = !op.ttl || op.ttl === level;
    return op.kind === 'ipas2e1is' && !isTable(old, level) && inside && hintFits;
  }

  return {
    begin(d, l, from, bytes) {
      old = d;
      level = l;
      ipa = from;
      size = bytes;
      stage2Issued = stage2Done = bothIssued = settled = waitedFor = repeated = false;
    },
    onTlbi(op, now) {
      if (settled || leadsToOld(now, old, level)) return;
      if (waitedFor && isBroadcast(op.kind)) repeated = true;
      if (op.vmid !== undefined && op.vmid !== VMID && op.kind !== 'alle1is') return;
      if (op.kind === 'vmalls12e1is' || op.kind === 'alle1is') bothIssued = true;
      else if (op.kind === 'vmalle1is') bothIssued = bothIssued || stage2Done;
      else stage2Issued = stage2Issued || coversStage2(op);
    },
    onDsbIsh() {
      if (settled) return false;
      if (stage2Issued) stage2Done = true;
      settled = bothIssued && (!completedByNext || repeated);
      waitedFor = bothIssued;
      return settled;
    },
  };
}
