/** TLBI and DSB between an issuer and vCPUs: who waits for whom, and what is applied when. */
import { describe, expect, test, vi } from 'vitest';
import { geometryOf } from '../../src/arch/geometry.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import { CONTROL, TLBI_LOG, VCPU } from '../../src/machine/layout.ts';
import {
  createIssuer,
  createReceiver,
  type Issuer,
  type Receiver,
  Stopped,
  RECORDS_SAFE,
} from '../../src/machine/tlb/shootdown.ts';
import { createTlb } from '../../src/machine/tlb/tlb.ts';
import { entryData } from '../../src/machine/tlb-entry.ts';
import type { TlbSet } from '../../src/machine/tlb/tlbi-codec.ts';
import { createWalkCache } from '../../src/machine/tlb/walk-cache.ts';
import type { MachineBug } from '../../src/port/machine-bug.ts';
import { RECEIVER_WORDS, type ReceiverData } from './fixtures/receiver.ts';
import { awaitWord, sharedWords, startThread } from './threads.ts';

const ALL: TlbiOp = { kind: 'vmalls12e1is' };
const arenaOf = (vcpus = 2): Arena =>
  createArena({ granule: '4k', level: 2, blocks: 1, vcpus, transitionsMax: 1 });

/** TLBs with pages 0 to 3 in every structure. */
function filledTlbs(arena: Arena): TlbSet {
  const g = geometryOf('4k');
  const { pages } = arena.layout;
  const tlbs: TlbSet = {
    combined: createTlb(g, 1, 16, pages),
    stage2: createTlb(g, 1, 16, pages),
    walk: createWalkCache(g, 1, true, 0),
  };
  for (let page = 0; page < 4; page++) {
    tlbs.combined.insert(page, 3, entryData(page, 0, 3, 3));
    tlbs.stage2.insert(page, 3, entryData(page, 0, 3, 3));
  }
  tlbs.walk.insert(0, 2, 5, 0);
  return tlbs;
}
const sizesOf = (tlbs: TlbSet): number[] =>
  [tlbs.combined, tlbs.stage2, tlbs.walk].map((s) => s.entries().length);

interface Bench {
  readonly arena: Arena;
  readonly issuer: Issuer;
  readonly receiver: Receiver;
  readonly tlbs: TlbSet;
  /** Generations and record counts, as reported. */
  readonly applied: (readonly [number, number])[];
  word(name: 'mode' | 'ack' | 'event' | 'taken'): number;
}

function benchOf(bug: MachineBug | null = null, own: TlbSet | null = null): Bench {
  const arena = arenaOf();
  const tlbs = filledTlbs(arena);
  const applied: (readonly [number, number])[] = [];
  return {
    arena,
    tlbs,
    applied,
    issuer: createIssuer(arena, { bug, spins: 10, own }),
    receiver: createReceiver(arena, 0, tlbs, bug, (g, n) => applied.push([g, n])),
    word: (name) => arena.i32[arena.layout.vcpuW + VCPU[name]] as number,
  };
}

describe('a TLBI', () => {
  test('is applied by a vCPU that polls, which then acknowledges', () => {
    const b = benchOf();
    b.receiver.enter();
    b.issuer.tlbi({ kind: 'ipas2e1is', ipa: b.arena.layout.ipaBase });
    expect(sizesOf(b.tlbs), 'nothing happens by itself').toEqual([4, 4, 1]);
    const { event } = { event: b.word('event') };
    b.receiver.applyPending();
    expect(sizesOf(b.tlbs)).toEqual([4, 3, 0]);
    expect([b.word('ack'), b.receiver.seen(), b.applied]).toEqual([1, 1, [[1, 1]]]);
    expect(b.word('event'), 'wakes a waiting issuer').toBe(event + 1);
  });

  test('several are applied in one go, none twice', () => {
    const b = benchOf();
    const { ipaBase } = b.arena.layout;
    for (const page of [0, 2]) b.issuer.tlbi({ kind: 'ipas2e1is', ipa: ipaBase + page * 4096 });
    b.receiver.applyPending();
    b.receiver.applyPending();
    expect(b.tlbs.stage2.entries().map((e) => e.page)).toEqual([1, 3]);
    expect(b.applied).toEqual([[2, 2]]);
  });

  test('that was missed outside of the guest is applied on entry', () => {
    const b = benchOf();
    b.receiver.enter();
    b.receiver.leave();
    b.issuer.tlbi(ALL);
    b.receiver.enter();
    expect([b.word('mode'), b.word('ack')]).toEqual([1, 1]);
    expect(sizesOf(b.tlbs)).toEqual([0, 0, 0]);
  });

  test('leaves entries on a core that lags, until the next one comes or the guest is left', () => {
    const arena = arenaOf();
    const tlbs = filledTlbs(arena);
    const issuer = createIssuer(arena, { bug: null, spins: 0, own: null });
    const receiver = createReceiver(arena, 0, tlbs, null, () => {}, true);
    receiver.enter();
    issuer.tlbi(ALL);
    receiver.applyPending();
    expect([receiver.seen(), ...sizesOf(tlbs)], 'acknowledged').toEqual([1, 4, 4, 1]);
    issuer.tlbi({ kind: 'ipas2le1is', ipa: 0 });
    expect(receiver.applyUninterrupted()).toBe(true);
    expect([receiver.seen(), ...sizesOf(tlbs)]).toEqual([2, 0, 0, 0]);
    const other = filledTlbs(arena);
    const lagging = createReceiver(arena, 0, other, null, () => {}, true);
    lagging.enter();
    issuer.tlbi(ALL);
    lagging.applyPending();
    lagging.leave();
    lagging.enter();
    expect(sizesOf(other)).toEqual([0, 0, 0]);
  });

  test('is not what an interrupt is: that removes nothing, and is waited for', () => {
    const b = benchOf();
    b.issuer.ipi();
    b.receiver.enter();
    expect([b.receiver.seen(), ...sizesOf(b.tlbs)]).toEqual([1, 4, 4, 1]);
    b.receiver.leave();
    b.issuer.tlbi(ALL);
    b.issuer.ipi();
    expect(b.receiver.applyUninterrupted()).toBe(false);
    expect([b.receiver.seen(), ...sizesOf(b.tlbs)], 'nothing was done').toEqual([1, 4, 4, 1]);
  });

  test('that nobody has waited for may come behind an interrupt', () => {
    const b = benchOf();
    b.receiver.enter();
    b.issuer.tlbi(ALL);
    b.issuer.kick();
    b.receiver.applyPending();
    const taken = [b.word('taken'), b.word('ack'), b.receiver.seen(), ...sizesOf(b.tlbs)];
    expect(taken, 'the interrupt alone').toEqual([2, 0, 0, 4, 4, 1]);
    b.receiver.applyPending();
    expect([b.word('taken'), b.word('ack'), ...sizesOf(b.tlbs)]).toEqual([2, 2, 0, 0, 0]);
    b.issuer.kick();
    b.receiver.applyPending();
    expect([b.word('taken'), b.word('ack'), b.receiver.seen()], 'nothing before it').toEqual([
      3, 3, 3,
    ]);
  });

  test('is not complete when an interrupt behind it is taken, but at a DSB', () => {
    const b = benchOf();
    b.receiver.enter();
    b.issuer.tlbi(ALL);
    // The other vCPU is out, and this one has taken whatever comes.
    b.arena.i32[b.arena.layout.vcpuW + VCPU.taken] = 9;
    Atomics.store(b.arena.i32, CONTROL.stop, 1);
    expect(() => b.issuer.ipi()).not.toThrow();
    expect(() => b.issuer.dsb('ish')).toThrow(Stopped);
  });

  test('before a TLB was made is nothing to it', () => {
    const arena = arenaOf();
    createIssuer(arena, { bug: null, spins: 0, own: null }).tlbi(ALL);
    const tlbs = filledTlbs(arena);
    const receiver = createReceiver(arena, 0, tlbs, null, () => {});
    receiver.applyPending();
    expect([receiver.seen(), ...sizesOf(tlbs)]).toEqual([1, 4, 4, 1]);
  });

  test.each([
    [RECORDS_SAFE - 1, [4, 3, 0]],
    [RECORDS_SAFE, [0, 0, 0]],
    [3 * TLBI_LOG.records + 1, [0, 0, 0]],
  ])('%i at once: more than the log holds empties everything', (count, left) => {
    const b = benchOf();
    for (let i = 0; i < count; i++) {
      b.issuer.tlbi({ kind: 'ipas2e1is', ipa: b.arena.layout.ipaBase });
    }
    b.receiver.applyPending();
    expect(sizesOf(b.tlbs)).toEqual(left);
    expect(b.word('ack')).toBe(count);
  });

  test("of a local kind reaches the issuer's own TLBs only, and needs no generation", () => {
    const own = filledTlbs(arenaOf());
    const b = benchOf(null, own);
    b.issuer.tlbi({ kind: 'vmalle1' });
    expect(sizesOf(own)).toEqual([0, 4, 1]);
    expect(sizesOf(b.tlbs)).toEqual([4, 4, 1]);
    expect(b.arena.i32[CONTROL.tlbiGeneration]).toBe(0);
    const nowhere = benchOf();
    nowhere.issuer.tlbi({ kind: 'vmalls12e1' });
    nowhere.receiver.applyPending();
    expect(sizesOf(nowhere.tlbs)).toEqual([4, 4, 1]);
  });

  test('of two issuers: both reach the vCPU, in one order', () => {
    const b = benchOf();
    const other = createIssuer(b.arena, { bug: null, spins: 10, own: null });
    const { ipaBase } = b.arena.layout;
    b.issuer.tlbi({ kind: 'ipas2e1is', ipa: ipaBase });
    other.tlbi({ kind: 'ipas2e1is', ipa: ipaBase + 4096 });
    b.issuer.tlbi({ kind: 'ipas2e1is', ipa: ipaBase + 2 * 4096 });
    b.receiver.applyPending();
    expect(b.tlbs.stage2.entries().map((e) => e.page)).toEqual([3]);
    expect(b.applied).toEqual([[3, 3]]);
  });
});

describe('a DSB', () => {
  /** With the stop word up it throws exactly if it has to wait. */
  const waits = (b: Bench, kind: Parameters<Issuer['dsb']>[0]): boolean => {
    Atomics.store(b.arena.i32, CONTROL.stop, 1);
    try {
      b.issuer.dsb(kind);
      return false;
    } catch (error) {
      expect(error).toBeInstanceOf(Stopped);
      return true;
    } finally {
      Atomics.store(b.arena.i32, CONTROL.stop, 0);
    }
  };

  test('ISH waits for a vCPU in the guest that has not acknowledged, and for no other', () => {
    const b = benchOf();
    b.issuer.tlbi(ALL);
    expect(waits(b, 'ish'), 'nobody is in the guest').toBe(false);
    b.receiver.enter();
    b.issuer.tlbi(ALL);
    expect(waits(b, 'ish'), 'in the guest').toBe(true);
    b.receiver.applyPending();
    expect(waits(b, 'ish'), 'acknowledged').toBe(false);
    b.issuer.tlbi(ALL);
    expect(waits(b, 'ish'), 'the next one').toBe(true);
    b.receiver.leave();
    expect(waits(b, 'ish'), 'left the guest').toBe(false);
  });

  test('waits for the second vCPU as for the first', () => {
    const b = benchOf();
    const second = createReceiver(b.arena, 1, filledTlbs(b.arena), null, () => {});
    second.enter();
    b.issuer.tlbi(ALL);
    expect(waits(b, 'ish')).toBe(true);
    second.applyPending();
    expect(waits(b, 'ish')).toBe(false);
  });

  test.each(['ishst', 'nsh', 'nshst'] as const)('%s waits for nobody', (kind) => {
    const b = benchOf();
    b.receiver.enter();
    b.issuer.tlbi(ALL);
    expect(waits(b, kind)).toBe(false);
    expect(waits(b, 'ish'), 'and completes nothing').toBe(true);
  });

  test('without a TLBI of its own thread to complete waits for nobody', () => {
    const b = benchOf();
    const other = createIssuer(b.arena, { bug: null, spins: 10, own: null });
    b.receiver.enter();
    other.tlbi(ALL);
    expect(waits(b, 'ish')).toBe(false);
    b.issuer.tlbi({ kind: 'vmalls12e1' });
    expect(waits(b, 'ish'), 'a local one').toBe(false);
  });

  test('that is stopped leaves no waiter behind', () => {
    const b = benchOf();
    b.receiver.enter();
    b.issuer.tlbi(ALL);
    expect(waits(b, 'ish')).toBe(true);
    expect(b.arena.i32[CONTROL.dsbWaiters]).toBe(0);
  });
});

describe("Dekker: each side stores its own word, then loads the other's, both atomically", () => {
  /** Atomic stores and loads of the two words, in order, while `run` runs. */
  function accessesOf(b: Bench, run: () => void): string[] {
    const log: string[] = [];
    const modeW = b.arena.layout.vcpuW + VCPU.mode;
    const note = (what: string, index: number): void => {
      if (index === modeW) log.push(`${what} mode`);
      if (index === CONTROL.tlbiGeneration) log.push(`${what} generation`);
    };
    const { load, store } = Atomics;
    vi.spyOn(Atomics, 'load').mockImplementation(((words: Int32Array, index: number) => {
      note('load', index);
      return load(words, index);
    }) as typeof Atomics.load);
    vi.spyOn(Atomics, 'store').mockImplementation(((
      words: Int32Array,
      index: number,
      v: number,
    ) => {
      note('store', index);
      return store(words, index, v);
    }) as typeof Atomics.store);
    try {
      run();
    } finally {
      vi.restoreAllMocks();
    }
    return log;
  }
  const flush = (b: Bench) => (): void => {
    b.issuer.tlbi(ALL);
    b.issuer.dsb('ish');
  };

  test('a vCPU that enters', () => {
    const b = benchOf();
    const log = accessesOf(b, () => b.receiver.enter());
    expect(log).toEqual(['store mode', 'load generation']);
  });

  test('an issuer', () => {
    const b = benchOf();
    expect(accessesOf(b, flush(b)).slice(-2)).toEqual(['store generation', 'load mode']);
  });

  test('the seeded bugs leave out just that', () => {
    const entry = benchOf('entry-unfenced');
    expect(accessesOf(entry, () => entry.receiver.enter())).toEqual([]);
    expect(entry.word('mode')).toBe(1);
    const issuer = benchOf('tlbi-unfenced');
    const log = accessesOf(issuer, flush(issuer));
    expect([log.includes('store generation'), log.includes('load mode')]).toEqual([false, false]);
    expect(issuer.arena.i32[CONTROL.tlbiGeneration]).toBe(1);
  });
});

test('cold stores come after the record is written and before the generation says so', () => {
  const arena = arenaOf();
  const { i32, layout } = arena;
  const vmidOfFirst = layout.tlbiLogW + TLBI_LOG.recordWords + 1;
  const seen: (readonly (number | undefined)[])[] = [];
  const beforePublish = (): void => void seen.push([i32[CONTROL.tlbiGeneration], i32[vmidOfFirst]]);
  const issuer = createIssuer(arena, { bug: null, spins: 0, own: null, beforePublish });
  expect(i32[vmidOfFirst]).toBe(0);
  issuer.tlbi(ALL);
  expect(seen).toEqual([[0, 1]]);
  expect(i32[CONTROL.tlbiGeneration]).toBe(1);
});

describe('seeded bugs', () => {
  /** Is the acknowledgement there while the TLB is being emptied, at the next poll? */
  function acknowledgedEarly(bug: MachineBug | null): boolean {
    const b = benchOf(bug);
    let ackThen = -1;
    b.tlbs.combined.invalidate = () => {
      ackThen = b.word('ack');
    };
    b.issuer.tlbi(ALL);
    b.receiver.applyPending();
    b.receiver.applyPending();
    return ackThen === 1;
  }

  test('ack-before-invalidate acknowledges first; the machine without it does not', () => {
    expect(acknowledgedEarly('ack-before-invalidate')).toBe(true);
    expect(acknowledgedEarly(null)).toBe(false);
  });

  test('dsb-skips-vcpu does not wait for vCPU 0', () => {
    const b = benchOf('dsb-skips-vcpu');
    b.receiver.enter();
    b.issuer.tlbi(ALL);
    expect(() => b.issuer.dsb('ish')).not.toThrow();
    expect(b.word('ack')).toBe(0);
  });
});

describe('two threads', () => {
  const ROUNDS = 3000;

  async function withReceiver(
    variant: ReceiverData['variant'],
    run: (arena: Arena, words: Int32Array) => void,
  ): Promise<number> {
    const arena = arenaOf(1);
    const words = sharedWords(8);
    const thread = startThread<number>('receiver', { arena: arena.handle, words, variant });
    try {
      awaitWord(words, RECEIVER_WORDS.ready, 1);
      run(arena, words);
      Atomics.store(words, RECEIVER_WORDS.end, 1);
      return await thread.result;
    } finally {
      await thread.end();
    }
  }

  test.each([0, 500])(
    'DSB ISH returns after the invalidation, never before (%i spins)',
    async (spins) => {
      let early = 0;
      await withReceiver('slow', (arena, words) => {
        const issuer = createIssuer(arena, { bug: null, spins, own: null });
        for (let round = 1; round <= ROUNDS; round++) {
          issuer.tlbi(ALL);
          issuer.dsb('ish');
          if (Atomics.load(words, RECEIVER_WORDS.applied) !== round) early++;
        }
      });
      expect(early).toBe(0);
    },
  );

  test('a vCPU that enters and leaves is never inside with a flush it does not know of', async () => {
    const violations = await withReceiver('in-and-out', (arena, words) => {
      const issuer = createIssuer(arena, { bug: null, spins: 0, own: null });
      // As long as it takes until both have run beside each other often enough.
      for (
        let round = 1;
        round <= ROUNDS || Atomics.load(words, RECEIVER_WORDS.entries) < ROUNDS;
        round++
      ) {
        issuer.tlbi(ALL);
        issuer.dsb('ish');
        Atomics.store(words, RECEIVER_WORDS.complete, round);
      }
    });
    expect(violations).toBe(0);
  });

  test('the stop word ends a DSB that waits for a vCPU which never acknowledges', async () => {
    await withReceiver('deaf', (arena) => {
      const issuer = createIssuer(arena, { bug: null, spins: 0, own: null });
      issuer.tlbi(ALL);
      // The other thread raises the stop word once it sees this one wait.
      expect(() => issuer.dsb('ish')).toThrow(Stopped);
    });
  });
});
