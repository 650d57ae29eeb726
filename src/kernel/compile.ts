/**
 * The files of a tree, as they are, and the shim to one module, compiled once for each content. What is
 * compiled lies in the cache of the user, never in this project's folders.
 */
import { createHash } from 'node:crypto';
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { PACKAGE_ROOT } from '../package/root.ts';
import {
  type Compiled,
  type Compiler,
  compilerStarts,
  diagnosticsIn,
  findCompiler,
  type Job,
  NativeProblem,
  NOWHERE,
  readCache,
  type SourceFile,
  writeCache,
} from '../native/index.ts';
import { HEADER, type KernelTree, PGTABLE, textOf, type TlbFlavour, tlbFile } from './tree.ts';

export const SHIM = path.join(PACKAGE_ROOT, 'src/kernel/shim');
const INCLUDES = `${NOWHERE}/include`;

const FLAGS: readonly string[] = [
  '--target=wasm32',
  '-O2',
  '-gdwarf-4',
  '-std=gnu11',
  '-ffreestanding',
  '-fno-builtin',
  '-mmutable-globals',
  // As the kernel is compiled.
  '-fno-strict-aliasing',
  '-fwrapv',
  '-fno-delete-null-pointer-checks',
  '-fno-finite-loops',
  '-fno-caret-diagnostics',
  '-fno-color-diagnostics',
  '-w',
  '-Werror=implicit-function-declaration',
  '-Werror=implicit-int',
  '-Werror=int-conversion',
  `-I${INCLUDES}`,
];

/** A call before each load and store: plain ones of a table entry are found this way. */
const WATCHED = '-fsanitize-coverage=trace-pc,trace-loads,trace-stores';

/** Bytes of C stack. It lies lowest, so that an overflow traps. */
const STACK_BYTES = 16_384;
/** Handles of table pages lie above the statics, where nothing else does. */
export const ENTRIES_AT = 0x10_0000;
/** As in glue.c: pages below entries that a smaller machine does not have. */
export const NOWHERE_AT = 0x50_0000;
export const MEMORY_BYTES = 2 ** 23;

const LINK: readonly string[] = [
  '--no-entry',
  '--stack-first',
  '--gc-sections',
  '-z',
  `stack-size=${STACK_BYTES}`,
  `--initial-memory=${MEMORY_BYTES}`,
  '--export=__stack_pointer',
  '--export=__heap_base',
];

const unwritten = new Map<string, Compiled>();

/** Throws NativeProblem, with what the compiler misses. */
export async function compileTree(
  tree: KernelTree,
  flavour: TlbFlavour,
  find: () => Promise<Compiler> = findCompiler,
): Promise<Compiled> {
  const job = jobOf(tree, flavour);
  const key = createHash('sha256').update(JSON.stringify(job)).digest('hex');
  const cached = unwritten.get(key) ?? readCache(key);
  if (cached !== null) return cached;
  compilerStarts(tree.folder);
  const { wasm, output } = await (await find()).build(job);
  if (wasm === null) throw new NativeProblem(problemIn(output, tree));
  const compiled: Compiled = { wasm, warnings: [] };
  if (!writeCache(key, compiled)) unwritten.set(key, compiled);
  return compiled;
}

/** Everything of the tree that is compiled: a token of its protocols is of this text. */
export function treeText(tree: KernelTree, flavour: TlbFlavour): string {
  const files = [HEADER, PGTABLE, tlbFile(flavour)].map((file) => textOf(tree.folder, file));
  return [...tree.macros, ...files].join('\0');
}

function jobOf(tree: KernelTree, flavour: TlbFlavour): Job {
  const own = (file: string): SourceFile => ({
    path: path.join(tree.folder, file),
    text: textOf(tree.folder, file),
  });
  const [pgtable, tlb] = [own(PGTABLE), own(tlbFile(flavour))];
  const header: SourceFile = { path: `${INCLUDES}/asm/kvm_pgtable.h`, text: own(HEADER).text };
  const shims = readdirSync(SHIM).map((name): SourceFile => {
    const file = path.join(SHIM, name);
    return { path: file, text: readFileSync(file, 'utf8') };
  });
  const glue = path.join(SHIM, 'glue.c');
  const shim = ['-include', path.join(SHIM, 'shim.h')];
  const flags = [...FLAGS, ...tree.macros, `-DS2S_VHE=${flavour === 'vhe' ? 1 : 0}`, ...shim];
  return {
    units: [
      { file: pgtable.path, flags: [...flags, WATCHED] },
      {
        file: tlb.path,
        flags: [...flags, ...encodingsIn(tlb.text), '-include', path.join(SHIM, 'tlb.h')],
      },
      { file: glue, flags },
    ],
    files: [pgtable, tlb, ...shims, header, ...emptyHeaders([pgtable, tlb, header])],
    link: LINK,
  };
}

/** Encodings of TLBIs that guests of a guest use: no code that is run here looks at them. */
function encodingsIn(text: string): string[] {
  const names = [...new Set([...text.matchAll(/\bOP_TLBI_\w+/g)].map(([name]) => name))];
  return names.map((name, i) => `-D${name}=${i + 1}`);
}

/** Whatever else is included is empty: shim.h has the words, or the compiler misses them. */
function emptyHeaders(files: readonly SourceFile[]): readonly SourceFile[] {
  const names = files.flatMap(({ text }) =>
    [...text.matchAll(/^[ \t]*#[ \t]*include[ \t]*[<"]([^>"\n]+)[>"]/gm)].map(
      ([, name = '']) => name,
    ),
  );
  return [...new Set(names)]
    .filter((name) => name !== 'asm/kvm_pgtable.h')
    .map((name) => ({ path: `${INCLUDES}/${name}`, text: '' }));
}

/** A name that the compiler or the linker does not know. */
const MISSING =
  /(?:undeclared (?:identifier|function)|unknown type name|undefined symbol:?) '?(\w+)/;

/** One line: what the compiler missed, and whose it is to mend. */
function problemIn(output: string, { folder, version }: KernelTree): string {
  const errors = diagnosticsIn(output).filter(({ severity }) => severity === 'error');
  const [first] = errors;
  if (first === undefined) {
    const said = output.trim().split('\n').at(-1) ?? '';
    return `${folder}: the compiler failed on v${version}: ${said === '' ? 'it does not say why' : said}`;
  }
  const { where, what } = first;
  const more = errors.length - 1;
  const rest = more === 0 ? '' : ` (and ${more} more error${more === 1 ? '' : 's'})`;
  const header = `${INCLUDES}/asm/kvm_pgtable.h`;
  const place = where?.replace(header, path.join(folder, HEADER)) ?? folder;
  const missing = MISSING.exec(what)?.[1];
  const shim =
    missing === undefined
      ? 'the shim does not fit this tree'
      : `the shim of this project has no word for ${missing}, or the tree does not`;
  return `${place}: ${what}${rest}: ${shim}; src/kernel/shim/shim.h is where it belongs`;
}
