/** The catalogue of seeded bugs, in the order tables show them: protocols first, then the machine. */
import { ackBeforeInvalidate } from './ack-before-invalidate.ts';
import { afLost } from './af-lost.ts';
import { agedPlainly } from './aged-plainly.ts';
import { cacheCleanPart } from './cache-clean-part.ts';
import { canary } from './canary.ts';
import { conflictUnhandled } from './conflict-unhandled.ts';
import { countsLost } from './counts-lost.ts';
import { defragmentedInPlace } from './defragmented-in-place.ts';
import { dirtyClearedLate } from './dirty-cleared-late.ts';
import { dirtyNotMerged } from './dirty-not-merged.ts';
import { dropAfterFault } from './drop-after-fault.ts';
import { dsbSkipsVcpu } from './dsb-skips-vcpu.ts';
import { entryUnfenced } from './entry-unfenced.ts';
import { faultLevelIgnored } from './fault-level-ignored.ts';
import { faultLevelStale } from './fault-level-stale.ts';
import { faultsCountedAlike } from './faults-counted-alike.ts';
import { filledAfterLink } from './filled-after-link.ts';
import { freedBeforeFlush } from './freed-before-flush.ts';
import { hintFromAddress } from './hint-from-address.ts';
import { leafOnlyFlush } from './leaf-only-flush.ts';
import { leftLocked } from './left-locked.ts';
import { localDsbBeforeTlbi } from './local-dsb-before-tlbi.ts';
import { localTlbi } from './local-tlbi.ts';
import { lockedTaken } from './locked-taken.ts';
import { makeWithoutOwnership } from './make-without-ownership.ts';
import type { Mutant } from './mutant.ts';
import { neighbourFlushed } from './neighbour-flushed.ts';
import { nestedSplitOrphan } from './nested-split-orphan.ts';
import { noBreak } from './no-break.ts';
import { noDsbAfterTlbi } from './no-dsb-after-tlbi.ts';
import { noDsbBeforeTlbi } from './no-dsb-before-tlbi.ts';
import { noDsbBetweenStages } from './no-dsb-between-stages.ts';
import { noGracePeriod } from './no-grace-period.ts';
import { noStage1Flush } from './no-stage1-flush.ts';
import { noTlbi } from './no-tlbi.ts';
import { ntClearedEarly } from './nt-cleared-early.ts';
import { ntFlushUnordered } from './nt-flush-unordered.ts';
import { ntNeverCleared } from './nt-never-cleared.ts';
import { ntRelocated } from './nt-relocated.ts';
import { oneIpaFlush } from './one-ipa-flush.ts';
import { operandShift } from './operand-shift.ts';
import { overPut } from './over-put.ts';
import { permissionWithSize } from './permission-with-size.ts';
import { protectUnflushed } from './protect-unflushed.ts';
import { protectWithoutDsb } from './protect-without-dsb.ts';
import { rangeRemainder } from './range-remainder.ts';
import { refcountLeak } from './refcount-leak.ts';
import { relaxUnflushed } from './relax-unflushed.ts';
import { releaseOnChildren } from './release-on-children.ts';
import { reusedBeforeFlush } from './reused-before-flush.ts';
import { rolloverUnflushed } from './rollover-unflushed.ts';
import { softwareBitsLost } from './software-bits-lost.ts';
import { splitHalves } from './split-halves.ts';
import { splitNtUnflushed } from './split-nt-unflushed.ts';
import { stage1BeforeStage2 } from './stage1-before-stage2.ts';
import { stage1OnlyFlush } from './stage1-only-flush.ts';
import { staleInvalidate } from './stale-invalidate.ts';
import { storeDsbAfterTlbi } from './store-dsb-after-tlbi.ts';
import { tablePublishedPlain } from './table-published-plain.ts';
import { tableTtlHint } from './table-ttl-hint.ts';
import { teardownWrongLevel } from './teardown-wrong-level.ts';
import { tlbiBeforeStore } from './tlbi-before-store.ts';
import { tlbiUnfenced } from './tlbi-unfenced.ts';
import { unknownBbmAbort } from './unknown-bbm-abort.ts';
import { unmapHinted } from './unmap-hinted.ts';
import { updatedAfterFree } from './updated-after-free.ts';
import { vmidLoop } from './vmid-loop.ts';
import { walksIntoFreed } from './walks-into-freed.ts';
import { wrongPa } from './wrong-pa.ts';
import { wrongVmid } from './wrong-vmid.ts';

export { type Catch, type Engine, ENGINES, type Miss, type Mutant, subjectOf } from './mutant.ts';

export const MUTANTS: readonly Mutant[] = Object.freeze([
  noTlbi,
  noBreak,
  tlbiBeforeStore,
  localTlbi,
  wrongVmid,
  oneIpaFlush,
  stage1OnlyFlush,
  noStage1Flush,
  stage1BeforeStage2,
  tableTtlHint,
  leafOnlyFlush,
  hintFromAddress,
  operandShift,
  rangeRemainder,
  vmidLoop,
  noDsbBeforeTlbi,
  localDsbBeforeTlbi,
  noDsbAfterTlbi,
  storeDsbAfterTlbi,
  noDsbBetweenStages,
  ntFlushUnordered,
  tablePublishedPlain,
  releaseOnChildren,
  filledAfterLink,
  staleInvalidate,
  ntClearedEarly,
  ntNeverCleared,
  splitNtUnflushed,
  unknownBbmAbort,
  conflictUnhandled,
  permissionWithSize,
  freedBeforeFlush,
  reusedBeforeFlush,
  defragmentedInPlace,
  walksIntoFreed,
  noGracePeriod,
  makeWithoutOwnership,
  leftLocked,
  refcountLeak,
  overPut,
  teardownWrongLevel,
  nestedSplitOrphan,
  wrongPa,
  afLost,
  dirtyNotMerged,
  updatedAfterFree,
  softwareBitsLost,
  cacheCleanPart,
  entryUnfenced,
  tlbiUnfenced,
  dsbSkipsVcpu,
  ackBeforeInvalidate,
  dropAfterFault,
  splitHalves,
  countsLost,
  faultsCountedAlike,
  protectUnflushed,
  protectWithoutDsb,
  dirtyClearedLate,
  agedPlainly,
  faultLevelIgnored,
  faultLevelStale,
  rolloverUnflushed,
  unmapHinted,
  relaxUnflushed,
  lockedTaken,
  ntRelocated,
  neighbourFlushed,
  canary,
]);
