/**
 * Protocols beside walkers that set access flag and dirty state (FEAT_HAFDBS): what is lost, what is
 * not, and what lands in pages that are somebody else's.
 */
import { describe, expect, it } from 'vitest';
import { AF, attributesOf, DBM, isTable, S2AP_W } from '../../../src/arch/descriptor.ts';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import { parseCpu } from '../../../src/request/cpu-knobs.ts';
import { EXPLORE_BOUNDS } from '../../../src/explore/protocol/machine/bounds.ts';
import { decodeToken, exploreProtocol, replayToken } from '../../../src/explore/protocol/index.ts';
import { MemoryMap } from '../../../src/explore/protocol/machine/memory-map.ts';
import { unrollHost } from '../../../src/explore/protocol/run/host.ts';
import { scenarioOf } from '../../../src/explore/protocol/run/scenario.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import {
  childLevel,
  type Cpu,
  flushIpa,
  flushVmid,
  LOCKED,
  VALID,
} from '../../../src/port/index.ts';
import type { Entry, Protocol, Tables } from '../../../src/port/index.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { builtin, changed, type Run, shownRules } from './fixtures.ts';

const HAFDBS = { hafdbs: true } as const;

const onUpdatingCpu = (protocol: Protocol): ExploreRun =>
  exploreProtocol({ protocol, cpu: HAFDBS });

/** Break-before-make that installs the block with the state of its pages, merged at some moment. */
function merging(when: 'before the break' | 'after the flush', flush = flushVmid): Protocol {
  const run: Run = (cpu, t, tables) => {
    const child = tables.follow(t.old);
    const merged = (): bigint => tables.mergeState(t.wanted, child, childLevel(t.level));
    const early = when === 'before the break' ? merged() : null;
    cpu.write(t.entry, t.old & ~VALID);
    flush(cpu);
    cpu.writeRelease(t.entry, early ?? merged());
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  };
  return changed('bbm-early', run);
}

describe('the small machine with FEAT_HAFDBS', () => {
  const leavesOf = (kind: 'coalesce' | 'split') => {
    const map = new MemoryMap(kind, 2, EXPLORE_BOUNDS.tables, { hafdbs: true });
    const initial = map.initial();
    const old =
      kind === 'split'
        ? [0]
        : [map.entryOf(map.follow(map.old), 0), map.entryOf(map.follow(map.old), 1)];
    return { map, old: old.map((location) => initial[location] ?? 0n) };
  };

  it.each(['coalesce', 'split'] as const)('has something to set before a %s', (kind) => {
    const { old, map } = leavesOf(kind);
    expect(old.map((d) => [(d & DBM) !== 0n, (d & S2AP_W) === 0n])).toEqual(
      old.map(() => [true, true]),
    );
    expect(old.some((d) => (d & AF) === 0n)).toBe(true);
    const { af, write, dbm } = attributesOf(map.wanted, 2);
    expect([af, write, dbm]).toEqual([true, true, true]);
    expect(isTable(map.wanted, 2)).toBe(false);
  });

  it('lets loads set the access flag, and stores both', () => {
    const map = new MemoryMap('coalesce', 2, EXPLORE_BOUNDS.tables, { hafdbs: true });
    const host = unrollHost(builtin('bbml2-direct'), map, 2, 1, EXPLORE_BOUNDS);
    const updatesOf = (kind: 'load' | 'store', page: number): string[] => {
      const program = { early: [{ kind, page }], late: [] };
      const cpu = { ...DEFAULT_CPU, ...HAFDBS };
      const { system } = scenarioOf(host, cpu, program, EXPLORE_BOUNDS.nodes);
      const root = system.threads[1]?.root;
      const updates = root?.kind === 'read' || root?.kind === 'write' ? root.updates : [];
      const old = map.follow(map.old);
      return (updates ?? [])
        .filter(({ entry }) => entry === map.entryOf(old, page))
        .map(({ value }) => host.values[value] ?? 0n)
        .filter((d) => attributesOf(d, 3).sw === 1)
        .map((d) => `${(d & AF) === 0n ? '' : 'AF '}${(d & S2AP_W) === 0n ? 'clean' : 'dirty'}`);
    };
    expect(updatesOf('load', 0)).toEqual([]);
    expect(updatesOf('store', 0)).toEqual(['AF dirty']);
    expect(updatesOf('load', 1)).toEqual(['AF clean']);
    expect(updatesOf('store', 1)).toEqual(['AF dirty']);
  });
});

describe('correct protocols', () => {
  it.each(PROTOCOLS.map((protocol) => [protocol.name, protocol] as const))(
    '%s loses nothing, and the search is complete',
    (_, protocol) => {
      const run = onUpdatingCpu(protocol);
      const off = exploreProtocol({ protocol });
      expect(run.violations.map(({ rule }) => rule)).toEqual(
        off.violations.map(({ rule }) => rule),
      );
      expect([run.stoppedBy, run.cpu.hafdbs]).toEqual([null, 'on']);
      expect(run.states).toBeGreaterThan(off.states);
      const words = run.outcomes.map(({ id }) => id).join();
      expect(words).not.toContain('access-flag fault');
      expect(words).not.toContain('permission fault');
    },
  );

  it('may install the block as dirty as its pages are, once the flush is complete', () => {
    const run = onUpdatingCpu(merging('after the flush'));
    expect([run.verdict, run.stoppedBy]).toEqual(['safe', null]);
  });

  type Take = (cpu: Cpu, entry: Entry, old: bigint, tables: Tables) => boolean;
  const takenBy = (take: Take) =>
    changed('split-eager', (cpu, t, tables) => {
      const table = tables.buildSubtree(t.level, t.wanted);
      if (!take(cpu, t.entry, t.old, tables)) return tables.tearDown(table, childLevel(t.level));
      flushIpa(cpu, t.ipa, t.level);
      tables.put(t.entry);
      tables.get(t.entry);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    });

  it('may take the live block as it stands, however often a walker changes it', () => {
    const run = onUpdatingCpu(
      takenBy((cpu, entry) => {
        for (;;) {
          const d = cpu.read(entry);
          if (cpu.compareExchange(entry, d, LOCKED) === d) return true;
        }
      }),
    );
    expect([run.verdict, run.stoppedBy]).toEqual(['safe', null]);
  });

  it('find a block that a walker has changed where they expect the old one, and may give up', () => {
    const run = onUpdatingCpu(
      takenBy((cpu, entry, old) => cpu.compareExchange(entry, old, LOCKED) === old),
    );
    expect(run.violations.map(({ rule, by }) => [rule, by])).toEqual([
      ['break-before-make', 'operations'],
    ]);
    expect(run.violations[0]?.why).toContain('nothing was stored to the entry');
  });

  it('come back with the next fault under a lock that is held for reading', () => {
    const shared = (expected: (t: { old: bigint; wanted: bigint }) => bigint) =>
      onUpdatingCpu({
        ...changed('split-eager', (cpu, t, tables) => {
          const table = tables.buildSubtree(t.level, t.wanted);
          const old = expected(t);
          if (cpu.compareExchange(t.entry, old, LOCKED) !== old) {
            return tables.tearDown(table, childLevel(t.level));
          }
          flushIpa(cpu, t.ipa, t.level);
          cpu.writeRelease(t.entry, tables.descriptorFor(table));
          cpu.dsb('ishst');
        }),
        lock: 'shared',
      });
    expect(shared(({ old }) => old).verdict).toBe('safe');
    // What no walker has made of the entry is no reason to give up.
    expect(shared(({ wanted }) => wanted).violations[0]?.why).toContain('nothing was stored');
  });

  it('answer for their counts then: nobody else has taken the entry', () => {
    const run = onUpdatingCpu(
      takenBy((cpu, entry, old, tables) => {
        const isTaken = cpu.compareExchange(entry, old, LOCKED) === old;
        if (!isTaken) tables.put(entry);
        return isTaken;
      }),
    );
    expect(run.violations.map(({ rule }) => rule)).toContain('refcount');
  });
});

describe('a table', () => {
  it('must not be asked for its state once it is freed, whatever the CPU does', () => {
    const freed = changed('bbm-early', (cpu, t, tables) => {
      const child = tables.follow(t.old);
      cpu.write(t.entry, t.old & ~VALID);
      flushVmid(cpu);
      tables.tearDown(child, childLevel(t.level));
      tables.mergeState(t.wanted, child, childLevel(t.level));
      cpu.writeRelease(t.entry, t.wanted);
      cpu.dsb('ishst');
    });
    for (const hafdbs of [false, true]) {
      const run = exploreProtocol({ protocol: freed, cpu: { hafdbs } });
      expect(run.violations.map(({ rule }) => rule)).toContain('freed-table');
    }
  });

  it('that is one of its own pages is accused, and walked as what it says it is', () => {
    const selfMapped = changed('split-eager', (cpu, t, tables) => {
      const table = tables.allocate(childLevel(t.level));
      const first = tables.entryOf(table, 0);
      cpu.write(t.entry, LOCKED);
      flushIpa(cpu, t.ipa, t.level);
      tables.put(t.entry);
      tables.get(t.entry);
      cpu.write(first, tables.descriptorFor(table));
      tables.get(first);
      cpu.writeRelease(t.entry, tables.descriptorFor(table));
      cpu.dsb('ishst');
    });
    expect(onUpdatingCpu(selfMapped).verdict).toBe('violated');
  });
});

describe('a dirty bit', () => {
  const run = onUpdatingCpu(merging('before the break'));
  const lost = run.violations.find(({ rule }) => rule === 'lost-dirty');

  it('is lost to a block that was made from what the pages said before the break', () => {
    expect(shownRules(run)).toEqual(['lost-dirty']);
    expect(lost?.why).toMatch(/^store of page 0 by vcpu 0: .*R_RTBRL/);
    const steps = lost?.steps.map(({ thread, op }) => `${thread} ${op}`) ?? [];
    const order = ['hypervisor read', 'vcpu 0 store', 'vcpu 0 update', 'hypervisor write-release'];
    expect(steps.filter((step) => order.includes(step))).toEqual(order);
    expect(lost?.steps.at(-1)?.detail).toMatch(/^entry = block .* clean$/);
  });

  it('is lost to one that merges without waiting for the flush', () => {
    const unwaited = merging('after the flush', (cpu) => {
      cpu.dsb('ishst');
      cpu.tlbi({ kind: 'vmalls12e1is' });
      cpu.dsb('ishst');
    });
    expect(shownRules(onUpdatingCpu(unwaited))).toContain('lost-dirty');
  });

  it('is looked for on a CPU that keeps dirty state only', () => {
    const off = exploreProtocol({ protocol: merging('before the break') });
    expect(shownRules(off)).toEqual([]);
  });

  it('is shown again by its token, which names the CPU', () => {
    const token = decodeToken(lost?.token ?? '');
    if (token === null) throw new Error('no token');
    expect(token.cpu).toBe('bbm=1,hafdbs=on');
    const again = replayToken(token, merging('before the break'), '', parseCpu(token.cpu));
    expect(again.violation).toMatchObject({ rule: 'lost-dirty', by: 'schedule' });
    expect(again.steps[again.broken]).toMatchObject({ thread: 'vcpu 0', op: 'store' });
    const shown = again.steps.map(({ thread, op }) => `${thread} ${op}`);
    expect(shown).toContain('vcpu 0 update');
    expect(shown.indexOf('hypervisor read')).toBeLessThan(shown.indexOf('vcpu 0 update'));
  });
});

describe('a page that was freed while it is still walked', () => {
  it('is stored to by the walker', () => {
    const seed = MUTANTS.find(({ name }) => name === 'no-tlbi')?.seed;
    if (seed?.kind !== 'protocol') throw new Error('no-tlbi is a protocol');
    const freed = onUpdatingCpu(seed.protocol).violations.find(
      ({ rule }) => rule === 'freed-table',
    );
    expect(freed?.why).toContain('the walker set its flags in what is no descriptor of the VM');
    expect(freed?.steps.at(-1)).toMatchObject({
      thread: 'vcpu 0',
      op: 'update',
      detail: "table 0[0] = another user's data, its flags set by a walker",
    });
  });
});
