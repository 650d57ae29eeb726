/** Facts of a machine on which everything can be shown that can be shown at all. */
import type { DoctorFacts } from '../../src/result/doctor.ts';

const MIB = 2 ** 20;

export const GOOD: DoctorFacts = {
  cores: {
    online: 8,
    allowed: [0, 1, 2, 3],
    quota: null,
    usable: 4,
    load: 0.1,
    siblings: [],
    virtual: false,
    stolen: 0,
  },
  pins: { verified: [0, 1], failed: [], why: null },
  clock: { stepNs: 40, readNs: 45, hrtimeReadNs: 52, source: 'tsc' },
  tiers: { optimisedNs: 5, interpretedNs: 250, warmUpAccesses: 90_000, why: null },
  ordering: {
    storeBuffering: { seen: 120, trials: 1_000_000 },
    storeBufferingAtomics: { seen: 0, trials: 500_000 },
    torn: { seen: 0, trials: 9_000_000 },
    tornHalves: { seen: 3_000_000, trials: 9_000_000 },
  },
  collections: { runMs: 1000, cycles: 400_000, hypervisor: 4, vcpu: 0, longestMs: 2 },
  memory: {
    totalBytes: 16_384 * MIB,
    availableBytes: 8192 * MIB,
    limitBytes: null,
    neededBytes: 300 * MIB,
  },
};

type Part = keyof DoctorFacts;

/** The good machine with something else. */
export function but<P extends Part>(part: P, change: Partial<DoctorFacts[P]>): DoctorFacts {
  return { ...GOOD, [part]: { ...GOOD[part], ...change } };
}
