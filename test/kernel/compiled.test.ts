/** A tree's functions as they are compiled from it: verdicts, refusals with their line, mutations. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { recordSteps } from '../../src/ablation/index.ts';
import { kernel } from '../../src/cli/commands/kernel/command.ts';
import { KERNEL_FLAGS } from '../../src/cli/commands/kernel/flags.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { playProtocol } from '../../src/explore/protocol/play.ts';
import { startExploration } from '../../src/explore/protocol/start.ts';
import { kernelTree, loadKernel, offersOf } from '../../src/kernel/index.ts';
import type { Protocol } from '../../src/port/index.ts';
import { DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { runsKept } from '../../src/exploration/kernel.ts';
import { selectProtocols } from '../../src/request/registry.ts';
import { kernelPlan } from '../../src/request/kernel-plan.ts';
import { runAlone } from '../../src/preflight/solo.ts';
import type { ExploreResult } from '../../src/result/explore.ts';
import { memoryTerminal } from '../cli/memory-terminal.ts';
import { emptyFolder } from '../cli/program.ts';
import { noCompiler } from '../native/compiled.ts';
import { keptTree, lineOf, PGTABLE, TREE } from './trees.ts';

const NVHE = 'arch/arm64/kvm/hyp/nvhe/tlb.c';

/** It does at level 1 what nobody knows; at level 2 it is right, but for nVHE's flush of a VMID. */
const ODD = keptTree(
  'odd',
  [
    PGTABLE,
    '\tif (!take(',
    '\tif (pgt->start_level == 1 && flags)\n\t\t__tlbi(vmalls13e1is);\n' +
      '\telse if (pgt->start_level == 1)\n\t\t*ptep = 0;\n\tif (!take(',
  ],
  [
    PGTABLE,
    '\ttake(ptep, old, false);',
    '\tif (pgt->start_level == 1) {\n\t\tasm volatile("yield");\n\t}\n\ttake(ptep, old, false);',
  ],
  [
    NVHE,
    '\tdsb(ishst);\n\t__tlbi(vmalls12e1is);',
    '\tdsb(ishst);\n\t__load_stage2(mmu, mmu->arch);\n\t__tlbi(vmalls12e1is);',
  ],
  [NVHE, 'asm volatile("ic iallu");', 'asm volatile("ic iallu");\n\t__load_host_stage2();'],
);

const load = async (reference: string, tree = TREE): Promise<Protocol> =>
  (await loadKernel(path.join(tree, reference))).protocol;
const OFFERS = offersOf(kernelTree(TREE));
const stepsOf = (protocol: Protocol): string[] =>
  recordSteps(protocol, (tapped, bbm) => playProtocol(tapped, 2, bbm))
    .filter(({ call }) => call.op !== 'read')
    .map(({ operation }) => operation);

describe.skipIf(noCompiler !== null)('a function of a tree', () => {
  test.each(OFFERS)('is explored: $name', async ({ name, lock }) => {
    const protocol = await load(`kernel:${name}`);
    const run = exploreProtocol({ protocol, accesses: 1 });
    expect([run.verdict, run.violations, run.protocol]).toEqual(['safe', [], `kernel:${name}`]);
    // On real tables, too, at addresses where the page of the target would begin at NULL.
    expect(run.notes.filter((note) => note.startsWith('in the 4K granule'))).toEqual([]);
    expect(protocol.origin).toBe('v6.4.99, pgtable.c and hyp/vhe/tlb.c');
    expect(protocol.lock).toBe(lock);
  });

  test.each(['tiny', 'tiny4'] as const)(
    'changes entries that lie beside each other, and flushes each: %s',
    async (granule) => {
      const protocol = await load('kernel:split');
      const asked = { protocol, granule, regions: 2, accesses: 1 } as const;
      expect(exploreProtocol(asked).verdict).toBe('safe');
      const { hosts } = startExploration(asked);
      const flushed = hosts[0]?.tlbis.flatMap((op) => ('ipa' in op ? [op.ipa] : [])) ?? [];
      const regions = hosts[0]?.map.regions.map(({ ipa }) => ipa) ?? [];
      expect(flushed.toSorted((a, b) => a - b)).toEqual(regions);
    },
  );

  test.each(['map', 'map-shared', 'split'])(
    'runs on real tables of 512 entries: %s',
    async (name) => {
      const protocol = await load(`kernel:${name}`);
      for (const level of [2, 1] as const) {
        const machine = { granule: '4k', level, cpu: DEFAULT_CPU } as const;
        const source = { from: 'built-in', name: 'kernel' } as const;
        expect(runAlone(protocol, source, machine)).toEqual([]);
      }
      const other = { granule: '64k', level: 2, cpu: DEFAULT_CPU } as const;
      expect(() => runAlone(protocol, { from: 'built-in', name: 'kernel' }, other)).toThrow(
        /is compiled for 4K pages: take --granule 4k/,
      );
    },
  );

  test('takes the steps of its text, with the flushes of either flavour', async () => {
    const flush = ['dsb ishst', 'tlbi vmalls12e1is', 'dsb ish', 'isb'];
    const make = ['put', 'get', 'stlr block', 'free child after grace', 'dsb ishst'];
    expect(stepsOf(await load('kernel:map'))).toEqual(['str locked', ...flush, ...make]);
    // Inline assembly: an ISB, and what does nothing to tables.
    const [odd, plain] = [
      await load('kernel:map-shared,nvhe', ODD),
      await load('kernel:map-shared,vhe', ODD),
    ];
    const entered = ['dsb ishst', 'vttbr guest', ...flush.slice(1), 'vttbr host'];
    expect(stepsOf(odd)).toEqual(['cas locked', ...entered, ...make]);
    // Whoever loads a VMID begins in the host's context; what lacks there is found.
    expect([odd.context, plain.context]).toEqual(['nvhe-host', undefined]);
    const { violations } = exploreProtocol({ protocol: odd, kinds: ['load'], accesses: 1 });
    expect(violations.map(({ rule }) => rule)).toEqual(
      expect.arrayContaining(['stale-translation', 'wrong-output-address']),
    );
  });

  test('has as many entries as the machine has, and level hints where the CPU knows them', async () => {
    const steps = stepsOf(await load('kernel:split'));
    expect(steps.filter((step) => step.startsWith('tlbi'))).toEqual([
      'tlbi ipas2e1is, ipa, ttl=2',
      'tlbi vmalle1is',
    ]);
    expect(stepsOf(await load('kernel:split,caps'))).toContain('tlbi ipas2e1is, ipa');
  });
});

describe.skipIf(noCompiler !== null)(
  'what a tree does that is not known is refused by name',
  () => {
    test.each<[string, string, string]>([
      ['map', 'a plain store to a table entry', '*ptep = 0;'],
      ['map-shared', 'TLBI vmalls13e1is is not known here; there are vmalls12e1is,', '__tlbi('],
      ['split', 'inline assembly "yield" is not known here', 'asm volatile'],
    ])('%s', async (name, says, words) => {
      const protocol = await load(`kernel:${name},nvhe`, ODD);
      const place = `${path.join(ODD, PGTABLE)}:${lineOf(ODD, PGTABLE, words)}:`;
      const run = (): unknown => exploreProtocol({ protocol, level: 1, accesses: 1 });
      expect(run).toThrow(says);
      expect(run).toThrow(place);
    });
  },
);

describe.skipIf(noCompiler !== null)('the command kernel', () => {
  const SOME = 'kernel:unmap,kernel:map-shared';
  const QUICK = ['--cpu', 'bbm=1', '--accesses', '1'];

  async function run(
    ...typed: string[]
  ): Promise<{ result: ExploreResult; out: string; json: string }> {
    const terminal = memoryTerminal();
    const json = path.join(emptyFolder(), 'k.json');
    const all = [...typed, '--jobs', '1', '--json', json];
    const input = parseCommandLine('kernel', KERNEL_FLAGS, all);
    await kernel(input, terminal);
    const result = JSON.parse(readFileSync(json, 'utf8')) as ExploreResult;
    return { result, out: terminal.printed.out, json };
  }

  test('has one table of functions and CPUs, and results that say which tree', async () => {
    const { result, out } = await run(TREE, '--level', '2', '--protocol', SOME, ...QUICK);
    expect(out).toMatch(/^v6\.4\.99, vhe\/tlb\.c\nfunction +bbm=1 +states +time\n/);
    expect(out).toMatch(/\nkernel:map-shared, level 2 +safe /);
    expect(result.runs.map(({ verdict, cpu }) => [verdict, cpu.bbm])).toEqual([
      ['safe', '1'],
      ['safe', '1'],
    ]);
    expect(result.runs[1]?.kernel).toEqual({
      version: '6.4.99',
      function: 'kvm_pgtable_stage2_map',
      tlb: 'vhe',
      shared: true,
      tree: TREE,
      fingerprint: expect.stringMatching(/^[0-9a-f]{16}$/),
    });
  });

  test('says which step of the code is needed, with its place', async () => {
    const typed = [TREE, '--mutate', '--protocol', 'kernel:map', ...QUICK];
    const { result, out, json } = await run(...typed);
    const [map] = result.runs;
    const rowOf = (operation: string, change = 'omitted'): unknown[] => {
      const row = map?.mutation?.find(
        (each) => each.operation === operation && each.change === change,
      );
      return [row?.file, row?.line, row?.needed];
    };
    const tlb = 'arch/arm64/kvm/hyp/vhe/tlb.c';
    expect(rowOf('tlbi vmalls12e1is')).toEqual([tlb, lineOf(TREE, tlb, '__tlbi('), true]);
    expect(rowOf('put')).toEqual([PGTABLE, lineOf(TREE, PGTABLE, 'mm_ops->put_page'), true]);
    expect(rowOf('isb')[2]).toBe(false);
    const needed = map?.mutation?.filter((row) => row.needed) ?? [];
    expect(needed.every(({ token }) => token?.startsWith('r1:f:') === true)).toBe(true);
    const title = 'v6.4.99, vhe/tlb.c: kernel:map, level 2, on bbm=1\n';
    expect(out).toContain(`${title}place`);
    expect(out).toMatch(/\nvhe\/tlb\.c:7 +tlbi vmalls12e1is +left out +needed: without it \w/);
    expect(out).toMatch(/\n\d+ of \d+ changes break a rule \(\d+ %\)\n/);
    expect(out).toMatch(/: all functions together, by lines\n\d+ of \d+ changes break/);
    // Nothing is run again of what an earlier result has: times are those of then.
    const resumed = await run(...typed, '--resume', json);
    expect(resumed.result.runs).toEqual(result.runs);
    const [task] = (
      await kernelPlan({ trees: [TREE], functions: ['kernel:map'], levels: [2] })
    ).trees.flat();
    if (task === undefined) throw new Error('it has a task');
    expect(runsKept(task, true, result.runs), 'with other accesses').toBeNull();
    const { fingerprint = '' } = map?.kernel ?? {};
    const same = {
      ...task,
      info: { ...task.info, fingerprint },
      searches: task.searches.slice(1, 2),
    };
    expect(runsKept(same, true, result.runs)).toEqual(result.runs);
    expect(runsKept(same, false, result.runs)?.[0]?.mutation).toBeUndefined();
    expect(runsKept(same, true, [])).toBeNull();
  });

  test('shows two trees side by side', async () => {
    const { out, result } = await run(TREE, TREE, '--level', '2', '--protocol', SOME, ...QUICK);
    expect(out).toMatch(/^kernel:unmap, level 2: the same operations\nv6\.4\.99 +v6\.4\.99\n/);
    expect(result.runs).toHaveLength(4);
    const [, files = ''] =
      /^measured in turns: npm run stress -- --protocol (.+)$/m.exec(out) ?? [];
    const selected = await selectProtocols(files.split(','), { protocols: [] });
    expect(selected.map(({ protocol }) => protocol.name)).toEqual([
      'kernel:map-shared-a',
      'kernel:map-shared-b',
    ]);
    const unmapped = await run(TREE, TREE, '--level', '2', '--protocol', 'kernel:unmap', ...QUICK);
    expect(unmapped.out).not.toContain('measured in turns');
  });
});
