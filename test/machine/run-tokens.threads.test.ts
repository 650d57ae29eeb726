/** Run tokens: how many vCPUs run at once, that all get turns, and that every wait ends. */
import { describe, expect, test } from 'vitest';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import { CONTROL } from '../../src/machine/layout.ts';
import { createRunTokens } from '../../src/machine/vcpu/run-tokens.ts';
import { type TakerData, TOKEN_WORDS } from './fixtures/token-taker.ts';
import { awaitWord, sharedWords, startThread, type Thread } from './threads.ts';

const VCPUS = 3;
const arenaOf = (): Arena =>
  createArena({ granule: '4k', level: 2, blocks: 1, vcpus: VCPUS, transitionsMax: 1 });
const ticketsOf = ({ i32 }: Arena): number[] => [
  i32[CONTROL.tokenNext] as number,
  i32[CONTROL.tokenServed] as number,
];

describe('one thread', () => {
  test('with a place for every vCPU there is nothing to take', () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, VCPUS);
    expect(tokens.scheduled).toBe(false);
    for (let i = 0; i < 5; i++) expect(tokens.acquire(1)).toBe(true);
    tokens.release();
    expect(ticketsOf(arena)).toEqual([0, 0]);
  });

  test('as many places as tokens; a place that is given back can be had again', () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, 2);
    expect(tokens.scheduled).toBe(true);
    expect([tokens.acquire(1), tokens.acquire(1)]).toEqual([true, true]);
    tokens.release();
    expect(tokens.acquire(1)).toBe(true);
    expect(ticketsOf(arena)).toEqual([3, 1]);
  });

  test('a place is wanted if more hold tickets than there are places', () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, 2);
    tokens.acquire(1);
    tokens.acquire(1);
    expect(tokens.wanted()).toBe(false);
    Atomics.add(arena.i32, CONTROL.tokenNext, 1);
    expect(tokens.wanted()).toBe(true);
  });

  test('tickets go on over the end of 32 bits', () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, 1);
    arena.i32[CONTROL.tokenNext] = arena.i32[CONTROL.tokenServed] = 2 ** 31 - 1;
    for (let i = 0; i < 3; i++) {
      expect(tokens.acquire(1)).toBe(true);
      expect(tokens.wanted()).toBe(false);
      tokens.release();
    }
    expect(ticketsOf(arena)).toEqual(Array(2).fill(-(2 ** 31) + 2));
  });

  test('a ticket from beyond that end waits like any other', () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, 1);
    arena.i32[CONTROL.tokenNext] = arena.i32[CONTROL.tokenServed] = 2 ** 31 - 1;
    expect(tokens.acquire(1)).toBe(true);
    Atomics.store(arena.i32, CONTROL.stop, 1);
    expect(tokens.acquire(1)).toBe(false);
  });

  test('a stopped run gives no more places, and loses no ticket', () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, 1);
    tokens.acquire(1);
    Atomics.store(arena.i32, CONTROL.stop, 1);
    expect(tokens.acquire(1)).toBe(false);
    tokens.release();
    expect(ticketsOf(arena)).toEqual([2, 2]);
  });
});

describe('three threads', () => {
  function startTakers<R>(
    arena: Arena,
    words: Int32Array,
    job: Pick<TakerData, 'tokens' | 'variant' | 'turns'>,
    count = VCPUS,
  ): Thread<R>[] {
    return Array.from({ length: count }, () =>
      startThread<R>('token-taker', { arena: arena.handle, words, ...job }),
    );
  }
  async function resultsOf<R>(threads: readonly Thread<R>[]): Promise<R[]> {
    try {
      return await Promise.all(threads.map((t) => t.result));
    } finally {
      await Promise.all(threads.map((t) => t.end()));
    }
  }

  test.each([1, 2])(
    'with %i tokens no more run at once, and all get their turns',
    async (tokens) => {
      const TURNS = 300;
      const arena = arenaOf();
      const words = sharedWords(4);
      const takers = startTakers<number>(arena, words, { tokens, variant: 'turns', turns: TURNS });
      expect(await resultsOf(takers)).toEqual(Array(VCPUS).fill(TURNS));
      expect(words[TOKEN_WORDS.tooMany]).toBe(0);
      expect(words[TOKEN_WORDS.mostInside]).toBeGreaterThan(0);
      expect(ticketsOf(arena)).toEqual(Array(2).fill(VCPUS * TURNS));
    },
  );

  test('the end of a round frees those who wait, and no ticket is lost', async () => {
    const arena = arenaOf();
    const tokens = createRunTokens(arena, 1);
    tokens.acquire(1);
    const takers = startTakers<boolean>(
      arena,
      sharedWords(4),
      { tokens: 1, variant: 'one', turns: 1 },
      2,
    );
    awaitWord(arena.i32, CONTROL.tokenNext, 3);
    Atomics.store(arena.i32, CONTROL.roundEnd, 1);
    tokens.release();
    await resultsOf(takers);
    expect(ticketsOf(arena)).toEqual([3, 3]);
    expect(tokens.acquire(2), 'the next round starts with all places').toBe(true);
  });

  test('the stop word frees those who wait for a holder that is gone', async () => {
    const arena = arenaOf();
    createRunTokens(arena, 1).acquire(1);
    const takers = startTakers<boolean>(
      arena,
      sharedWords(4),
      { tokens: 1, variant: 'one', turns: 1 },
      2,
    );
    awaitWord(arena.i32, CONTROL.tokenNext, 3);
    Atomics.store(arena.i32, CONTROL.stop, 1);
    const got = await resultsOf(takers);
    // Whoever goes passes its ticket on, so the other may find that its turn has come.
    expect(got).toContain(false);
  });
});
