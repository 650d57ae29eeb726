/** A DMB orders stores and loads as the kernel's smp_wmb() does, and completes no TLBI. */
import { expect, test } from 'vitest';
import { exploreProtocol } from '../../../src/explore/protocol/index.ts';
import {
  childLevel,
  type Cpu,
  defineProtocol,
  type DmbKind,
  flushVmid,
  type Protocol,
  VALID,
} from '../../../src/port/index.ts';

/** A split whose table nothing orders but `order`, linked by a plain store. */
const direct = (order: (cpu: Cpu) => void): Protocol => ({
  name: 'plain-link',
  kind: 'split',
  summary: 'fill, link plainly, flush',
  origin: 'a test',
  cpu: { bbm: [2] },
  claims: { handlesConflict: true },
  run(cpu, t, tables) {
    const table = tables.allocate(childLevel(t.level));
    for (const index of [0, 1]) {
      const entry = tables.entryOf(table, index);
      cpu.write(entry, tables.childLeaf(t.wanted, t.level, index));
      tables.get(entry);
    }
    order(cpu);
    cpu.write(t.entry, tables.descriptorFor(table));
    flushVmid(cpu);
  },
});

test.each<[DmbKind | null, 'safe' | 'violated']>([
  ['ish', 'safe'],
  ['ishst', 'safe'],
  ['ishld', 'violated'],
  [null, 'violated'],
])('a table linked by a plain store after DMB %s is %s', (kind, verdict) => {
  const run = exploreProtocol({ protocol: direct((cpu) => kind !== null && cpu.dmb(kind)) });
  expect(run.verdict, run.violation?.why).toBe(verdict);
});

test('a DMB in place of the DSBs of a flush completes nothing', () => {
  const run = exploreProtocol({
    protocol: defineProtocol({
      name: 'dmb-only',
      kind: 'coalesce',
      summary: 'invalidate, DMB, TLBI, DMB, block',
      origin: 'a test',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dmb('ish');
        cpu.tlbi({ kind: 'vmalls12e1is' });
        cpu.dmb('ish');
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
      },
    }),
  });
  expect(run.verdict).toBe('violated');
  expect(run.violations.map(({ rule }) => rule)).toContain('break-before-make');
});
