/**
 * One clause that names what an obligation lacks, precise enough that a reader who does not know
 * the bug can name it.
 *
 * Of several mishaps the earliest cause is told: a TLBI issued too early makes everything after it
 * ineffective, and a stage-1 flush without a stage-2 one is only a consequence if the stage-2 one
 * was there but had no effect.
 */
import { HOST_VMID } from '../arch/context.ts';
import { assertNever } from '../arch/assert.ts';
import { describeTlbi, isBroadcast } from '../arch/tlbi.ts';
import type { DsbKind } from '../port/cpu.ts';
import type { Place } from './place.ts';
import type { Mishap, MishapKind, Obligation, Progress } from './obligation.ts';

/** Which mishaps explain being stuck here, most telling first. */
const EXPLAINS: Readonly<Record<Progress, readonly MishapKind[]>> = {
  stored: ['local-dsb', 'tlbi-before-dsb'],
  ordered: [
    'tlbi-before-dsb',
    'local-tlbi',
    'wrong-ttl',
    'last-level-only',
    'outside-range',
    'part-of-range',
    'stage1-without-stage2',
    'wrong-vmid',
    'other-regime',
  ],
  stage2: ['local-dsb', 'store-only-dsb', 'stage1-before-dsb'],
  'stage2-done': [
    'local-tlbi',
    'other-regime',
    'wrong-vmid',
    'stage1-before-dsb',
    'stage1-without-stage2',
  ],
  // Most protocols end in a DSB ISHST for their last store, which is not the one that is missing.
  flushed: ['local-dsb', 'store-only-dsb'],
};

/** Of a TLBI that came too early: the barrier before it that did not do. */
function weakBarrier(dsb: DsbKind | null): string {
  if (dsb === null) return '';
  const why = dsb.startsWith('nsh') ? 'acts for the issuing PE only' : 'does not complete a TLBI';
  return ` (DSB ${dsb.toUpperCase()} ${why}${dsb === 'ishst' ? ', R_PSMWS' : ''})`;
}

/** What of its hint does not fit. */
function hinted({ geometry }: Place, { op }: Mishap): string {
  const isOther = op?.granule !== undefined && op.granule !== geometry.granule;
  return isOther ? `table's granule but ${op.granule?.toUpperCase()}` : 'level of the old leaves';
}

const NOT_ENTERED =
  ", the host's: when a TLBI is issued VTTBR_EL2 must hold the VM's, with an ISB behind the write (D24.1.2)";

/** `others`: the last TLBI that names another VMID. */
function explain(place: Place, m: Mishap, others?: string): string {
  const tlbi = m.op === null ? 'TLBI' : `${describeTlbi(m.op)} (event ${m.event + 1})`;
  const dsb = `DSB ${(m.dsb ?? 'ish').toUpperCase()} (event ${m.event + 1})`;
  switch (m.kind) {
    case 'tlbi-before-dsb':
      return (
        `${tlbi} was issued before a DSB ordered the store, so a walker could refill the old ` +
        `entry after it${weakBarrier(m.dsb)}`
      );
    case 'wrong-vmid':
      return (
        `${tlbi} acts on the wrong VMID: the table belongs to VMID ${place.vmid}, ` +
        `the operation to ${m.op?.vmid ?? '?'}${m.op?.vmid === HOST_VMID ? NOT_ENTERED : ''}`
      );
    case 'other-regime':
      return (
        `${tlbi} is issued with HCR_EL2.TGE set, so that it acts on the host's own regime: combined ` +
        "entries of EL1&0, the guest's, survive"
      );
    case 'local-tlbi':
      return `${tlbi} is local to the issuing PE where a broadcast (IS) one is needed`;
    case 'wrong-ttl':
      return (
        `${tlbi} has a TTL hint that is not the ${hinted(place, m)}, so nothing need be ` +
        'invalidated (R_SQXYZ)'
      );
    case 'last-level-only':
      return (
        `${tlbi} reaches leaves only and leaves the old table in walk caches, through which leaves ` +
        'are filled again'
      );
    case 'outside-range':
      return `${tlbi} lies outside the entry's range: wrong address`;
    case 'part-of-range':
      return (
        `${tlbi} does not cover the range: of 0x${place.size.toString(16)} bytes that the old ` +
        `table mapped 0x${m.bytes.toString(16)} were invalidated`
      );
    case 'stage1-without-stage2':
      if (m.bytes > 0) {
        return (
          `${tlbi} came when the stage-2 TLBIs before it had taken 0x${m.bytes.toString(16)} of ` +
          `0x${place.size.toString(16)} bytes: combined entries can be filled again from the rest, ` +
          'and no VMALLE1IS follows the last of them'
        );
      }
      if (others !== undefined) {
        return (
          `no stage-2 TLBI of VMID ${place.vmid} was complete before ${tlbi}: ${others} acts on the ` +
          'wrong VMID'
        );
      }
      return (
        `${tlbi} does not reach stage-2 entries and no stage-2 TLBI was complete before it: ` +
        'wrong stage order'
      );
    case 'stage1-before-dsb':
      return (
        `${tlbi} was issued before a DSB ISH completed the stage-2 TLBI, so combined entries ` +
        `could be refilled from it${weakBarrier(m.dsb)}`
      );
    case 'local-dsb':
      return `${dsb} acts for the issuing PE only: an Inner Shareable DSB is missing`;
    case 'store-only-dsb':
      return `${dsb} does not complete a TLBI, which needs a DSB for loads and stores (R_PSMWS)`;
    default:
      return assertNever(m.kind);
  }
}

function withoutMishap(o: Obligation): string {
  switch (o.progress) {
    case 'stored':
    case 'ordered': {
      const none = `no TLBI came between the store of event ${o.storedAt + 1} and this`;
      if (o.tlbiBefore === null) return none;
      return `${none}; the last TLBI, event ${o.tlbiBefore + 1}, came before it`;
    }
    case 'stage2':
      return (
        'the stage-2 TLBI was not followed by a DSB ISH and then the stage-1 flush (VMALLE1IS) ' +
        'that takes combined entries'
      );
    case 'stage2-done':
      return (
        'the stage-1 flush (VMALLE1IS) after the stage-2 TLBI is missing: combined entries ' +
        'survive (I_CKZGP)'
      );
    case 'flushed':
      return 'the TLBI was not followed by a DSB ISH: other PEs may still be at it (R_YNJCP)';
    default:
      return assertNever(o.progress);
  }
}

/** Who flushes one PE alone has weakened the barriers and the TLBI alike: the barrier is half of it. */
function alsoLocal(o: Obligation): string {
  const early = o.mishaps.get('tlbi-before-dsb');
  if (early === undefined || early.op === null || isBroadcast(early.op.kind)) return '';
  const tlbi = `${describeTlbi(early.op)} (event ${early.event + 1})`;
  return `; ${tlbi} is local, too, where a broadcast (IS) one is needed`;
}

export function missingStep(place: Place, o: Obligation): string {
  for (const kind of EXPLAINS[o.progress]) {
    const mishap = o.mishaps.get(kind);
    if (mishap === undefined) continue;
    const wrong = o.mishaps.get('wrong-vmid')?.op ?? null;
    const others = wrong === null ? undefined : describeTlbi(wrong);
    const why = explain(place, mishap, others);
    if (o.progress === 'stored') return why + alsoLocal(o);
    const isMissing = kind === 'stage1-without-stage2' && o.progress === 'ordered';
    const isSaid = mishap.bytes > 0 || others !== undefined;
    return isMissing && !isSaid ? `${why}; the stage-2 TLBI is missing` : why;
  }
  return withoutMishap(o);
}
