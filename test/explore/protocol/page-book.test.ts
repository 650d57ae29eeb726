/** Table pages that a protocol leaks, frees or counts wrongly: found from its own operations. */
import { describe, expect, it } from 'vitest';
import {
  childLevel,
  type Cpu,
  type Descriptor,
  EMPTY,
  flushVmid,
  LOCKED,
  type Protocol,
  type Tables,
  type Transition,
} from '../../../src/port/index.ts';
import { changed, exploreLoads } from './fixtures.ts';

type End = (tables: Tables, t: Transition, cpu: Cpu) => void;

/** Break-before-make with its last steps replaced. */
function ending(end: End, over: Partial<Protocol> = {}): Protocol {
  return changed(
    'bbm-early',
    (cpu, t, tables) => {
      cpu.write(t.entry, EMPTY);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted);
      end(tables, t, cpu);
      cpu.dsb('ishst');
    },
    over,
  );
}

const found = (protocol: Protocol): string[] =>
  exploreLoads(protocol).violations.map(({ rule, why }) => `${rule}: ${why}`);

const tearDown: End = (tables, t) => tables.tearDown(tables.follow(t.old), childLevel(t.level));

describe('the pages of a transition', () => {
  it('are in order', () => {
    expect(found(ending(tearDown))).toEqual([]);
    const later: End = (tables, t) => {
      tables.tearDownBelow(tables.follow(t.old), childLevel(t.level));
      tables.freeNow(tables.follow(t.old));
    };
    expect(found(ending(later))).toEqual([]);
  });

  it.each<[string, End, RegExp[]]>([
    ['the old one leaks', () => {}, [/^table-leak: 1 table page is .* at the end: the old table$/]],
    [
      'a spare one leaks',
      (tables, t, cpu) => {
        tables.allocate(3);
        tearDown(tables, t, cpu);
      },
      [/^table-leak: 1 table page is .*: table 1$/],
    ],
    [
      'the old one is freed twice',
      (tables, t, cpu) => {
        tearDown(tables, t, cpu);
        tearDown(tables, t, cpu);
      },
      [/^freed-table: old table freed twice/, /^refcount: the old table is freed twice$/],
    ],
    [
      'the old one is freed with entries in it',
      (tables, t) => tables.freeNow(tables.follow(t.old)),
      [/^refcount: the old table is freed with count 3, but it should be 1$/],
    ],
    [
      'a put too many',
      (tables, t, cpu) => {
        tables.put(t.entry);
        tearDown(tables, t, cpu);
      },
      [/^refcount: the page that holds the entry ends with a count of 1 too few/],
    ],
    [
      'a get too many',
      (tables, t, cpu) => {
        tables.get(t.entry);
        tearDown(tables, t, cpu);
      },
      [/^refcount: the page that holds the entry ends with a count of 1 too many/],
    ],
    [
      'a count of a page that is free',
      (tables, t, cpu) => {
        tearDown(tables, t, cpu);
        tables.put(tables.entryOf(tables.follow(t.old), 0));
      },
      [/^refcount: put of an entry of the old table, which is free$/],
    ],
    [
      'a teardown at the wrong level',
      (tables, t) => tables.tearDown(tables.follow(t.old), t.level),
      [/^freed-table: old table torn down as a table of level 2, but its entries are of level 3$/],
    ],
  ])('are not: %s', (_, end, expected) => {
    const violations = found(ending(end));
    expect(violations).toHaveLength(expected.length);
    for (const [i, pattern] of expected.entries()) expect(violations[i]).toMatch(pattern);
  });

  it('are counted in a new table too', () => {
    const protocol = changed('split-eager', (cpu, t, tables) => {
      const table = tables.allocate(childLevel(t.level));
      for (let i = 0; i < tables.entries; i++) {
        cpu.write(tables.entryOf(table, i), tables.childLeaf(t.wanted, t.level, i));
      }
      cpu.write(t.entry, EMPTY);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
    });
    expect(found(protocol)).toEqual([
      'refcount: table 0 ends with count 1, but 1 + its valid entries is 3: a get is missing or a ' +
        'put too many',
    ]);
  });
});

describe('a protocol that loses the entry to another vCPU', () => {
  const split = (onLoss: (tables: Tables, table: ReturnType<Tables['allocate']>) => boolean) =>
    changed(
      'split-eager',
      (cpu, t, tables) => {
        const table = tables.buildSubtree(t.level, t.wanted);
        const won = cpu.compareExchange(t.entry, t.old, LOCKED) === t.old;
        if (!won && onLoss(tables, table)) return;
        flushVmid(cpu);
        cpu.writeRelease(t.entry, tables.descriptorFor(table));
      },
      { lock: 'shared' },
    );

  it('gives back what it made', () => {
    const back = split((tables, table) => {
      tables.tearDown(table, 3);
      return true;
    });
    expect(found(back)).toEqual([]);
    expect(found(split(() => true))).toEqual([
      'table-leak: when its compare-exchange finds LOCKED: 1 table page is neither freed nor ' +
        'reachable at the end: table 0',
    ]);
  });

  it('does not go on as if it had won', () => {
    expect(found(split(() => false))[0]).toMatch(
      /^break-before-make: when its compare-exchange finds LOCKED: store-release to an entry that is/,
    );
    const frees = ending(tearDown, {
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        const won = cpu.compareExchange(t.entry, t.old, LOCKED) === t.old;
        if (won) {
          flushVmid(cpu);
          cpu.writeRelease(t.entry, t.wanted);
        }
        tables.tearDownAfterGrace(child, childLevel(t.level));
      },
    });
    expect(found(frees)).toEqual([
      expect.stringMatching(/^freed-table: .*that one frees it as well$/),
    ]);
  });

  /** Asks for the entry until it has it, or finds what `givesWayTo` says of. */
  const asking = (givesWayTo: (found: Descriptor) => boolean): Protocol =>
    ending(tearDown, {
      lock: 'shared',
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        for (let found = LOCKED; found !== t.old;) {
          found = cpu.compareExchange(t.entry, t.old, LOCKED);
          if (found !== t.old && givesWayTo(found)) return;
        }
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDownAfterGrace(child, childLevel(t.level));
      },
    });

  it('may wait until the winner is done', () => {
    expect(found(asking((other) => other !== LOCKED))).toEqual([]);
    expect(found(asking(() => true))).toEqual([]);
  });

  it('does not wait for the old table, which the winner has replaced', () => {
    expect(found(asking(() => false))).toEqual([
      expect.stringMatching(/^progress: whoever loses the race for the entry never ends: /),
    ]);
  });
});
