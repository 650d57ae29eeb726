/**
 * Words that the threads of one exploration share. Tasks stand in a list; who is free takes the next.
 *
 *   next   whose turn is next in the list: everybody adds one and has the number it was
 *   stop   1: an abort; written by the calling thread, read by all after every few milliseconds
 *   task   of each thread, the calling one is 0: 1 + the number of the task it is at, 0 for none
 *   beat   of each thread: goes up as long as it gets on; read by the calling thread
 *
 * All are Atomics, and none publishes anything but itself (docs/memory-order.md, Searches on threads).
 */
const NEXT = 0;
const STOP = 1;
const HEADER = 2;
/** Words of one thread: task and beat. */
const EACH = 2;

export class ThreadWords {
  readonly buffer: SharedArrayBuffer;
  readonly #words: Int32Array;

  constructor(buffer: SharedArrayBuffer) {
    this.buffer = buffer;
    this.#words = new Int32Array(buffer);
  }

  static make(threads: number): ThreadWords {
    const bytes = (HEADER + EACH * threads) * Int32Array.BYTES_PER_ELEMENT;
    return new ThreadWords(new SharedArrayBuffer(bytes));
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

  /** Of all threads. */
  tasksAt(): number[] {
    const threads = (this.#words.length - HEADER) / EACH;
    return Array.from({ length: threads }, (_, thread) => this.taskAt(thread)).filter(
      (task) => task !== null,
    );
  }

  /** A thread that has ended is at nothing. */
  leave(thread: number): void {
    Atomics.store(this.#words, this.#taskOf(thread), 0);
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
}
