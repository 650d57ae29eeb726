/**
 * A vCPU that faults while a function of a tree has the entry broken, and maps through the same tree's
 * kvm_pgtable_stage2_map: safe as the trees are, and what only such a vCPU shows is shown.
 */
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import type { GuestProgram } from '../../src/explore/protocol/machine/guest.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { kernelTree, loadKernel, offersOf } from '../../src/kernel/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import type { ExploreRun } from '../../src/result/explore.ts';
import { noCompiler } from '../native/compiled.ts';
import { inside } from './fixes.ts';
import { editedCopy, keepOutOfHere, noTree, REAL_TREES } from './real-trees.ts';
import { keptTree, PGTABLE, TREE } from './trees.ts';

const PROGRAMS: readonly GuestProgram[] = [
  { early: [{ kind: 'load', page: 0 }], late: [{ kind: 'load', page: 0 }] },
];

const load = async (tree: string, name: string): Promise<Protocol> =>
  (await loadKernel(path.join(tree, `kernel:${name}`))).protocol;

async function explored(tree: string, name: string, fault: string | null): Promise<ExploreRun> {
  const protocol = await load(tree, name);
  const against = fault === null ? null : { protocol: await load(tree, fault), source: null };
  return exploreProtocol({ protocol, against, programs: PROGRAMS, realGranules: false });
}

const rulesOf = ({ violations }: ExploreRun): string[] => violations.map(({ rule }) => rule);

/** How the tree's versions call it: for writing, and where there is such a thing for reading. */
function pairsOf(tree: string): (readonly [string, string])[] {
  const names = offersOf(kernelTree(tree)).map(({ name }) => name);
  const shared = names.includes('map-shared');
  return [
    ['map', shared ? 'map-hole-shared' : 'map-hole'],
    ...(shared ? ([['map-shared', 'map-hole-shared']] as const) : []),
  ];
}

describe.skipIf(noCompiler !== null)("the tests' own tree", () => {
  /** It takes an entry that another vCPU has LOCKED. */
  const TAKES_LOCKED = keptTree('takes-locked', [
    PGTABLE,
    '\tif (old == KVM_INVALID_PTE_LOCKED)\n\t\treturn -EAGAIN;\n',
    '',
  ]);

  test.each(pairsOf(TREE))('%s beside a vCPU that faults, in %s', async (name, fault) => {
    const run = await explored(TREE, name, fault);
    expect([run.verdict, run.stoppedBy, rulesOf(run)]).toEqual(['safe', null, []]);
  });

  test('an entry that is LOCKED taken by the fault is nothing that the function shows alone', async () => {
    expect((await explored(TAKES_LOCKED, 'map-shared', null)).verdict).toBe('safe');
    const run = await explored(TAKES_LOCKED, 'map-shared', 'map-hole-shared');
    expect(rulesOf(run)).toContain('break-before-make');
  });
});

keepOutOfHere();

describe.skipIf(noTree !== null)('a tree at hand', () => {
  const takesLocked = inside('stage2_try_break_pte', /stage2_pte_is_locked\(ctx->old\)/, '0');
  const cases = REAL_TREES.map((tree) => ({ tree, version: tree.version }));

  test.each(cases)('v$version is safe', { timeout: 120_000 }, async ({ tree }) => {
    for (const [name, fault] of pairsOf(tree.folder)) {
      const run = await explored(tree.folder, name, fault);
      expect([name, run.verdict, run.stoppedBy]).toEqual([name, 'safe', null]);
    }
  });

  test.each(cases)(
    'v$version without its look whether an entry is LOCKED, if it has one',
    { timeout: 120_000 },
    async ({ tree }) => {
      const copy = editedCopy(tree, PGTABLE, takesLocked);
      expect(copy === null).toBe(!kernelTree(tree.folder).hasShared);
      if (copy === null) return;
      expect((await explored(copy, 'map-shared', null)).verdict).toBe('safe');
      const run = await explored(copy, 'map-shared', 'map-hole-shared');
      expect(rulesOf(run)).toEqual(expect.arrayContaining(['tlb-conflict', 'break-before-make']));
    },
  );
});
