/**
 * One transition with a second hypervisor thread at the same entry: the lock, held for reading for both,
 * the ghost word around both, the call to the other, and the record of what it took. What
 * thread/transition-runner.ts does where one is alone.
 *
 * The version that holds is known when both are done: until then the region's word allows the old and the
 * new one, as one of them may be about to put back what it found.
 */
import { RwLock } from '#sync';
import { isMade } from '../changes/change.ts';
import { GHOST_CHANGING, GHOST_STABLE, ghostWord } from '../../machine/ghost.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { CONTROL, GHOST, TRANSITION } from '../../machine/layout.ts';
import { EVENT, type Recorder } from '../../machine/recorder.ts';
import { Stopped } from '../../machine/tlb/shootdown.ts';
import { toNs, type TransitionFigures } from '../../machine/hypervisor/transition-cpu.ts';
import { PoolExhausted } from '../../pgtable/page-pool.ts';
import { plainChange } from '../../port/kinds.ts';
import type { Region } from '../regions/regions.ts';
import type { Ending } from '../changes/transition-runner.ts';
import type { Answer, FirstSide } from './contest.ts';
import { type MakerSite, runMaker } from './maker.ts';

export interface ContestedSite extends MakerSite {
  readonly contest: FirstSide;
  readonly recorder: Recorder;
  readonly spins: number;
}

/** `slot` is the transition record to use. Throws Stopped, or what the protocol throws. */
export function runContested(site: ContestedSite, region: Region, slot: number): Ending {
  const { arena, regions, protocol, contest, recorder } = site;
  const { i32, layout, descriptors } = arena;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const at = layout.transitionW + slot * TRANSITION.words;
  i32.fill(0, at, at + TRANSITION.words);
  i32[at + TRANSITION.measured] = 1;
  const taken = RwLock.readLock(lock, site.spins, LAST_RESORT_MS, i32, CONTROL.stop);
  if (taken === 'stopped') throw new Stopped('stopped while taking the mmu_lock');
  if (taken === 'timeout')
    throw new Error(`hypervisor did not get the mmu_lock in ${LAST_RESORT_MS} ms`);
  const lockedMs = performance.now();
  const version = regions.versionOf(region);
  const { ghostW, entry } = region;
  try {
    i32[ghostW + GHOST.slot + (version & (GHOST.slots - 1))] = slot;
    Atomics.store(i32, ghostW, ghostWord(version, GHOST_CHANGING));
    recorder.event(EVENT.transitionStart, version, 1, 0);
    contest.call({ region: region.index, entry });
    const own = runOwn(site, region, version);
    const other = contest.answer();
    const found = Atomics.load(descriptors, entry);
    const wanted = regions.blockAt(region, version + 1);
    const isMadeNow = isMade(plainChange(protocol), found, wanted, layout.config.level);
    if (own === 'no-memory' || !other.isWhole || !isMadeNow) return 'broken';
    Atomics.store(i32, ghostW, ghostWord(version + 1, GHOST_STABLE));
    fillRecord(i32, at, own, other);
    return 'made';
  } finally {
    const isOver = i32[ghostW] === ghostWord(version + 1, GHOST_STABLE);
    if (!isOver) Atomics.store(i32, ghostW, ghostWord(version, GHOST_CHANGING));
    RwLock.readUnlock(lock);
    i32[at + TRANSITION.lockNs] = toNs(performance.now() - lockedMs);
    if (isOver) recorder.event(EVENT.transitionEnd, version + 1, 0, 0);
  }
}

/** The first maker's own part. */
function runOwn(
  site: ContestedSite,
  region: Region,
  version: number,
): Readonly<TransitionFigures> | null | 'no-memory' {
  const { contest } = site;
  try {
    return runMaker(site, {
      region,
      version,
      ghostW: region.ghostW,
      meet: (seen) => contest.meet(region.entry, seen),
      ran: () => contest.ran(),
    });
  } catch (error) {
    // The other is still at it.
    if (error instanceof PoolExhausted) return 'no-memory';
    throw error;
  }
}

/** Of both: who has lost has no window. */
function fillRecord(
  i32: Int32Array,
  at: number,
  own: Readonly<TransitionFigures> | null,
  other: Answer,
): void {
  const longest = (field: 'windowNs' | 'ntWindowNs' | 'flushNs'): number =>
    Math.max(own?.[field] ?? -1, other[field]);
  i32[at + TRANSITION.windowNs] = longest('windowNs');
  i32[at + TRANSITION.ntWindowNs] = longest('ntWindowNs');
  i32[at + TRANSITION.flushNs] = longest('flushNs');
  i32[at + TRANSITION.writes] = (own?.writes ?? 0) + other.writes;
  i32[at + TRANSITION.tlbis] = (own?.tlbis ?? 0) + other.tlbis;
}
