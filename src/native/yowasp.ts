/** A process that holds LLVM as WebAssembly: C files and their headers in, a module out. */
import type { Built, Job, Unit } from './compiler.ts';

type Tree = { [name: string]: Tree | string | Uint8Array };

interface Llvm {
  readonly commands: Readonly<
    Record<string, (args: readonly string[], files: Tree, options: object) => Promise<Tree>>
  >;
}

const MODULE = '/protocol.wasm';

/** Folders within folders, from the root, as the package takes files. */
function treeOf(files: Job['files']): Tree {
  const root: Tree = {};
  for (const { path, text } of files) {
    const names = path.split('/').filter((name) => name !== '');
    const last = names.pop() ?? '';
    let folder = root;
    for (const name of names) folder = (folder[name] ??= {}) as Tree;
    folder[last] = text;
  }
  return root;
}

/**
 * What the linker would say, before there is an object. That holds each zero of a static, and this
 * LLVM's files grow slowly: 4 MiB took ten seconds, 64 MiB more than two minutes. Null where there
 * is no limit, and of what does not compile.
 */
async function tooManyStatics(
  { file, flags }: Unit,
  link: readonly string[],
  clang: (args: readonly string[]) => Promise<Tree>,
): Promise<string | null> {
  const [, max] = /^--max-memory=(\d+)$/m.exec(link.join('\n')) ?? [];
  if (max === undefined) return null;
  const made = await clang([...flags, '-g0', '-S', '-o', '/statics.s', file]).catch(() => null);
  const assembly = made?.['statics.s'];
  // What is UTF-8 comes as a string.
  if (typeof assembly !== 'string') return null;
  let bytes = 0;
  for (const [, size] of assembly.matchAll(/^\s*\.size\s+[^,\n]+,\s*(\d+)\s*$/gm)) {
    bytes += Number(size);
  }
  if (bytes <= Number(max)) return null;
  return `wasm-ld: error: maximum memory too small, ${bytes} bytes needed\n`;
}

async function build({ units, files, link }: Job): Promise<Built> {
  let output = '';
  const hear = (bytes: Uint8Array | null): void => {
    if (bytes !== null) output += Buffer.from(bytes).toString('utf8');
  };
  const options = { stdout: hear, stderr: hear, fetchProgress: () => {} };
  const { commands } = (await import('@yowasp/clang')) as unknown as Llvm;
  const { clang, 'wasm-ld': linker } = commands;
  if (clang === undefined || linker === undefined) throw new Error('it has no clang or no wasm-ld');
  try {
    const tree = treeOf(files);
    const objects: Tree = {};
    for (const [i, { file, flags }] of units.entries()) {
      const object = `${i}.o`;
      const tooMuch = await tooManyStatics({ file, flags }, link, (args) =>
        clang(args, tree, { ...options, stderr: () => {} }),
      );
      if (tooMuch !== null) return { wasm: null, output: output + tooMuch };
      const made = await clang([...flags, '-c', '-o', `/${object}`, file], tree, options);
      const bytes = made[object];
      if (bytes !== undefined) objects[object] = bytes;
    }
    const names = Object.keys(objects).map((name) => `/${name}`);
    const linked = await linker([...link, '-o', MODULE, ...names], objects, options);
    const wasm = linked[MODULE.slice(1)] as Uint8Array | undefined;
    return { wasm: wasm === undefined ? null : new Uint8Array(wasm), output };
  } catch (error) {
    // Its Exit: the compiler has said why.
    if (error instanceof Error && 'code' in error && output !== '') return { wasm: null, output };
    throw error;
  }
}

process.on('message', (job: Job) => {
  void build(job).then(
    (built) => process.send?.(built),
    (error: unknown) =>
      process.send?.({
        wasm: null,
        output: `${job.units[0]?.file ?? ''}:1:1: error: @yowasp/clang failed: ${String(error)}`,
      } satisfies Built),
  );
});
process.on('disconnect', () => process.exit());
