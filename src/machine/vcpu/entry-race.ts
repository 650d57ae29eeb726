/**
 * Two threads that are to race begin at one moment instead of by chance: the vCPU that is about to
 * enter the guest, and the host that is about to publish a TLBI.
 *
 *   vCPU, out of the guest            host, its TLBI recorded and not yet published
 *   arrived = n        (1)            wait until arrived = n       (2)
 *   wait until gone = n               gone = n                     (3)
 *   cold stores, IN_GUEST, load generation    cold stores, store generation, load mode
 *
 * `meetArrived` is written by the vCPU alone and `meetGone` by the host alone, sequentially consistent;
 * they publish nothing but the moment. The first to come looks for a while and then sleeps: on a
 * busy machine the two are seldom on their CPUs together, and a sleeper gets its CPU back when it is
 * woken, so that the next meetings find both awake. Each wait is bounded; who waited in vain goes on
 * without, which costs a chance and nothing else.
 *
 * With one vCPU only: what others do would not be a meeting of two.
 */
import { pause, RwLock } from '#sync';
import type { Arena } from '../arena.ts';
import { createColdStores } from './cold-stores.ts';
import { CONTROL } from '../layout.ts';

/** Some 60 µs, several times what the host needs from one TLBI to the next. */
const SPINS = 2000;
const WAIT_MS = 20;
const SLICE_MS = 2;
/**
 * How much later the host may publish: the race is won by whoever's stores wait longer in the store
 * buffer, and that differs from CPU to CPU.
 */
const JITTER_PAUSES = 4;

export interface EntryRace {
  /** The vCPU, just before it enters: returns when the host publishes, or the round is over. */
  readonly guest: () => void;
  /**
   * The host, just before it publishes: returns when the vCPU enters, or cannot come because it waits
   * for the mmu_lock.
   */
  readonly host: () => void;
}

/** What wakes the sleeper stands beside what it sleeps on. */
const SLEEPS = 1;

function createMeeting({ i32, layout }: Arena): EntryRace | null {
  if (layout.config.vcpus !== 1) return null;
  const arrivedW = CONTROL.meetArrived;
  const goneW = CONTROL.meetGone;
  const lock = RwLock.attach(i32, CONTROL.mmuLock);

  const isOver = (): boolean =>
    Atomics.load(i32, CONTROL.roundEnd) >= Atomics.load(i32, CONTROL.round) ||
    Atomics.load(i32, CONTROL.stop) !== 0;

  function say(word: number, value: number): void {
    Atomics.store(i32, word, value);
    if (Atomics.load(i32, word + SLEEPS) !== 0) Atomics.notify(i32, word);
  }

  /** True once the word differs from `seen`; false if it does not in time, or `isVain` says it cannot. */
  function awaitWord(word: number, seen: number, isVain: () => boolean): boolean {
    for (let spin = 0; spin < SPINS; spin++) {
      if (Atomics.load(i32, word) !== seen) return true;
      if ((spin & 63) === 63 && isVain()) return false;
      pause();
    }
    const deadline = performance.now() + WAIT_MS;
    Atomics.store(i32, word + SLEEPS, 1);
    while (Atomics.load(i32, word) === seen && !isVain() && performance.now() < deadline) {
      Atomics.wait(i32, word, seen, SLICE_MS);
    }
    Atomics.store(i32, word + SLEEPS, 0);
    return Atomics.load(i32, word) !== seen;
  }

  let met = Atomics.load(i32, arrivedW);
  let jitter = 1;

  return {
    guest() {
      const arrived = (Atomics.load(i32, arrivedW) + 1) | 0;
      const gone = Atomics.load(i32, goneW);
      say(arrivedW, arrived);
      awaitWord(goneW, gone, isOver);
    },
    host() {
      const isVain = (): boolean => RwLock.hasQueue(lock) || Atomics.load(i32, CONTROL.stop) !== 0;
      if (!awaitWord(arrivedW, met, isVain)) return;
      met = Atomics.load(i32, arrivedW);
      say(goneW, met);
      jitter = (jitter * 5 + 3) & (JITTER_PAUSES - 1);
      for (let n = jitter; n > 0; n--) pause();
    },
  };
}

/** For one thread, which calls one of the two. Both end with stores that wait in the store buffer. */
export function createEntryRace(arena: Arena): EntryRace {
  const meeting = createMeeting(arena);
  const coldStores = createColdStores();
  return {
    guest() {
      meeting?.guest();
      coldStores();
    },
    host() {
      meeting?.host();
      coldStores();
    },
  };
}
