/**
 * What a PE does, by its BBM level, about a change of size without break-before-make. TLB conflicts are
 * written down as an event and as evidence: two entries that match one page (R_FVQCK), and a block with
 * nT set where page entries are cached, on a PE that raises a conflict there (R_MRRPW).
 */
import type { CpuModel, MultihitBehaviour, NtBehaviour } from '../../arch/cpu-model.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import { VMID } from '../layout.ts';
import { EVENT, EVIDENCE, type Recorder, VIA } from '../recorder.ts';
import { dataLevel, FAULT } from '../tlb-entry.ts';
import type { Tlb } from '../tlb/tlb.ts';
import type { TlbSet } from '../tlb/tlbi-codec.ts';

export interface Conflicts {
  /** From here on the PE behaves as one of `model`; returns what it does with a block that has nT set. */
  use: (model: CpuModel) => NtBehaviour;
  /** What the PE makes of the two entries of `tlb` that match `page`: a data word, or a FAULT. */
  multihitOf: (tlb: Tlb, page: number, via: number) => number;
  /** Does the nT block of `level`, `span` pages around `page`, meet a page entry? */
  meetsPages: (page: number, span: number, level: number) => boolean;
}

const DEFAULT_BBM: BbmLevel = 1;

export function createConflicts(
  vcpu: number,
  { combined, stage2 }: TlbSet,
  recorder: Recorder,
): Conflicts {
  let multihit: MultihitBehaviour = 'abort';
  let aborts = true;

  return {
    use(model) {
      const bbm = model.bbm[vcpu % model.bbm.length] ?? DEFAULT_BBM;
      multihit = model.multihit;
      // A PE of level 3 never aborts (BBM = 0b0011).
      aborts = multihit === 'abort' && bbm !== 3;
      // A PE without FEAT_BBM knows no nT bit (RES0 in its block descriptors).
      return bbm === 0 ? 'ignored' : model.nt;
    },
    multihitOf(tlb, page, via) {
      const older = tlb.olderOf(page);
      const newer = tlb.newerOf(page);
      const [one, other] = [dataLevel(older), dataLevel(newer)];
      recorder.event(EVENT.conflict, page, one, other);
      recorder.evidence(EVIDENCE.conflict, page, aborts ? 1 : 0, one, other, via, 0);
      if (aborts) return FAULT.conflict;
      if (multihit === 'old') return older;
      if (multihit === 'amalgamate') return tlb.amalgamationOf(page);
      return newer;
    },
    meetsPages(page, span, level) {
      const from = page & -span;
      const to = from + span;
      if (!combined.hasPageIn(VMID, from, to) && !stage2.hasPageIn(VMID, from, to)) return false;
      recorder.event(EVENT.conflict, page, level, 3);
      recorder.evidence(EVIDENCE.conflict, page, 1, level, 3, VIA.walk, 0);
      return true;
    },
  };
}
