/** Scripts against a log of answers, and the trees they give. */
import { describe, expect, it } from 'vitest';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import { Recording, type Script } from '../../../src/explore/protocol/run/recording.ts';
import {
  NotDeterministic,
  unroll,
  type Unrolled,
} from '../../../src/explore/protocol/run/unroll.ts';
import type { Node } from '../../../src/explore/model/index.ts';

const INITIAL = [10n, 20n];

function unrolled(script: Script, othersMayStore: readonly bigint[] = []): Unrolled {
  return unroll({
    script,
    initial: INITIAL,
    othersMayStore: () => othersMayStore,
    isRead: () => true,
    valueOf: Number,
    tlbiOf: () => 0,
    receiversOf: () => [1, 2],
    bounds: EXPLORE_BOUNDS,
  });
}

/** `write 0=1; rmw 0 [10: 5, 11: -]; …`, one way through the tree for each answer. */
function waysOf(node: Node): string[] {
  switch (node.kind) {
    case 'end':
      return [`end ${node.outcome}`];
    case 'write': {
      const [next] = node.next.values();
      const to = node.target.kind === 'location' ? node.target.location : '?';
      const order = node.release ? 'release' : 'write';
      return next === undefined
        ? []
        : waysOf(next).map((w) => `${order} ${to}=${node.value}; ${w}`);
    }
    case 'read':
      return [...node.next].flatMap(([value, next]) =>
        waysOf(next).map((w) => `read ${value}; ${w}`),
      );
    case 'rmw':
      return [...node.next].flatMap(([value, branch]) =>
        [...branch.next.values()].flatMap((next) =>
          waysOf(next).map((w) => `cas ${value} stores ${branch.value}; ${w}`),
        ),
      );
    case 'choice':
      return node.alternatives.flatMap(waysOf);
    case 'dsb':
      return waysOf(node.next).map((w) => `dsb ${node.covers}; ${w}`);
    case 'tlbi':
      return waysOf(node.next).map((w) => `tlbi to ${node.receivers.join(' ')}; ${w}`);
    default:
      return waysOf(node.next).map((w) => `${node.kind}; ${w}`);
  }
}

describe('a recording', () => {
  it('stops at the first read past its log', () => {
    const recording = new Recording(INITIAL, [10n], 96, (r) => {
      r.write(1, r.read(0), false);
      r.read(1);
      r.isb();
    });
    expect(recording.operations.map(({ kind }) => kind)).toEqual(['read', 'write', 'read']);
    expect(recording.pending).toBe(true);
    expect(recording.memory).toEqual([10n, 10n]);
  });

  it('does not hear a script that goes on after it was stopped', () => {
    const recording = new Recording(INITIAL, [], 96, (r) => {
      try {
        r.read(0);
      } catch {
        r.write(0, 1n, false);
      }
    });
    expect(recording.operations).toHaveLength(1);
    expect(recording.memory).toEqual(INITIAL);
  });

  it('passes on what a script throws by itself', () => {
    const script = (): never => {
      throw new Error('its own');
    };
    expect(() => new Recording(INITIAL, [], 96, script)).toThrow('its own');
  });

  it('has room for so many operations', () => {
    const endless: Script = (r) => {
      for (;;) r.isb();
    };
    expect(() => new Recording(INITIAL, [], 96, endless)).toThrow('more than 96 operations');
  });
});

describe('a tree', () => {
  it('is a line without reads', () => {
    const tree = unrolled((r) => {
      r.write(0, 1n, false);
      r.dsb('ishst');
      r.tlbi({ kind: 'vmalls12e1is' });
      r.dsb('ish');
      r.isb();
      r.write(1, 2n, true);
    });
    const line = 'write 0=1; dsb store; tlbi to 1 2; dsb full; isb; release 1=2; end 0';
    expect(waysOf(tree.root)).toEqual([line]);
    expect(tree.paths[0]?.memory).toEqual([1n, 2n]);
  });

  it('branches over what a read may get', () => {
    const tree = unrolled((r) => (r.read(0) === 10n ? r.write(1, 1n, false) : r.isb()), [11n]);
    expect(waysOf(tree.root)).toEqual(['read 10; write 1=1; end 0', 'read 11; isb; end 1']);
    expect(tree.reads).toBe(1);
  });

  it('knows that nobody else stored', () => {
    const tree = unrolled((r) => {
      r.write(0, 1n, false);
      r.read(0);
    });
    expect(waysOf(tree.root)).toEqual(['write 0=1; read 1; end 0']);
  });

  it('tells a compare-exchange that stored from one that did not', () => {
    const tree = unrolled(
      (r) => {
        if (r.compareExchange(0, 10n, 5n) === 10n) r.write(1, 1n, false);
      },
      [11n],
    );
    expect(waysOf(tree.root)).toEqual([
      'cas 10 stores 5; write 1=1; end 0',
      'cas 11 stores null; end 1',
    ]);
  });

  it('ignores Non-shareable barriers, which order nothing as others see it', () => {
    expect(waysOf(unrolled((r) => r.dsb('nsh')).root)).toEqual(['end 0']);
  });

  it('is only given by a script that does the same again', () => {
    let runs = 0;
    const moody: Script = (r) => {
      r.write(0, BigInt(runs++), false);
      r.read(0);
    };
    expect(() => unrolled(moody)).toThrow(NotDeterministic);
  });
});
