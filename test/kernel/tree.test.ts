/** Which tree it is, what it offers, and what is said of one that will not do. */
import { execFileSync, spawnSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { changesSize } from '../../src/port/kinds.ts';
import { EMPTY, LOCKED } from '../../src/port/index.ts';
import { Descriptors } from '../../src/kernel/descriptors.ts';
import {
  kernelTree,
  loadKernel,
  offersOf,
  parseReference,
  REFERENCE,
  referenceText,
} from '../../src/kernel/index.ts';
import { compileTree, treeText } from '../../src/kernel/compile.ts';
import { hasCapability } from '../../src/kernel/capabilities.ts';
import { kernelProtocols, toldApart } from '../../src/request/kernel.ts';
import { Scale } from '../../src/kernel/scale.ts';
import type { Entry, Transition } from '../../src/port/index.ts';
import { emptyFolder } from '../cli/program.ts';
import { HEADER, PGTABLE, TREE, treeWith, treeWithout } from './trees.ts';

const names = (folder: string): string[] => offersOf(kernelTree(folder)).map(({ name }) => name);

test('a tree says its version and offers what its header declares', () => {
  const tree = kernelTree(TREE);
  expect(tree.version).toBe('6.4.99');
  expect(tree.note).toBeNull();
  const changes = ['unmap', 'unmap-table', 'wrprotect', 'relax'];
  const maps = ['map', 'map-shared'];
  const holes = ['map-hole', 'map-hole-shared', 'remap', 'remap-shared'];
  expect(names(TREE)).toEqual([...maps, 'split', ...holes, ...changes]);
  const relax = offersOf(tree).find(({ name }) => name === 'relax');
  expect(relax?.lock).toBe('shared');
  expect(names(treeWith([HEADER, 'int kvm_pgtable_stage2_split', 'int split']))).toEqual([
    ...maps,
    ...holes,
    ...changes,
  ]);
  const exclusive = treeWith([HEADER, 'KVM_PGTABLE_WALK_SHARED = 1', 'KVM_PGTABLE_WALK = 1']);
  expect(names(exclusive)).toEqual(['map', 'split', 'map-hole', 'remap', ...changes]);
  expect(offersOf(kernelTree(exclusive)).every(({ lock }) => lock === 'exclusive')).toBe(true);
});

test('a tree that counts no invalid entries takes each of them for a hole', () => {
  expect(kernelTree(TREE).hole).toBe('empty');
  expect(kernelTree(treeWith([PGTABLE, 'stage2_pte_is_counted', 'nothing'])).hole).toBe('invalid');
});

test('a version that was not tried is tried, with a note', () => {
  for (const [from, to] of [
    ['VERSION = 6', 'VERSION = 9'],
    ['VERSION = 6', 'VERSION = 4'],
  ] as const) {
    expect(kernelTree(treeWith(['Makefile', from, to])).note).toMatch(
      /^v[94]\.4\.99 is outside of 5\.10 to 7\.3, the versions that were tried: look at verdicts twice$/,
    );
  }
});

const tar = spawnSync('tar', ['--version'], { encoding: 'utf8' });
const hasTar = tar.status === 0 && tar.stdout.includes('GNU tar');

describe.skipIf(!hasTar)('an archive (with GNU tar)', () => {
  const packed = (...args: readonly string[]): string => {
    const file = path.join(emptyFolder(), 'tree.tar.gz');
    execFileSync('tar', ['-czf', file, ...args]);
    return file;
  };

  test.each<[string, () => string]>([
    ['with a folder around it', () => packed('-C', path.dirname(TREE), path.basename(TREE))],
    ['without one', () => packed('-C', TREE, 'Makefile', 'arch')],
    ['that begins with ./', () => packed('-C', path.dirname(TREE), `./${path.basename(TREE)}`)],
  ])('%s is a tree', (_, pack) => {
    const tree = kernelTree(pack());
    expect([tree.version, names(tree.folder)]).toEqual(['6.4.99', names(TREE)]);
    expect(treeText(tree, 'nvhe')).toBe(treeText(kernelTree(TREE), 'nvhe'));
  });

  test('of something else is refused in one line, and so is one that is broken', () => {
    expect(() => kernelTree(packed('-C', import.meta.dirname, 'trees.ts'))).toThrow(
      /tree\.tar\.gz: nothing of a kernel tree could be unpacked \(tar: .+\)$/,
    );
    const broken = path.join(emptyFolder(), 'x.tar');
    writeFileSync(broken, 'no archive');
    expect(() => kernelTree(broken)).toThrow(/x\.tar: nothing of a kernel tree could be unpacked/);
  });
});

describe('a folder that will not do', () => {
  test.each<[string, () => string, RegExp]>([
    ['is not there', () => '/nowhere/at-all', /^\/nowhere\/at-all: there is no such folder$/],
    [
      'is a file',
      () => path.join(TREE, 'Makefile'),
      /Makefile: neither a folder nor an archive \(\.tar, \.tar\.gz, \.tar\.xz\): of a/,
    ],
    [
      'is no tree',
      () => path.join(TREE, 'arch'),
      /: no kernel tree; of a kernel tree it takes Makefile,/,
    ],
    [
      'has a Makefile of something else',
      () => treeWith(['Makefile', 'VERSION = 6', 'all: it']),
      /: its Makefile says no VERSION and PATCHLEVEL, so it is no kernel tree$/,
    ],
    [
      'is of another architecture',
      () => treeWithout('arch/arm64'),
      /: v6\.4 without arch\/arm64: a tree of another architecture\?$/,
    ],
    [
      'lacks a file',
      () => treeWithout(PGTABLE),
      /: arch\/arm64\/kvm\/hyp\/pgtable\.c is not there; of a kernel tree it takes/,
    ],
    [
      'is older than the file',
      () => treeWith([HEADER, 'int kvm_pgtable_stage2_map(', 'int kvm_pgtable_map(']),
      /: \S+ declares no kvm_pgtable_stage2_map: it takes a kernel from v5\.10 on$/,
    ],
  ])('%s', (_, folder, says) => {
    expect(() => kernelTree(folder())).toThrow(says);
  });

  test('does not offer what is asked for', async () => {
    const folder = treeWith([HEADER, 'int kvm_pgtable_stage2_split', 'int split']);
    await expect(loadKernel(path.join(folder, 'kernel:split'))).rejects.toThrow(
      /: v6\.4\.99 offers no kernel:split; it has kernel:map, kernel:map-shared, kernel:map-hole,/,
    );
  });
});

test('what the shim does not know is one line that names it and says whose it is', async () => {
  const folder = treeWith([HEADER, 'typedef u64 kvm_pte_t;', 'typedef u64 kvm_pte_t; /* odd */']);
  const output = `${folder}/${PGTABLE}:31:2: error: call to undeclared function 'frobnicate'; [-W]\n`;
  const compiler = {
    name: 'a test',
    build: () => Promise.resolve({ wasm: null, output: output.repeat(2) }),
  };
  await expect(
    compileTree(kernelTree(folder), 'vhe', () => Promise.resolve(compiler)),
  ).rejects.toThrow(
    new RegExp(
      `^${RegExp.escape(folder)}/${PGTABLE}:31:2: call to undeclared function 'frobnicate'.* ` +
        '\\(and 1 more error\\): the shim of this project has no word for frobnicate, .*shim\\.h',
    ),
  );
});

test('a capability that is not known is refused by name', () => {
  expect(hasCapability('ARM64_HAS_STAGE2_FWB', ['fwb'])).toBe(true);
  expect(hasCapability('ARM64_HAS_STAGE2_FWB', [])).toBe(false);
  expect(hasCapability('ARM64_KVM_HVHE', ['ttl'])).toBe(false);
  expect(() => hasCapability('ARM64_HAS_FROBNICATION', [])).toThrow(/ARM64_HAS_FROBNICATION/);
});

test('a function of a tree has a name as a file in it would', () => {
  const usual = {
    folder: '/l',
    name: 'map',
    flavour: 'vhe',
    capabilities: ['ttl'],
    label: null,
  } as const;
  const odd = {
    ...usual,
    name: 'map-shared',
    flavour: 'nvhe',
    capabilities: ['fwb'],
    label: 'v6-1',
  } as const;
  expect(referenceText(usual)).toBe('/l/kernel:map');
  expect(referenceText(odd)).toBe('/l/kernel:map-shared,nvhe,as,v6-1,caps,fwb');
  const none = { ...usual, capabilities: [] };
  for (const each of [usual, odd, none]) {
    expect(REFERENCE.test(referenceText(each))).toBe(true);
    expect(parseReference(referenceText(each))).toEqual(each);
  }
  expect(REFERENCE.test('/l/kernel/map.c')).toBe(false);
});

test('a function of several trees is named by what tells them apart', () => {
  const [map, shared] = [path.join(TREE, 'kernel:map'), path.join(TREE, 'kernel:map-shared')];
  const later = path.join(treeWith(['Makefile', 'VERSION = 6', 'VERSION = 7']), 'kernel:map');
  const nowhere = '/nowhere/kernel:map';
  expect(toldApart([map, 'bbm-late', later, shared])).toEqual([
    `${map},as,v6-4-99`,
    'bbm-late',
    `${later},as,v7-4-99`,
    shared,
  ]);
  expect(toldApart([map, map, nowhere])).toEqual([`${map},as,a`, `${map},as,b`, `${nowhere},as,c`]);
  expect(toldApart([`${map},as,mine`, map])).toEqual([`${map},as,mine`, `${map},as,b`]);
});

test('--kernel names all that a tree offers, or what --protocol names of it', () => {
  const map = path.join(TREE, 'kernel:map');
  const all = names(TREE).map((name) => path.join(TREE, `kernel:${name}`));
  expect(kernelProtocols({ kernel: TREE }, undefined)).toEqual(all);
  const sizes = kernelProtocols({ kernel: TREE }, undefined, ({ kind }) => changesSize(kind));
  expect(sizes).toEqual([map, `${map}-shared`, path.join(TREE, 'kernel:split')]);
  const flags = { kernel: TREE, kernelTlb: 'nvhe' } as const;
  expect(kernelProtocols(flags, ['bbm-late', 'kernel:map'])).toEqual(['bbm-late', `${map},nvhe`]);
  expect(kernelProtocols({}, ['bbm-late'])).toEqual(['bbm-late']);
  expect(() => kernelProtocols({ kernel: TREE }, ['kernel:mop'])).toThrow(
    'protocols: there is no protocol "kernel:mop" (did you mean kernel:map?)',
  );
  expect(() => kernelProtocols({}, ['kernel:map'])).toThrow(/: kernel says which one$/);
  expect(() => kernelProtocols({ kernelTlb: 'vhe' }, [])).toThrow('kernelTlb goes with kernel');
});

/** Level 1 of the explorer's machine. */
const SMALL: Transition = {
  entry: 0 as Entry,
  level: 1,
  ipa: 0x4000_0000,
  size: 0x4000,
  old: EMPTY,
  wanted: 2n << 55n,
  pa: 0x8000_0000,
  bbm: 1,
  vmid: 1,
};

test('addresses of 512 entries are those of two and back', () => {
  const scale = new Scale(SMALL, 2);
  expect(scale.kernelBytes).toBe(2 ** 30);
  expect(scale.machineIpa(0x4000_0000)).toBe(0x4000_0000);
  expect(scale.machineIpa(0x4020_1008)).toBe(0x4000_3008);
  expect(scale.kernelPa(0x8000_3000)).toBe(0x8020_1000);
  expect(scale.machinePa(0x8020_1000)).toBe(0x8000_3000);
  expect(scale.machinePa(0x1_0000_0000)).toBe(0x1_0000_0000);
  expect(scale.machineSize(2 ** 30)).toBe(0x4000);
  expect(scale.machineSize(4096)).toBe(4096);
  const same = new Scale({ ...SMALL, size: 2 ** 30 }, 512);
  expect(same.machineIpa(0x4020_1008)).toBe(0x4020_1008);
});

test('LOCKED, memory attributes and versions are said in the words of each side', () => {
  const scale = new Scale(SMALL, 2);
  const locked = 1n << 60n;
  const isTable = (): boolean => false;
  const d = new Descriptors({ locked, fwb: true }, scale, SMALL, isTable);
  expect(d.toKernel(LOCKED, 1)).toBe(locked);
  expect(d.stored(locked, 1)).toBe(LOCKED);
  const leaf = 0x8000_0000n | (1n << 55n) | 1n;
  expect(d.toKernel(leaf | (0xfn << 2n), 1)).toBe(leaf | (0x6n << 2n));
  expect(d.toMachine(leaf | (0x6n << 2n), 1)).toBe(leaf | (0xfn << 2n));
  expect(d.stored(leaf | (0x6n << 2n), 1)).toBe(0x8000_0000n | (2n << 55n) | (0xfn << 2n) | 1n);
  const old = new Descriptors({ locked: 0n, fwb: false }, scale, SMALL, isTable);
  expect(old.toKernel(LOCKED, 1)).toBe(LOCKED);
  expect(old.stored(EMPTY, 1)).toBe(EMPTY);
});
