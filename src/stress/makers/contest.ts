/**
 * Two hypervisor threads at one entry: how they meet, and what they tell each other. The first one runs
 * the rounds and calls; the second answers calls and does nothing else.
 *
 *   first maker                                second maker
 *   takes the lock for reading, for both
 *   call, callMade = n               (1)       wait until callMade = n             (2)
 *   loads the entry, looked = n      (3)       loads the entry, looked = n
 *   wait until the other has looked  (4)       wait until the other has looked
 *   runs its protocol, ran = n                 runs its protocol, ran = n
 *   wait until callDone = n          (6)       gives back what it owes, callDone = n    (5)
 *   reads figures, gives up the lock
 *
 * (1) publishes the call and (5) the figures: both are stores to one word, sequentially consistent, behind
 * plain stores to the words beside it. `looked` publishes nothing but the moment; so neither of the two can
 * change the entry before the other has seen what it holds, which by chance alone would seldom be so. Then
 * they begin together, or one waits until the entry is no longer what it has seen (the other has broken
 * it), or until the other has run: whoever is late must lose, by its compare-exchange.
 *
 * Waits at the door are bounded: who waited in vain goes on without, which costs a chance and nothing else.
 * The second takes no lock of its own: one that a writer waits for would keep it out for ever, as the first
 * one waits for it while it holds its own. That both hold the first one's keeps everybody else off alike.
 */
import { pause, waitForChange } from '#sync';
import { assert } from '../../arch/assert.ts';
import type { Descriptor } from '../../arch/descriptor.ts';
import type { Arena } from '../../machine/arena.ts';
import { nextRandom } from '../../machine/random.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import { CONTROL } from '../../machine/layout.ts';
import { Stopped } from '../../machine/tlb/shootdown.ts';
import type { TransitionFigures } from '../../machine/hypervisor/transition-cpu.ts';
import type { Entry } from '../../port/cpu.ts';

/** Words behind `callMade`. `region` is -1: no more calls in this round. */
const CALL = { region: 1, entry: 2, moment: 3 } as const;
/** Words behind `callDone`. `whole` is 0: memory ran out under it. `preempted`: in this round so far. */
const ANSWER = {
  whole: 1,
  windowNs: 2,
  ntWindowNs: 3,
  flushNs: 4,
  writes: 5,
  tlbis: 6,
  preempted: 7,
} as const;
/** Words of `firstMaker` and `secondMaker`. */
const LOOKED = 0;
const RAN = 1;

/** A thread that waits for its CPU on a busy machine gets it within that. */
const MEET_MS = 100;
/** A look at the entry while the other is at it, and how many before this thread gives its CPU away. */
const LOOKS = 2000;
const NAP_MS = 0.05;

/** What whoever is late waits for; `begun`: that the entry is no longer what both have seen. */
type Late = 'begun' | 'ran';
interface Moment {
  readonly late: 'first' | 'second' | null;
  readonly until: Late;
}
/** Half of the calls begin together. As many as a draw of three bits can be. */
const MOMENTS: readonly Moment[] = [
  ...Array.from({ length: 4 }, (): Moment => ({ late: null, until: 'begun' })),
  ...(['begun', 'ran'] as const).flatMap((until): Moment[] => [
    { late: 'first', until },
    { late: 'second', until },
  ]),
];
/** Together is not at once: who stores first differs from machine to machine. */
const JITTER_PAUSES = 16;

export interface Call {
  readonly region: number;
  readonly entry: Entry;
}

/** What the second maker made of a call. */
export interface Answer extends Pick<
  TransitionFigures,
  'windowNs' | 'ntWindowNs' | 'flushNs' | 'writes' | 'tlbis'
> {
  /** False: it found no memory. */
  readonly isWhole: boolean;
}

interface Side {
  /** To be called with what the entry holds, before anything is stored to it; returns when to begin. */
  meet(entry: Entry, seen: Descriptor): void;
  /** The protocol has run. */
  ran(): void;
}

export interface FirstSide extends Side {
  call(call: Call): void;
  /** The second is done with the call. Throws Stopped. */
  answer(): Answer;
  /** There are no more calls in this round. */
  endRound(): void;
  /** How often the second lost its CPU in the round that has ended. */
  preempted(): number;
}

export interface SecondSide extends Side {
  /** The next call; null: the round is over. Throws Stopped. */
  next(): Call | null;
  done(answer: Answer): void;
  /** Before the barrier that ends a round. */
  tellPreempted(times: number): void;
}

/** `seed`: of the moments. */
export function firstSide(arena: Arena, spins: number, seed: number): FirstSide {
  const { i32 } = arena;
  const { callMade, callDone } = CONTROL;
  let random = seed | 1;

  function publish(region: number, entry: number): void {
    random = nextRandom(random);
    i32[callMade + CALL.region] = region;
    i32[callMade + CALL.entry] = entry;
    i32[callMade + CALL.moment] = random >>> 8;
    Atomics.add(i32, callMade, 1);
    Atomics.notify(i32, callMade);
  }

  return {
    ...sideOf(arena, spins, 'first'),
    call: ({ region, entry }) => publish(region, entry),
    answer() {
      const number = Atomics.load(i32, callMade);
      for (;;) {
        const seen = Atomics.load(i32, callDone);
        if (seen === number) break;
        untilChanged(i32, callDone, seen, spins, 'the second hypervisor');
      }
      const at = (word: number): number => i32[callDone + word] as number;
      return {
        isWhole: at(ANSWER.whole) === 1,
        windowNs: at(ANSWER.windowNs),
        ntWindowNs: at(ANSWER.ntWindowNs),
        flushNs: at(ANSWER.flushNs),
        writes: at(ANSWER.writes),
        tlbis: at(ANSWER.tlbis),
      };
    },
    endRound: () => publish(-1, -1),
    preempted: () => i32[callDone + ANSWER.preempted] as number,
  };
}

export function secondSide(arena: Arena, spins: number): SecondSide {
  const { i32 } = arena;
  const { callMade, callDone } = CONTROL;
  let taken = Atomics.load(i32, callDone);

  return {
    ...sideOf(arena, spins, 'second'),
    next() {
      // A baseline round has no calls, and may take its time.
      while (Atomics.load(i32, callMade) === taken) {
        untilChanged(i32, callMade, taken, spins, 'the first hypervisor');
      }
      taken = (taken + 1) | 0;
      assert(Atomics.load(i32, callMade) === taken, 'a call is answered before the next one');
      const region = i32[callMade + CALL.region] as number;
      if (region >= 0) return { region, entry: i32[callMade + CALL.entry] as Entry };
      Atomics.store(i32, callDone, taken);
      return null;
    },
    done(answer) {
      i32[callDone + ANSWER.whole] = answer.isWhole ? 1 : 0;
      i32[callDone + ANSWER.windowNs] = answer.windowNs;
      i32[callDone + ANSWER.ntWindowNs] = answer.ntWindowNs;
      i32[callDone + ANSWER.flushNs] = answer.flushNs;
      i32[callDone + ANSWER.writes] = answer.writes;
      i32[callDone + ANSWER.tlbis] = answer.tlbis;
      Atomics.store(i32, callDone, taken);
      Atomics.notify(i32, callDone);
    },
    tellPreempted(times) {
      i32[callDone + ANSWER.preempted] = times;
    },
  };
}

/** Until the word is no longer `seen`. */
function untilChanged(
  i32: Int32Array,
  word: number,
  seen: number,
  spins: number,
  whom: string,
): void {
  const how = waitForChange(i32, word, seen, spins, LAST_RESORT_MS, i32, CONTROL.stop);
  if (how === 'stopped') throw new Stopped(`stopped while waiting for ${whom}`);
  if (how === 'timeout') throw new Error(`waited ${LAST_RESORT_MS} ms for ${whom}`);
}

function sideOf({ i32, layout }: Arena, spins: number, side: 'first' | 'second'): Side {
  const { callMade, firstMaker, secondMaker } = CONTROL;
  const [own, other] = side === 'first' ? [firstMaker, secondMaker] : [secondMaker, firstMaker];
  const number = (): number => Atomics.load(i32, callMade);

  function say(word: number): void {
    Atomics.store(i32, own + word, number());
    Atomics.notify(i32, own + word);
  }

  function awaitLook(): boolean {
    const word = other + LOOKED;
    const deadline = performance.now() + MEET_MS;
    for (;;) {
      const seen = Atomics.load(i32, word);
      if (seen === number()) return true;
      const leftMs = deadline - performance.now();
      const how = waitForChange(i32, word, seen, spins, leftMs, i32, CONTROL.stop);
      if (how !== 'changed') return false;
    }
  }

  /** The low half says it: whoever breaks or makes an entry changes its lowest bits. */
  function awaitOther(until: Late, entry: Entry, seen: Descriptor): void {
    const lowW = layout.tablesB / 4 + entry * 2;
    const low = Number(BigInt.asIntN(32, seen));
    const isOver = (): boolean =>
      Atomics.load(i32, other + RAN) === number() ||
      (until === 'begun' && Atomics.load(i32, lowW) !== low);
    for (let look = 0; look < LOOKS; look++) {
      if (isOver()) return;
      pause();
    }
    const deadline = performance.now() + MEET_MS;
    while (!isOver() && performance.now() < deadline) {
      if (Atomics.wait(i32, CONTROL.stop, 0, NAP_MS) === 'not-equal') return;
    }
  }

  return {
    meet(entry, seen) {
      const drawn = i32[callMade + CALL.moment] as number;
      const moment = MOMENTS[drawn & (MOMENTS.length - 1)];
      assert(moment !== undefined, 'a moment for each draw');
      say(LOOKED);
      if (!awaitLook()) return;
      if (moment.late === side) awaitOther(moment.until, entry, seen);
      if (moment.late !== null) return;
      const shift = side === 'first' ? 3 : 7;
      for (let n = (drawn >>> shift) & (JITTER_PAUSES - 1); n > 0; n--) pause();
    },
    ran: () => say(RAN),
  };
}
