/**
 * The stores that are under way while TLBIs are applied, on a core with an erratum (tlb/erratum.ts): to pages
 * that the guest draws for them alone.
 */
import type { TlbiCompletion } from '../../arch/cpu-model.ts';
import type { Arena } from '../arena.ts';
import { CONTROL, guestWordOf } from '../layout.ts';
import { nextRandom } from '../random.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import { createLateStore, type LateStore } from '../tlb/erratum.ts';
import type { Receiver } from '../tlb/shootdown.ts';
import type { TlbSet } from '../tlb/tlbi-codec.ts';
import { FLAG_W } from '../tlb-entry.ts';
import type { Course, Guest } from './guest.ts';

/** One vCPU's guest, as far as its late stores go. */
export interface LateStorer {
  readonly vcpu: number;
  readonly guest: Guest;
  readonly course: Course;
  readonly chooseAhead: (random: number, step: number) => number;
  readonly tlbs: TlbSet;
  readonly receiver: Receiver;
  readonly recorder: Recorder;
}

/** Null where stores are waited for. */
export function createLateStores(
  { i32, layout }: Arena,
  tlbi: TlbiCompletion,
  storer: LateStorer,
): LateStore | null {
  const { vcpu, guest, course, chooseAhead, tlbs, receiver, recorder } = storer;
  const ownW = guestWordOf(layout, vcpu);
  /** What late stores store: no other access stores a negative value. */
  let sequence = 0;
  let page = 0;
  return createLateStore(tlbi, receiver, {
    translate() {
      page = chooseAhead(nextRandom(course.random ^ ++sequence), sequence);
      const data = tlbs.combined.lookup(page);
      return data >= 0 && (data & FLAG_W) !== 0 ? data : -1;
    },
    store(data) {
      const value = -sequence;
      i32[ownW + (data >>> 10) * layout.guestStrideW] = value;
      guest.shadow[page] = value;
      recorder.event(EVENT.access, page, value, 0);
      course.issued++;
      course.completed++;
    },
    isTlbiPending: () => Atomics.load(i32, CONTROL.tlbiGeneration) !== receiver.seen(),
  });
}
