/** Protocols that are none: what their author hears. */
import { describe, expect, it } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import {
  type Cpu,
  EMPTY,
  type Entry,
  flushVmid,
  LOCKED,
  type Tables,
  type Transition,
} from '../../../src/port/index.ts';
import bbmEarly from '../../../src/protocols/bbm-early.ts';
import { exploreProtocol, glanceAt, processorMs } from '../../../src/explore/protocol/index.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import {
  runBegins,
  TimeLimit,
  underOneLimit,
  underWatch,
  withTimeLimit,
} from '../../../src/explore/protocol/run/time-limit.ts';
import { bbmEarlyWith, changed, exploreLoads, type Run } from './fixtures.ts';

const told = (run: Run) => (): unknown => exploreLoads(changed('bbm-early', run));

describe('a protocol', () => {
  it('that throws is named, with its line', () => {
    expect(
      told(() => {
        throw new Error('boom');
      }),
    ).toThrow(/^protocol changed threw: boom \(.*odd-protocols\.test\.ts:\d+:\d+\)$/);
  });

  it('that never comes back is ended in time for a word within three seconds', () => {
    const loops = told(() => {
      for (;;);
    });
    expect(loops).toThrow(
      'protocol changed did not return within 1 s: a loop without an operation of the port?',
    );
  });

  it('that passes nonsense hears what would be right, at its own line', () => {
    const nonsense = told((cpu) => cpu.tlbi({ kind: 'vmall' as never }));
    expect(nonsense).toThrow(
      /^protocol changed threw: no TLBI is called "vmall"; there are vmalls12e/,
    );
    expect(nonsense).toThrow(/\(.*odd-protocols\.test\.ts:\d+:\d+\)$/);
  });

  it.each<[string, Run, string]>([
    [
      'behind the entry',
      (cpu, t) => cpu.write((t.entry + 1) as Entry, t.wanted),
      'write: t.entry+1 lies beside the entry',
    ],
    [
      'before the entry',
      (cpu, t) => void cpu.compareExchange((t.entry - 1) as Entry, EMPTY, LOCKED),
      'compareExchange: t.entry-1 lies beside the entry',
    ],
    [
      'behind the end of a table page',
      (cpu, t, tables) => void cpu.read((tables.entryOf(tables.follow(t.old), 1) + 1) as Entry),
      'read: a table page has entries 0 to 1, not 2',
    ],
    [
      'far behind it',
      (cpu, t, tables) => void cpu.read((tables.entryOf(tables.follow(t.old), 0) + 511) as Entry),
      'read: a table page has entries 0 to 1, not 511',
    ],
    [
      'before its begin',
      (_cpu, t, tables) => tables.put((tables.entryOf(tables.follow(t.old), 0) - 1) as Entry),
      'put: a table page has entries 0 to 1, not -1',
    ],
  ])('that touches what lies %s hears so', (_, run, why) => {
    expect(told(run)).toThrow(`protocol changed threw: ${why}`);
  });

  it('that goes from entry to entry of a page is none of these', () => {
    const steps = (cpu: Cpu, t: Transition, tables: Tables): void => {
      const first = tables.entryOf(tables.follow(t.old), 0);
      expect(first + 1).toBe(tables.entryOf(tables.follow(t.old), 1));
      cpu.read((first + 1) as Entry);
    };
    const run = exploreLoads(
      changed('bbm-early', (cpu, t, tables) => {
        steps(cpu, t, tables);
        return bbmEarly.run(cpu, t, tables);
      }),
    );
    expect(run.verdict).toBe('safe');
  });

  it('that follows no table hears so, without the words of an assertion', () => {
    const lost = told((_cpu, _t, tables) => void tables.follow(EMPTY));
    expect(lost).toThrow(/^protocol changed threw: descriptor 0x0 points to no table page \(/);
  });

  it('that links a table one level too high sends walks where no table page is', () => {
    const run = exploreProtocol({
      protocol: changed('bbm-early', (cpu, t, tables) => {
        const lowest = tables.follow(cpu.read(tables.entryOf(tables.follow(t.old), 0)));
        cpu.write(t.entry, EMPTY);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, tables.descriptorFor(lowest));
      }),
      level: 1,
      kinds: ['load'],
    });
    const stray = run.violations.find(({ rule }) => rule === 'wrong-output-address');
    expect(stray?.why).toContain('points to no table page');
    expect(stray?.steps.at(-1)?.detail).toBe('page 0 through what lies where no table page is');
  });

  it.each<[string, () => boolean]>([
    ['by chance', () => Math.random() < 0.5],
    [
      'by how often it ran',
      (
        (n) => () =>
          n++ % 60 === 59
      )(0),
    ],
  ])('that decides %s cannot be explored', (_, skips) => {
    const protocol = bbmEarlyWith((cpu) => {
      if (!skips()) flushVmid(cpu);
    });
    expect(() => exploreLoads(protocol)).toThrow(
      /^protocol changed cannot be explored: (it does not do the same|Math\.random\(\) is not there)/,
    );
  });

  it('whose compare-exchange can never succeed is judged by what it does all the same', () => {
    const run = exploreLoads(
      changed('bbm-early', (cpu, t) => {
        cpu.compareExchange(t.entry, EMPTY, LOCKED);
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
      }),
    );
    expect(run.violations[0]?.why).toMatch(/^valid to valid without break: table replaced/);
  });
});

it('a protocol of many ways is run as often as one of a few', () => {
  let runs = 0;
  // It reads four pages that walkers update: 36 ways, and 57 runs for each of 129 trees.
  const late = changed('bbm-early', (cpu, t, tables) => {
    if (++runs > 5000) cpu.dsb('ish');
    bbmEarly.run(cpu, t, tables);
  });
  const map = new MemoryMap('coalesce', 1, EXPLORE_BOUNDS.tables, { hafdbs: true });
  expect(() => unrollHost(late, map, 1, 1, EXPLORE_BOUNDS)).toThrow(
    'it does not do the same again',
  );
});

it('a look at one in a thread that is watched waits for whoever watches', () => {
  let longMs = 1500;
  const slow = changed('bbm-early', (cpu, t, tables) => {
    const endMs = processorMs() + longMs;
    while (processorMs() < endMs);
    longMs = 0;
    bbmEarly.run(cpu, t, tables);
  });
  expect(glanceAt(slow, DEFAULT_CPU, 2)).toEqual([]);
  expect(longMs).toBe(0);
});

describe('a time limit', () => {
  it('ends code that never comes back', () => {
    const spin = (): never => {
      for (;;);
    };
    expect(() => withTimeLimit(20, spin)).toThrow(TimeLimit);
  });

  it('passes on what the code returns or throws', () => {
    expect(withTimeLimit(1000, () => ({ answer: 42 }))).toEqual({ answer: 42 });
    const error = new RangeError('mine');
    expect(() =>
      withTimeLimit(1000, () => {
        throw error;
      }),
    ).toThrow(error);
    expect(withTimeLimit(1000, () => withTimeLimit(1000, () => 7))).toBe(7);
  });

  it('leaves what goes on from run to run the time it takes', () => {
    const busy = (ms: number, step: () => void): void => {
      const endMs = processorMs() + ms;
      while (processorMs() < endMs) step();
    };
    const ways = (): string => {
      busy(500, runBegins);
      return 'all of them';
    };
    // Of one that began not long ago, up to half of the limit, nobody knows that it stays.
    const longLast = (): string => {
      busy(110, runBegins);
      busy(100, () => {});
      return 'both';
    };
    expect(withTimeLimit(200, longLast)).toBe('both');
    expect(withTimeLimit(20, ways)).toBe('all of them');
    expect(() => withTimeLimit(20, () => busy(2000, () => {}))).toThrow(TimeLimit);
  });

  it('is none where somebody watches, and again one afterwards', () => {
    const spin = (): never => {
      for (;;);
    };
    const busy = (): string => {
      const endMs = processorMs() + 200;
      while (processorMs() < endMs);
      return 'done';
    };
    expect(underWatch(() => withTimeLimit(20, () => underWatch(busy)))).toBe('done');
    expect(() => withTimeLimit(20, spin)).toThrow(TimeLimit);
  });

  it('of many parts ends the one that never comes back, by its own name and after the others', () => {
    const spin = (): never => {
      for (;;);
    };
    const done: string[] = [];
    const parts = (): void => {
      done.push(withTimeLimit(1000, () => 'first'));
      withTimeLimit(20, spin);
    };
    expect(() => underOneLimit(parts)).toThrow('did not return within 0.02 s');
    // Together, once or more often, and each by itself.
    expect(done.length).toBeGreaterThanOrEqual(2);
    // Whatever ended, what comes next has a limit again.
    expect(() => withTimeLimit(20, spin)).toThrow(TimeLimit);
    expect(underOneLimit(() => withTimeLimit(1000, () => underOneLimit(() => 7)))).toBe(7);
    expect(() => underOneLimit(() => expect(withTimeLimit(1000, () => 1)).toBe(2))).toThrow('be 2');
    expect(() => withTimeLimit(20, spin)).toThrow(TimeLimit);
  });
});
