/** The built-in protocols, in the order tables show them: those that change sizes, and the others. */
import type { Protocol } from '../port/index.ts';
import bbmEarly from './bbm-early.ts';
import bbmEarlyLocked from './bbm-early-locked.ts';
import bbmEarlyNvhe from './bbm-early-nvhe.ts';
import bbmEarlyRange from './bbm-early-range.ts';
import bbmEarlyVhe from './bbm-early-vhe.ts';
import bbmLate from './bbm-late.ts';
import bbmLateCmo from './bbm-late-cmo.ts';
import bbml2Direct from './bbml2-direct.ts';
import bbml3Direct from './bbml3-direct.ts';
import mapHole from './map-hole.ts';
import ntSpec from './nt-spec.ts';
import ntSplit from './nt-split.ts';
import relaxLocal from './relax-local.ts';
import relocateBreak from './relocate-break.ts';
import rfcL0 from './rfc-l0.ts';
import rfcNtIntended from './rfc-nt-intended.ts';
import rfcNtPosted from './rfc-nt-posted.ts';
import splitEager from './split-eager.ts';
import splitOrKeep from './split-or-keep.ts';
import splitLazy from './split-lazy.ts';
import unmapGathered from './unmap-gathered.ts';
import unmapLeafwise from './unmap-leafwise.ts';
import writeProtect from './write-protect.ts';

export const PROTOCOLS: readonly Protocol[] = Object.freeze([
  bbmLate,
  bbmLateCmo,
  bbmEarly,
  bbmEarlyLocked,
  bbmEarlyRange,
  rfcL0,
  rfcNtPosted,
  rfcNtIntended,
  ntSpec,
  bbml2Direct,
  bbml3Direct,
  splitLazy,
  splitEager,
  ntSplit,
]);

/**
 * What `stress` runs only where it is named: protocols of the kinds that change no size (port/kinds.ts),
 * in the scenario of their kind, a split that may run out of memory, and those that enter and leave the
 * VM's context.
 */
export const OTHER_PROTOCOLS: readonly Protocol[] = Object.freeze([
  unmapLeafwise,
  unmapGathered,
  mapHole,
  writeProtect,
  relaxLocal,
  relocateBreak,
  splitOrKeep,
  bbmEarlyNvhe,
  bbmEarlyVhe,
]);

export const ALL_PROTOCOLS: readonly Protocol[] = Object.freeze([...PROTOCOLS, ...OTHER_PROTOCOLS]);
