/**
 * Words that the threads of one exploration share. Tasks stand in a list; who is free takes the next.
 * Who finds no task left helps with one that is under way, if its searches may be shared.
 *
 *   next   whose turn is next in the list: everybody adds one and has the number it was
 *   stop   1: an abort; written by the calling thread, read by all after every few milliseconds
 *   task   of each thread, the calling one is 0: 1 + the number of the task it is at, 0 for none
 *   beat   of each thread: goes up as long as it gets on; read by the calling thread
 *
 * and of each task, which who has taken it opens or closes before anything else:
 *
 *   crew     0: not begun; else twice the threads at it, and 1 where nobody may join any more
 *   search   the next of its searches: everybody at it adds one and has the number it was
 *   total    of its searches, written before `crew` is opened
 *   states   of all of them so far
 *   begun    when, in milliseconds of a clock that all threads have
 *
 * All are Atomics, and `crew` alone publishes something else: `total` and `begun`
 * (docs/memory-order.md, Searches on threads).
 */
const NEXT = 0;
const STOP = 1;
const HEADER = 2;
/** Words of one thread: task and beat. */
const EACH = 2;

const CREW = 0;
const SEARCH = 1;
const TOTAL = 2;
const STATES = 3;
const BEGUN = 4;
/** Words of one task. */
const OF_TASK = 5;

const CLOSED = 1;
const ONE = 2;

/** A clock of 30 bits: no exploration takes twelve days. */
const CLOCK = 2 ** 30 - 1;
const clockMs = (): number => Math.round(performance.timeOrigin + performance.now()) & CLOCK;

/** What each thread starts with. */
export interface SharedWords {
  readonly buffer: SharedArrayBuffer;
  readonly threads: number;
}

export class ThreadWords {
  readonly shared: SharedWords;
  readonly #words: Int32Array;

  constructor(shared: SharedWords) {
    this.shared = shared;
    this.#words = new Int32Array(shared.buffer);
  }

  /** `tasks`: the highest number of one, and 1. */
  static make(threads: number, tasks: number): ThreadWords {
    const words = HEADER + EACH * threads + OF_TASK * tasks;
    const buffer = new SharedArrayBuffer(words * Int32Array.BYTES_PER_ELEMENT);
    return new ThreadWords({ buffer, threads });
  }

  /** The next of `numbers`, which is the thread's from now on; null: none is left, or none is wanted. */
  take(thread: number, numbers: readonly number[]): number | null {
    const number = this.isStopped ? undefined : numbers[Atomics.add(this.#words, NEXT, 1)];
    Atomics.store(this.#words, this.#taskOf(thread), number === undefined ? 0 : number + 1);
    return number ?? null;
  }

  /** How many of `numbers` nobody has taken. */
  left(numbers: readonly number[]): number {
    return Math.max(0, numbers.length - Atomics.load(this.#words, NEXT));
  }

  /** What the thread is at; null for nothing. */
  taskAt(thread: number): number | null {
    const word = Atomics.load(this.#words, this.#taskOf(thread));
    return word === 0 ? null : word - 1;
  }

  /** Of all threads: with several at one task it is there several times. */
  tasksAt(): number[] {
    const { threads } = this.shared;
    return Array.from({ length: threads }, (_, thread) => this.taskAt(thread)).filter(
      (task) => task !== null,
    );
  }

  /** A thread that has ended is at nothing. */
  leave(thread: number): void {
    Atomics.store(this.#words, this.#taskOf(thread), 0);
  }

  /** Who has taken `task` lets others join: it has so many searches. */
  open(task: number, searches: number): void {
    Atomics.store(this.#words, this.#wordOf(task, TOTAL), searches);
    Atomics.store(this.#words, this.#wordOf(task, BEGUN), clockMs());
    Atomics.store(this.#words, this.#wordOf(task, CREW), ONE);
  }

  /** Nobody joins any more. How many are at it or were; 0: it was never open. */
  close(task: number): number {
    return Atomics.or(this.#words, this.#wordOf(task, CREW), CLOSED) >> 1;
  }

  /** The thread is at it from now on, if it may be: `close` counts it. */
  join(thread: number, task: number): boolean {
    const at = this.#wordOf(task, CREW);
    let crew = Atomics.load(this.#words, at);
    while (crew !== 0 && (crew & CLOSED) === 0 && this.searchesLeft(task) > 0) {
      const found = Atomics.compareExchange(this.#words, at, crew, crew + ONE);
      if (found === crew) {
        Atomics.store(this.#words, this.#taskOf(thread), task + 1);
        return true;
      }
      crew = found;
    }
    return false;
  }

  /** Tasks that are taken and may yet be opened, or are open and have something left; none after an abort. */
  mayBeJoined(): number[] {
    if (this.isStopped) return [];
    return this.tasksAt().filter((task) => {
      const crew = Atomics.load(this.#words, this.#wordOf(task, CREW));
      return crew === 0 || ((crew & CLOSED) === 0 && this.searchesLeft(task) > 0);
    });
  }

  /** Searches that nobody has taken, of open tasks. */
  openSearches(): number {
    const tasks = new Set(this.tasksAt());
    return [...tasks].reduce((sum, task) => sum + this.searchesLeft(task), 0);
  }

  /** How much of its task, 0 to 1, has been taken, if it is open. */
  partDone(thread: number): number {
    const task = this.taskAt(thread);
    const searches = task === null ? 0 : this.searchesOf(task);
    return task === null || searches === 0 ? 0 : 1 - this.searchesLeft(task) / searches;
  }

  /** The next of its searches; null: none is left, or none is wanted. */
  takeSearch(task: number): number | null {
    const number = Atomics.add(this.#words, this.#wordOf(task, SEARCH), 1);
    return number < this.searchesOf(task) ? number : null;
  }

  /** 0 until it is open. */
  searchesOf(task: number): number {
    return Atomics.load(this.#words, this.#wordOf(task, TOTAL));
  }

  /** Those that nobody has taken. */
  searchesLeft(task: number): number {
    const taken = Atomics.load(this.#words, this.#wordOf(task, SEARCH));
    return Math.max(0, this.searchesOf(task) - taken);
  }

  /** Nobody takes another of its searches. */
  endSearches(task: number): void {
    Atomics.store(this.#words, this.#wordOf(task, SEARCH), this.searchesOf(task));
  }

  /** Those of all threads at it, with `states` more. */
  countStates(task: number, states: number): number {
    return Atomics.add(this.#words, this.#wordOf(task, STATES), states) + states;
  }

  /** Milliseconds since it was opened. */
  elapsedMs(task: number): number {
    return (clockMs() - Atomics.load(this.#words, this.#wordOf(task, BEGUN))) & CLOCK;
  }

  stop(): void {
    Atomics.store(this.#words, STOP, 1);
  }

  get isStopped(): boolean {
    return Atomics.load(this.#words, STOP) === 1;
  }

  beat(thread: number): void {
    Atomics.add(this.#words, this.#taskOf(thread) + 1, 1);
  }

  beatsOf(thread: number): number {
    return Atomics.load(this.#words, this.#taskOf(thread) + 1);
  }

  #taskOf(thread: number): number {
    return HEADER + EACH * thread;
  }

  #wordOf(task: number, word: number): number {
    return HEADER + EACH * this.shared.threads + OF_TASK * task + word;
  }
}
