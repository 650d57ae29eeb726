/** The software store buffer: which orders Arm allows, which it does not, and nothing gets lost. */
import fc from 'fast-check';
import { afterEach, describe, expect, test, vi } from 'vitest';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import { createStoreBuffer, type StoreBuffer } from '../../src/machine/hypervisor/store-buffer.ts';

const ENTRIES = 4;
const PAGES = 3;
const BEFORE = 0xdeadn;
const SEEDS = Array.from({ length: 300 }, (_, i) => i * 7919 - 1000);

interface Bench {
  readonly buffer: StoreBuffer;
  readonly memory: BigUint64Array;
  /** Entries in the order in which their stores became visible. */
  readonly commits: number[];
  /** The same, with TLBIs by their kind. */
  readonly effects: (number | string)[];
  /** As a page pool would fill a page: straight into memory. */
  fill(page: number, contents: readonly bigint[]): void;
  /** Lets stores drain by themselves until none did for long. */
  settle(): void;
}

function benchOf(seed: number): Bench {
  const memory = new BigUint64Array(PAGES * ENTRIES);
  const commits: number[] = [];
  const effects: (number | string)[] = [];
  const commit = (entry: number, value: bigint): void => {
    commits.push(entry);
    effects.push(entry);
    memory[entry] = value;
  };
  const options = { descriptors: memory, entriesPerTable: ENTRIES, before: BEFORE };
  const tlbi = ({ kind }: TlbiOp): void => void effects.push(kind);
  const buffer = createStoreBuffer(options, { commit, tlbi }, seed);
  return {
    buffer,
    memory,
    commits,
    effects,
    fill(page, contents) {
      memory.set(contents, page * ENTRIES);
      buffer.fill(page);
    },
    settle() {
      for (let i = 0; i < 400; i++) buffer.mayDrain();
    },
  };
}

/** Orders of commits over all seeds, when `stores` are issued and left alone. */
function ordersOf(stores: readonly (readonly ['plain' | 'release', number])[]): Set<string> {
  return new Set(
    SEEDS.map((seed) => {
      const b = benchOf(seed);
      for (const [kind, entry] of stores) b.buffer.store(kind, entry, BigInt(entry));
      b.settle();
      expect(b.commits.length, 'all of them drain in the end').toBe(stores.length);
      return b.commits.join(' ');
    }),
  );
}

describe('order', () => {
  test('a fence keeps stores in order, and lets a TLBI pass them', () => {
    const seen = new Set(
      SEEDS.map((seed) => {
        const b = benchOf(seed);
        b.buffer.store('plain', 1, 1n);
        b.buffer.fence();
        b.buffer.store('plain', 2, 2n);
        b.buffer.tlbi({ kind: 'vmalls12e1is' });
        expect([b.buffer.forward(1), b.buffer.forward(2)]).toEqual([1n, 2n]);
        b.settle();
        return b.effects.join(' ');
      }),
    );
    expect([...seen].sort()).toEqual(['1 2 vmalls12e1is', '1 vmalls12e1is 2', 'vmalls12e1is 1 2']);
  });

  test('a store behind a fence is there when software reads tables', () => {
    for (const seed of SEEDS) {
      const b = benchOf(seed);
      b.buffer.store('plain', 1, 1n);
      b.buffer.fence();
      b.buffer.store('plain', 2, 2n);
      b.buffer.drainAllBut(1);
      expect(b.memory[2]).toBe(2n);
    }
  });

  test('two plain stores to different entries become visible in both orders', () => {
    expect(
      ordersOf([
        ['plain', 1],
        ['plain', 2],
      ]),
    ).toEqual(new Set(['1 2', '2 1']));
  });

  test('each order is common enough to show in a short run', () => {
    const swapped = SEEDS.filter((seed) => {
      const b = benchOf(seed);
      b.buffer.store('plain', 1, 1n);
      b.buffer.store('plain', 2, 2n);
      b.settle();
      return b.commits[0] === 2;
    }).length;
    expect(swapped).toBeGreaterThan(SEEDS.length / 4);
    expect(swapped).toBeLessThan((SEEDS.length * 3) / 4);
  });

  test('two stores to one entry keep theirs', () => {
    for (const seed of SEEDS) {
      const b = benchOf(seed);
      b.buffer.store('plain', 1, 10n);
      b.buffer.store('plain', 1, 11n);
      b.settle();
      expect(b.memory[1]).toBe(11n);
      expect(b.commits).toEqual([1, 1]);
    }
  });

  test('a release waits for everything before it', () => {
    const orders = ordersOf([
      ['plain', 1],
      ['plain', 2],
      ['release', 3],
    ]);
    expect(orders).toEqual(new Set(['1 2 3', '2 1 3']));
  });

  test('a later plain store may pass a release, a later release may not', () => {
    expect(
      ordersOf([
        ['release', 1],
        ['plain', 2],
      ]),
    ).toEqual(new Set(['1 2', '2 1']));
    expect(
      ordersOf([
        ['release', 1],
        ['release', 2],
      ]),
    ).toEqual(new Set(['1 2']));
  });

  test('drainAll and the drains of a DSB choose among the same orders', () => {
    const orders = new Set(
      SEEDS.map((seed) => {
        const b = benchOf(seed);
        b.buffer.store('plain', 1, 1n);
        b.buffer.store('plain', 2, 2n);
        b.buffer.store('release', 3, 3n);
        b.buffer.drainAll();
        return b.commits.join(' ');
      }),
    );
    expect(orders).toEqual(new Set(['1 2 3', '2 1 3']));
  });
});

describe('visibility', () => {
  test('a store is invisible until it drains; its own thread sees the newest', () => {
    const { buffer, memory } = benchOf(1);
    expect(buffer.forward(5)).toBe(null);
    buffer.store('plain', 5, 7n);
    buffer.store('release', 5, 8n);
    expect([memory[5], buffer.forward(5), buffer.forward(4)]).toEqual([0n, 8n, null]);
    buffer.drainAll();
    expect([memory[5], buffer.forward(5)]).toEqual([8n, null]);
  });

  test('stores drain by themselves only now and then', () => {
    const first = SEEDS.map((seed) => {
      const b = benchOf(seed);
      b.buffer.store('plain', 1, 1n);
      b.buffer.mayDrain();
      return b.commits.length;
    });
    expect(new Set(first)).toEqual(new Set([0, 1]));
  });

  test('an empty buffer drains nothing', () => {
    const b = benchOf(3);
    b.buffer.mayDrain();
    b.buffer.drainAll();
    b.buffer.drainAllBut(1);
    expect(b.commits).toEqual([]);
  });

  test('drainAllBut keeps the stores to one entry and what must come after them', () => {
    const b = benchOf(4);
    b.buffer.store('plain', 1, 1n);
    b.buffer.store('plain', 2, 2n);
    b.fill(2, [1n, 2n, 3n, 4n]);
    b.buffer.store('plain', 1, 3n);
    b.buffer.store('release', 3, 4n);
    b.buffer.drainAllBut(1);
    expect([...b.memory]).toEqual([0n, 0n, 2n, 0n, 0n, 0n, 0n, 0n, 1n, 2n, 3n, 4n]);
    expect([b.buffer.forward(1), b.buffer.forward(2), b.buffer.forward(3)]).toEqual([3n, null, 4n]);
    b.buffer.drainAll();
    expect([...b.memory.subarray(0, 4)]).toEqual([0n, 3n, 2n, 4n]);
  });
});

describe('a filled page', () => {
  const contents = [1n, 2n, 3n, 4n];

  test('shows what was there before until it drains, to all but its own thread', () => {
    const b = benchOf(5);
    const { buffer, memory } = b;
    b.fill(1, contents);
    expect([...memory]).toEqual([0n, 0n, 0n, 0n, ...Array(4).fill(BEFORE), 0n, 0n, 0n, 0n]);
    expect([4, 5, 6, 7].map((e) => buffer.forward(e))).toEqual(contents);
    expect([buffer.forward(3), buffer.forward(8)]).toEqual([null, null]);
    buffer.drainAll();
    expect([...memory.subarray(4, 8)]).toEqual(contents);
    expect(buffer.forward(4)).toBe(null);
  });

  test('is visible before a release that links it, perhaps not before a plain store', () => {
    const visibleWhenLinked = (kind: 'plain' | 'release'): Set<boolean> =>
      new Set(
        SEEDS.map((seed) => {
          const b = benchOf(seed);
          b.fill(1, contents);
          b.buffer.store(kind, 0, 99n);
          while (b.memory[0] !== 99n) b.buffer.mayDrain();
          return b.memory[4] === 1n;
        }),
      );
    expect(visibleWhenLinked('release')).toEqual(new Set([true]));
    expect(visibleWhenLinked('plain')).toEqual(new Set([true, false]));
  });

  test('keeps its order with stores to its entries, before and after', () => {
    for (const seed of SEEDS) {
      const b = benchOf(seed);
      b.buffer.store('plain', 4, 50n);
      b.fill(1, contents);
      b.buffer.store('plain', 5, 60n);
      expect([b.buffer.forward(4), b.buffer.forward(5)]).toEqual([1n, 60n]);
      b.settle();
      expect([...b.memory.subarray(4, 8)]).toEqual([1n, 60n, 3n, 4n]);
    }
  });

  test('filled twice shows the second contents', () => {
    for (const seed of SEEDS.slice(0, 50)) {
      const b = benchOf(seed);
      b.fill(1, contents);
      b.fill(1, [9n, 9n, 9n, 9n]);
      b.settle();
      expect([...b.memory.subarray(4, 8)]).toEqual([9n, 9n, 9n, 9n]);
    }
  });
});

describe('a barrier', () => {
  afterEach(() => vi.restoreAllMocks());

  /** How often the clock is read over all seeds, which only a pause does. */
  function pausesOver(stores: number): number {
    const now = vi.spyOn(performance, 'now');
    for (const seed of SEEDS) {
      const b = benchOf(seed);
      for (let i = 0; i < stores; i++) b.buffer.store('plain', i, 1n);
      b.buffer.drainAll();
    }
    return now.mock.calls.length;
  }

  test('with one store to wait for does not linger, with more it does now and then', () => {
    expect(pausesOver(1)).toBe(0);
    expect(pausesOver(2)).toBeGreaterThan(SEEDS.length / 10);
  });
});

describe('a TLBI', () => {
  /** Orders of effects over all seeds, of `issue` and then `drain`. */
  function effectsOf(issue: (b: StoreBuffer) => void, drain: (b: Bench) => void): Set<string> {
    return new Set(
      SEEDS.map((seed) => {
        const b = benchOf(seed);
        issue(b.buffer);
        drain(b);
        return b.effects.join(' ');
      }),
    );
  }

  test('takes effect before or after stores on either side of it', () => {
    const issue = (b: StoreBuffer): void => {
      b.store('plain', 1, 1n);
      b.tlbi({ kind: 'vmalls12e1is' });
      b.store('release', 2, 2n);
    };
    const orders = ['1 2 vmalls12e1is', '1 vmalls12e1is 2', 'vmalls12e1is 1 2'];
    expect([...effectsOf(issue, (b) => b.settle())].toSorted()).toEqual(orders);
    expect([...effectsOf(issue, (b) => b.buffer.drainAll())].toSorted()).toEqual(orders);
  });

  test('is not ordered with another one', () => {
    const issue = (b: StoreBuffer): void => {
      b.tlbi({ kind: 'ipas2e1is', ipa: 0 });
      b.tlbi({ kind: 'vmalle1is' });
    };
    const both = new Set(['ipas2e1is vmalle1is', 'vmalle1is ipas2e1is']);
    expect(effectsOf(issue, (b) => b.buffer.drainAll())).toEqual(both);
  });

  test('waits for a barrier over loads and stores, not for one over stores', () => {
    const issue = (b: StoreBuffer): void => {
      b.tlbi({ kind: 'vmalle1is' });
      b.store('plain', 1, 1n);
      b.store('release', 2, 1n);
    };
    expect(effectsOf(issue, (b) => b.buffer.drainStores())).toEqual(new Set(['1 2']));
    expect(effectsOf(issue, (b) => b.buffer.drainAllBut(2))).toEqual(new Set(['1']));
  });
});

test('the thread itself always sees program order, and so does memory once drained', () => {
  const entry = fc.nat(PAGES * ENTRIES - 1);
  const value = fc.bigInt(0n, 2n ** 64n - 1n);
  const op = fc.oneof(
    fc.record({ op: fc.constantFrom('plain' as const, 'release' as const), entry, value }),
    fc.record({ op: fc.constant('fill' as const), entry, value }),
    fc.record({ op: fc.constantFrom('may' as const, 'but' as const), entry, value }),
  );
  fc.assert(
    fc.property(fc.array(op, { maxLength: 40 }), fc.integer(), (ops, seed) => {
      const b = benchOf(seed);
      const model = new BigUint64Array(PAGES * ENTRIES);
      for (const o of ops) {
        if (o.op === 'may') b.buffer.mayDrain();
        else if (o.op === 'but') b.buffer.drainAllBut(o.entry);
        else if (o.op === 'fill') {
          const page = o.entry % PAGES;
          const contents = [0n, 1n, 2n, 3n].map((i) => (o.value + i) & 0xffffn);
          b.fill(page, contents);
          model.set(contents, page * ENTRIES);
        } else {
          b.buffer.store(o.op, o.entry, o.value);
          model[o.entry] = o.value;
        }
        for (let e = 0; e < model.length; e++) {
          expect(b.buffer.forward(e) ?? b.memory[e]).toBe(model[e]);
        }
      }
      b.buffer.drainAll();
      expect([...b.memory]).toEqual([...model]);
    }),
    { numRuns: 400 },
  );
});
