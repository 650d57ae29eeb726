/**
 * A kernel tree as far as it is needed: which version it is, where its files lie, and how the functions
 * of that version are called. What differs between versions is read off the files, not off the number.
 */
import { readFileSync, statSync } from 'node:fs';
import path from 'node:path';
import type { ContextName } from '../arch/context.ts';
import { NativeProblem } from '../native/index.ts';
import { rootOf } from './archive.ts';

/** Flavours of hyp/FLAVOUR/tlb.c. */
export const TLB_FLAVOURS = ['vhe', 'nvhe'] as const;
export type TlbFlavour = (typeof TLB_FLAVOURS)[number];

export const PGTABLE = 'arch/arm64/kvm/hyp/pgtable.c';
export const HEADER = 'arch/arm64/include/asm/kvm_pgtable.h';
/** Where it is there it says what __tlbi_level() takes. */
const TLBFLUSH = 'arch/arm64/include/asm/tlbflush.h';
export const tlbFile = (flavour: TlbFlavour): string => `arch/arm64/kvm/hyp/${flavour}/tlb.c`;

/** What a tlb.c has that loads the VM's VMID itself. */
const LOADS_VMID = /__load_(?:guest_)?stage2|vttbr_el2/;

/** Where its flushes begin: with the host, if they enter the VM's context; else their caller has done so. */
export function contextOf(
  { folder }: Pick<KernelTree, 'folder'>,
  flavour: TlbFlavour,
): ContextName {
  if (!LOADS_VMID.test(textOf(folder, tlbFile(flavour)))) return 'guest';
  return flavour === 'vhe' ? 'vhe-host' : 'nvhe-host';
}

/** Versions that were tried. */
export const KNOWN = { first: [5, 10], last: [7, 3] } as const;

export interface KernelTree {
  /** Absolute; the file, if it is an archive. */
  readonly folder: string;
  /** As the Makefile has it: 6.12.118. */
  readonly version: string;
  /** Macros that tell the shim how this version is called. */
  readonly macros: readonly string[];
  /** Functions of the header, by name, with their parameters. */
  readonly functions: ReadonlyMap<string, string>;
  /** It knows walks under a lock that is held for reading. */
  readonly hasShared: boolean;
  /** What it takes for a hole to be filled: an entry of zeros, or any that is invalid (before v5.13). */
  readonly hole: 'empty' | 'invalid';
  /** Why verdicts on it should be looked at twice; null where there is no reason. */
  readonly note: string | null;
}

/** Throws NativeProblem: no tree, or one without what is needed. */
export function kernelTree(folder: string): KernelTree {
  const version = versionOf(folder);
  const header = textOf(folder, HEADER);
  const pgtable = textOf(folder, PGTABLE);
  const functions = functionsIn(header);
  if (!functions.has('kvm_pgtable_stage2_map')) {
    throw new NativeProblem(
      `${folder}: ${HEADER} declares no kvm_pgtable_stage2_map: it takes a kernel from v5.10 on`,
    );
  }
  const [major = 0, minor = 0] = version.split('.').map(Number);
  const isKnown = !isBefore([major, minor], KNOWN.first) && !isBefore(KNOWN.last, [major, minor]);
  const range = `${KNOWN.first.join('.')} to ${KNOWN.last.join('.')}`;
  return {
    folder,
    version,
    macros: macrosOf(header, pgtable, functions, readOptional(folder, TLBFLUSH), major),
    functions,
    hasShared: /\bKVM_PGTABLE_WALK_SHARED\b/.test(header),
    hole: /\bstage2_pte_is_counted\b/.test(pgtable) ? 'empty' : 'invalid',
    note: isKnown
      ? null
      : `v${version} is outside of ${range}, the versions that were tried: look at verdicts twice`,
  };
}

/** A file of the tree. Throws NativeProblem if it is not there. */
export function textOf(folder: string, file: string): string {
  const text = readOptional(folder, file);
  if (text !== null) return text;
  throw new NativeProblem(`${folder}: ${file} is not there; ${neededFiles()}`);
}

function neededFiles(): string {
  const files = ['Makefile', PGTABLE, HEADER, ...TLB_FLAVOURS.map(tlbFile)];
  return `of a kernel tree it takes ${files.slice(0, -1).join(', ')} and ${files.at(-1)}`;
}

/** The folder itself; of an archive what was unpacked of it. */
function treeRoot(folder: string): string {
  const files = ['Makefile', PGTABLE, HEADER, TLBFLUSH, ...TLB_FLAVOURS.map(tlbFile)];
  return rootOf(folder, files);
}

function readOptional(folder: string, file: string): string | null {
  const full = path.join(treeRoot(folder), file);
  if (statSync(full, { throwIfNoEntry: false })?.isFile() !== true) return null;
  return readFileSync(full, 'utf8');
}

function versionOf(folder: string): string {
  const there = statSync(treeRoot(folder), { throwIfNoEntry: false });
  if (there === undefined) throw new NativeProblem(`${folder}: there is no such folder`);
  if (!there.isDirectory()) {
    throw new NativeProblem(
      `${folder}: neither a folder nor an archive (.tar, .tar.gz, .tar.xz): ${neededFiles()}`,
    );
  }
  const makefile = readOptional(folder, 'Makefile');
  if (makefile === null) throw new NativeProblem(`${folder}: no kernel tree; ${neededFiles()}`);
  const word = (name: string): string | null =>
    new RegExp(`^${name}[ \\t]*=[ \\t]*(\\S*)`, 'm').exec(makefile)?.[1] ?? null;
  const [version, patchlevel] = [word('VERSION'), word('PATCHLEVEL')];
  if (!/^\d+$/.test(version ?? '') || !/^\d+$/.test(patchlevel ?? '')) {
    throw new NativeProblem(
      `${folder}: its Makefile says no VERSION and PATCHLEVEL, so it is no kernel tree`,
    );
  }
  if (
    statSync(path.join(treeRoot(folder), 'arch/arm64'), { throwIfNoEntry: false }) === undefined
  ) {
    throw new NativeProblem(
      `${folder}: v${version}.${patchlevel} without arch/arm64: a tree of another architecture?`,
    );
  }
  const sublevel = word('SUBLEVEL');
  return [version, patchlevel, ...(sublevel === null ? [] : [sublevel])].join('.');
}

/** `int kvm_pgtable_stage2_map(…);` of the header. */
function functionsIn(header: string): Map<string, string> {
  const declared = /^[a-z][\w \t*]*[ \t*](kvm_pgtable_stage2_\w+)\(([^;{}]*)\);/gm;
  return new Map([...header.matchAll(declared)].map(([, name = '', given = '']) => [name, given]));
}

function isBefore([a, b]: readonly [number, number], [c, d]: readonly [number, number]): boolean {
  return a < c || (a === c && b < d);
}

function macrosOf(
  header: string,
  pgtable: string,
  functions: ReadonlyMap<string, string>,
  tlbflush: string | null,
  major: number,
): string[] {
  const free =
    /\bvoid\s*\(\*\s*(free_(?:removed|unlinked)_table)\)\(void \*\w+,\s*(\w+) \w+\)/.exec(header);
  const saysOperand = tlbflush !== null && /\b__tlbi_level\b/.test(tlbflush);
  const takesAddress = saysOperand ? /\bvoid __tlbi_level\(/.test(tlbflush) : major >= 7;
  const lockedType = /\bKVM_INVALID_PTE_TYPE_LOCKED\b/.test(header);
  const takesFlags = (name: string): boolean =>
    functions.get(`kvm_pgtable_stage2_${name}`)?.includes('flags') === true;
  const macros: readonly (readonly [string, boolean])[] = [
    ['S2S_HAS_MM_OPS', /\bstruct kvm_pgtable_mm_ops\s*\{/.test(header)],
    ['S2S_HAS_CMO', /\(\*dcache_clean_inval_poc\)/.test(header)],
    [`S2S_FREE_TABLE=${free?.[1] ?? ''}`, free !== null],
    [`S2S_FREE_LEVEL=${free?.[2] ?? ''}`, free !== null],
    ['S2S_LOCKED_TYPE', lockedType],
    ['S2S_LOCKED_BIT', !lockedType && /#define\s+KVM_INVALID_PTE_LOCKED\b/.test(header)],
    ['S2S_HAS_SHARED', /\bKVM_PGTABLE_WALK_SHARED\b/.test(header)],
    ['S2S_HAS_HANDLE_FAULT', /\bKVM_PGTABLE_WALK_HANDLE_FAULT\b/.test(header)],
    ['S2S_MAP_FLAGS', takesFlags('map')],
    ['S2S_RELAX_FLAGS', takesFlags('relax_perms')],
    ['S2S_HAS_SPLIT', functions.has('kvm_pgtable_stage2_split')],
    ['S2S_HAS_UNMAP', functions.has('kvm_pgtable_stage2_unmap')],
    ['S2S_HAS_WRPROTECT', functions.has('kvm_pgtable_stage2_wrprotect')],
    ['S2S_HAS_RELAX', functions.has('kvm_pgtable_stage2_relax_perms')],
    ['S2S_TLBI_ADDRESS', takesAddress],
    ['S2S_MEMATTR_OF_ONE', /\bPAGE_S2_MEMATTR\((?:attr|\w+)\)/.test(pgtable)],
    ['S2S_T0SZ_FIELD', /FIELD_PREP\(VTCR_EL2_T0SZ\b/.test(pgtable)],
  ];
  return macros.flatMap(([macro, isSo]) => (isSo ? [`-D${macro}`] : []));
}
