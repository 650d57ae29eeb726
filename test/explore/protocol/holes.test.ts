/** Tables that have holes already: what an unmap owes for them, which is nothing, and for the rest. */
import { expect, test } from 'vitest';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import {
  childLevel,
  type Cpu,
  defineProtocol,
  EMPTY,
  flushGathered,
  flushIpa,
  gathered,
  isHole,
  isValid,
  NOTHING_GATHERED,
  type Protocol,
} from '../../../src/port/index.ts';
import { shownRules } from './fixtures.ts';

/** What is done with the leaf at `index`, cleared or a hole; the entry of the table comes after, by IPA. */
interface Walk {
  readonly looksAt?: (index: number) => boolean;
  readonly onLeaf?: (cpu: Cpu, ipa: number, bytes: number) => void;
  readonly onHole?: () => 'put' | 'nothing';
  readonly atEnd?: (cpu: Cpu) => void;
}

function unmapping(begin: () => Walk): Protocol {
  return defineProtocol({
    name: 'mine',
    kind: 'unmap',
    form: 'unmap-sparse',
    summary: 's',
    origin: 'o',
    claims: {},
    run(cpu, t, tables) {
      const { looksAt = () => true, onLeaf, onHole, atEnd } = begin();
      const table = tables.follow(t.old);
      const bytes = t.size / tables.entries;
      for (let index = 0; index < tables.entries; index++) {
        if (!looksAt(index)) continue;
        const entry = tables.entryOf(table, index);
        if (isValid(cpu.read(entry))) {
          cpu.write(entry, EMPTY);
          tables.put(entry);
          onLeaf?.(cpu, t.ipa + index * bytes, bytes);
        } else if (onHole?.() === 'put') tables.put(entry);
      }
      atEnd?.(cpu);
      cpu.write(t.entry, EMPTY);
      flushIpa(cpu, t.ipa, 0);
      tables.put(t.entry);
      tables.freeNow(table);
    },
  });
}

/** A gather of the leaves; `isCut`: it ends at a hole, once it has begun or in any case. */
function gathering(isCut: (hasBegun: boolean) => boolean): Protocol {
  return unmapping(() => {
    let gather = NOTHING_GATHERED;
    let isOpen = true;
    return {
      onLeaf: (_, ipa, bytes) => {
        if (isOpen) gather = gathered(gather, ipa, bytes, 3, 'leaf');
      },
      onHole: () => {
        if (isCut(gather.end > 0)) isOpen = false;
        return 'nothing';
      },
      atEnd: (cpu) => flushGathered(cpu, gather, 'range'),
    };
  });
}

/** The table is taken off first, then an operation for each page that it mapped. */
const entryFirst = (ttl: 2 | 3): Protocol =>
  defineProtocol({
    ...unmapping(() => ({})),
    run(cpu, t, tables) {
      const table = tables.follow(t.old);
      cpu.write(t.entry, EMPTY);
      tables.put(t.entry);
      const bytes = t.size / tables.entries;
      for (let index = 0; index < tables.entries; index++) {
        if (isValid(cpu.read(tables.entryOf(table, index))))
          flushIpa(cpu, t.ipa + index * bytes, ttl);
      }
      tables.tearDown(table, childLevel(t.level));
    },
  });

const flushed = { onLeaf: (cpu: Cpu, ipa: number): void => flushIpa(cpu, ipa, 3) };
const explored = (protocol: Protocol) => exploreProtocol({ protocol });

test('a table of two has a hole before its page, a longer one also in the middle and at its end', () => {
  const holesOf = (n: number): number[] => [...Array(n).keys()].filter((i) => isHole(i, n));
  expect([2, 4, 512].map(holesOf)).toEqual([[0], [0, 2, 3], [0, 256, 511]]);
});

test.each([
  ['an operation for each page that was mapped', unmapping(() => flushed)],
  ['the same once the table was taken off', entryFirst(3)],
  ['one range from the first to the last page that was mapped', gathering(() => false)],
])('no flush is owed for a hole: %s', (_, protocol) => {
  const run = explored(protocol);
  expect([run.verdict, run.violations]).toEqual(['safe', []]);
});

test('a gather that ends at a hole forgets what comes after', () => {
  const run = explored(gathering(() => true));
  expect(shownRules(run)).toContain('stale-translation');
  expect(run.violations.map(({ rule }) => rule)).toContain('break-before-make');
});

test('the table that has them is owed one all the same', () => {
  expect(shownRules(explored(entryFirst(2)))).toContain('freed-table');
});

test('where only a longer table shows it, the operations in the real granules do', () => {
  const { violations } = explored(gathering((hasBegun) => hasBegun));
  expect(violations.map(({ rule }) => rule)).toEqual(['break-before-make']);
  expect(violations[0]?.why).toMatch(/^in the 4K granule, .*what entry 257 of the old table held/);
});

test('who leaves an entry out without a look cannot know that it is a hole', () => {
  const run = explored(unmapping(() => ({ ...flushed, looksAt: (index) => index > 0 })));
  expect(run.violations.map(({ rule }) => rule)).toContain('break-before-make');
  expect(shownRules(run)).toEqual([]);
});

test('a hole is not counted', () => {
  const run = explored(unmapping(() => ({ ...flushed, onHole: () => 'put' })));
  expect(run.violations.map(({ rule }) => rule)).toContain('refcount');
});
