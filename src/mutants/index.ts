/** The catalogue of seeded bugs, in the order tables show them: protocols first, then the machine. */
import { ackBeforeInvalidate } from './machine/ack-before-invalidate.ts';
import { afLost } from './contents/af-lost.ts';
import { agedPlainly } from './machine/aged-plainly.ts';
import { ringIndexForgotten } from './machine/ring-index-forgotten.ts';
import { ringWithoutDsb } from './machine/ring-without-dsb.ts';
import { cacheCleanPart } from './contents/cache-clean-part.ts';
import { canary } from './machine/canary.ts';
import { conflictUnhandled } from './nt/conflict-unhandled.ts';
import { countsLost } from './machine/counts-lost.ts';
import { defragmentedInPlace } from './tables/defragmented-in-place.ts';
import { dirtyClearedLate } from './machine/dirty-cleared-late.ts';
import { dirtyNotMerged } from './contents/dirty-not-merged.ts';
import { dropAfterFault } from './machine/drop-after-fault.ts';
import { dsbSkipsVcpu } from './machine/dsb-skips-vcpu.ts';
import { entryUnfenced } from './machine/entry-unfenced.ts';
import { faultLevelIgnored } from './machine/fault-level-ignored.ts';
import { faultLevelStale } from './machine/fault-level-stale.ts';
import { faultsCountedAlike } from './machine/faults-counted-alike.ts';
import { filledAfterLink } from './order/filled-after-link.ts';
import { freedBeforeFlush } from './tables/freed-before-flush.ts';
import { gatherErrorReturn } from './gather/gather-error-return.ts';
import { gatherFreedEarly } from './gather/gather-freed-early.ts';
import { gatherHintKept } from './gather/gather-hint-kept.ts';
import { gatherStopsAtGap } from './gather/gather-stops-at-gap.ts';
import { gatherShort } from './gather/gather-short.ts';
import { hintFromAddress } from './flush/hint-from-address.ts';
import { leafOnlyFlush } from './flush/leaf-only-flush.ts';
import { leftLocked } from './tables/left-locked.ts';
import { lostRaceIgnored } from './tables/lost-race-ignored.ts';
import { localDsbBeforeTlbi } from './order/local-dsb-before-tlbi.ts';
import { localTlbi } from './flush/local-tlbi.ts';
import { lockedTaken } from './machine/locked-taken.ts';
import { makeWithoutOwnership } from './tables/make-without-ownership.ts';
import type { Mutant } from './mutant.ts';
import { neighbourFlushed } from './machine/neighbour-flushed.ts';
import { nestedSplitOrphan } from './tables/nested-split-orphan.ts';
import { noBreak } from './flush/no-break.ts';
import { noDsbAfterTlbi } from './order/no-dsb-after-tlbi.ts';
import { noDsbBeforeTlbi } from './order/no-dsb-before-tlbi.ts';
import { noDsbBetweenStages } from './order/no-dsb-between-stages.ts';
import { noGracePeriod } from './tables/no-grace-period.ts';
import { noStage1Flush } from './flush/no-stage1-flush.ts';
import { noTlbi } from './flush/no-tlbi.ts';
import { ntClearedEarly } from './nt/nt-cleared-early.ts';
import { ntFlushUnordered } from './order/nt-flush-unordered.ts';
import { ntNeverCleared } from './nt/nt-never-cleared.ts';
import { ntRelocated } from './machine/nt-relocated.ts';
import { oneIpaFlush } from './flush/one-ipa-flush.ts';
import { oomFreesLive } from './tables/oom-frees-live.ts';
import { oomHole } from './tables/oom-hole.ts';
import { oomLeak } from './tables/oom-leak.ts';
import { oomLivePut } from './tables/oom-live-put.ts';
import { operandShift } from './flush/operand-shift.ts';
import { overPut } from './tables/over-put.ts';
import { permissionWithSize } from './nt/permission-with-size.ts';
import { protectUnflushed } from './machine/protect-unflushed.ts';
import { protectWithoutDsb } from './machine/protect-without-dsb.ts';
import { rangeRemainder } from './flush/range-remainder.ts';
import { refcountLeak } from './tables/refcount-leak.ts';
import { relaxUnflushed } from './machine/relax-unflushed.ts';
import { releaseOnChildren } from './order/release-on-children.ts';
import { reusedBeforeFlush } from './tables/reused-before-flush.ts';
import { rolloverUnflushed } from './machine/rollover-unflushed.ts';
import { softwareBitsLost } from './contents/software-bits-lost.ts';
import { switchedUnderWalk } from './context/switched-under-walk.ts';
import { splitHalves } from './machine/split-halves.ts';
import { splitNtUnflushed } from './nt/split-nt-unflushed.ts';
import { stage1BeforeStage2 } from './flush/stage1-before-stage2.ts';
import { stage1OnlyFlush } from './flush/stage1-only-flush.ts';
import { staleInvalidate } from './nt/stale-invalidate.ts';
import { storeDsbAfterTlbi } from './order/store-dsb-after-tlbi.ts';
import { tablePublishedPlain } from './order/table-published-plain.ts';
import { tableTtlHint } from './flush/table-ttl-hint.ts';
import { teardownWrongLevel } from './tables/teardown-wrong-level.ts';
import { tgeLeftSet } from './context/tge-left-set.ts';
import { tlbiBeforeStore } from './flush/tlbi-before-store.ts';
import { tlbiUnfenced } from './machine/tlbi-unfenced.ts';
import { unknownBbmAbort } from './nt/unknown-bbm-abort.ts';
import { unmapHinted } from './machine/unmap-hinted.ts';
import { updatedAfterFree } from './contents/updated-after-free.ts';
import { vmidTooWide } from './context/vmid-too-wide.ts';
import { vttbrUnsynchronised } from './context/vttbr-unsynchronised.ts';
import { vmidLoop } from './flush/vmid-loop.ts';
import { walksIntoFreed } from './tables/walks-into-freed.ts';
import { wrongPa } from './contents/wrong-pa.ts';
import { wrongVmid } from './flush/wrong-vmid.ts';

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
  vttbrUnsynchronised,
  switchedUnderWalk,
  tgeLeftSet,
  vmidTooWide,
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
  lostRaceIgnored,
  refcountLeak,
  overPut,
  teardownWrongLevel,
  nestedSplitOrphan,
  gatherHintKept,
  gatherShort,
  gatherStopsAtGap,
  gatherFreedEarly,
  gatherErrorReturn,
  oomLivePut,
  oomHole,
  oomLeak,
  oomFreesLive,
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
  ringIndexForgotten,
  ringWithoutDsb,
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
