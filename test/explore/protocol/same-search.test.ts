/** A search that was done on another CPU already comes to what it would come to by itself. */
import { expect, test } from 'vitest';
import { type CpuModel, cpuFor } from '../../../src/arch/cpu-model.ts';
import {
  conclude,
  type ExploreOptions,
  exploreProtocol,
  exploreShare,
  type Found,
  type GuestProgram,
  foundBefore,
  keepFound,
  searchesOf,
  startExploration,
  wholeShare,
} from '../../../src/explore/protocol/index.ts';
import type { Protocol } from '../../../src/port/index.ts';
import type { ExploreRun } from '../../../src/result/explore.ts';
import { bbmEarlyWith, builtin } from './fixtures.ts';
import { flushVmid } from '../../../src/port/index.ts';

const CPUS: readonly Partial<CpuModel>[] = [
  { bbm: [0] },
  { bbm: [0], multihit: 'amalgamate' },
  { bbm: [1] },
  { bbm: [1], nt: 'conflict' },
  { bbm: [1], nt: 'fault' },
  { bbm: [1], nt: 'ignored' },
  { bbm: [2] },
  { bbm: [2], multihit: 'old' },
  { bbm: [3], multihit: 'new' },
  { bbm: [1], hafdbs: true },
  { bbm: [1], tlbi: 'repeat' },
  { bbm: [1], tlb: 0 },
];

/** A protocol of its own for every case: what others have found is not known of it. */
const fresh = (protocol: Protocol): Protocol => ({ ...protocol });

/** `before`: the search was another one's. */
function found(options: ExploreOptions): { readonly before: boolean; readonly run: ExploreRun } {
  const started = startExploration(options);
  const known = foundBefore(started);
  const all: Found = known ?? searched(started);
  if (known === null) keepFound(started, all);
  return { before: known !== null, run: conclude(started, [all], 0) };
}

function searched(started: ReturnType<typeof startExploration>): Found {
  const steps = exploreShare(started, wholeShare(searchesOf(started)), () => false);
  for (let step = steps.next(); ; step = steps.next()) if (step.done === true) return step.value;
}

/** Of each CPU, whether its search was another's; every result is compared with one by itself. */
function known(given: Protocol, more: Partial<ExploreOptions> = {}): readonly boolean[] {
  const protocol = fresh(given);
  return CPUS.map((cpu) => {
    const options = { protocol, cpu: cpuFor(protocol, cpu), accesses: 1, ...more };
    const { before, run } = found(options);
    expect(run).toEqual({ ...exploreProtocol(options), elapsedMs: 0 });
    return before;
  });
}

const [no, yes] = [false, true];

test('a protocol without nT whose guests never meet two entries is searched once', () => {
  const searches = [no, yes, yes, yes, yes, yes, yes, yes, yes, no, no, no];
  expect(known(builtin('bbm-early'))).toEqual(searches);
  expect(known(builtin('bbm-early'), { accesses: 2 })).toEqual(searches);
});

test('one whose guests do, once for each thing that two entries come to', () => {
  const searches = [no, no, yes, yes, yes, yes, yes, no, yes, no, no, no];
  expect(known(builtin('bbml2-direct'))).toEqual(searches);
});

test.each(['rfc-nt-posted', 'nt-spec', 'nt-split', 'split-eager'])('%s', (name) => {
  const before = known(builtin(name));
  // Hardware updates, errata and TLBs are asked about without a walk.
  expect(before.slice(-3)).toEqual([no, no, no]);
});

test('what PEs do differently keeps searches apart', () => {
  const [, , translate, conflict, fault, ignored] = known(builtin('nt-spec'));
  expect([translate, conflict, fault, ignored]).toEqual([no, no, no, no]);
});

test('so does what the protocol does by the level that it is told', () => {
  const oncemore = bbmEarlyWith(flushVmid);
  const byLevel: Protocol = {
    ...oncemore,
    run: (cpu, t, tables) => (t.bbm < 2 ? builtin('bbm-early') : oncemore).run(cpu, t, tables),
  };
  const [, , ofOne, , , , ofTwo] = known(byLevel);
  expect([ofOne, ofTwo]).toEqual([yes, no]);
});

test('and vCPUs that are alike are not the same as others', () => {
  const protocol = fresh(builtin('bbm-early'));
  const at = (bbm: CpuModel['bbm']): boolean =>
    found({ protocol, vcpus: 2, accesses: 1, cpu: { bbm } }).before;
  expect([at([1]), at([2]), at([2, 1]), at([0, 1])]).toEqual([no, yes, no, yes]);
});

test('whether they are alike is asked of the VM whose vCPUs they are, and not of a second VM', () => {
  const protocol = fresh(builtin('bbm-early'));
  const program: GuestProgram = { early: [{ kind: 'store', page: 0 }], late: [] };
  const at = (bbm: CpuModel['bbm']) => {
    const cpu = cpuFor(protocol, { bbm, hafdbs: true });
    const options = { protocol, vcpus: 2, scenario: 'two-vms', programs: [program], cpu } as const;
    const { before, run } = found(options);
    expect(run).toEqual({ ...exploreProtocol(options), elapsedMs: 0 });
    return before;
  };
  expect([at([2, 2, 1]), at([2, 1, 1])]).toEqual([no, no]);
});
