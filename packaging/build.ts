/** Makes `dist`: everything of the package that is not in the clone as it is. */
import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  cpSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { BIN } from './manifest.ts';
import { stripped } from './strip.ts';

const SOURCES = ['src', 'workers', 'bench'];
/** What the program reads or starts beside its modules, at the same places. */
const AS_THEY_ARE = [
  'bench/native',
  'test/litmus/own',
  'src/cli/node-guard.js',
  'src/cli/node-needed.js',
  'src/cli/own-modules.js',
];

export function build(root: string): void {
  const dist = path.join(root, 'dist');
  // What is of an earlier build may have no source any more.
  rmSync(dist, { recursive: true, force: true });
  for (const folder of SOURCES) strip(root, folder, dist);
  for (const name of AS_THEY_ARE) {
    cpSync(path.join(root, name), path.join(dist, name), { recursive: true });
  }
  cpSync(path.join(root, 'packaging/bin.js'), path.join(root, BIN));
  chmodSync(path.join(root, BIN), 0o755);
  declare(root);
}

function strip(root: string, folder: string, dist: string): void {
  const names = readdirSync(path.join(root, folder), { recursive: true, encoding: 'utf8' });
  for (const name of names.filter((each) => each.endsWith('.ts'))) {
    const target = path.join(dist, folder, name.replace(/\.ts$/, '.js'));
    mkdirSync(path.dirname(target), { recursive: true });
    writeFileSync(target, stripped(readFileSync(path.join(root, folder, name), 'utf8')));
  }
}

/** Types, by the compiler. */
function declare(root: string): void {
  const manifest = createRequire(path.join(root, 'package.json')).resolve(
    'typescript/package.json',
  );
  const tsc = path.join(path.dirname(manifest), 'bin/tsc');
  const project = path.join(root, 'packaging/tsconfig.json');
  const { status, stdout } = spawnSync(process.execPath, [tsc, '-p', project], {
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`tsc ended with ${status}: ${stdout}`);
}
