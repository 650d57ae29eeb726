/**
 * A file for results. Whether it can be written is known before anything runs, and it is written
 * whole or not at all: into a temporary file beside it that takes its name at the end. A reader
 * never sees half a result.
 */
import {
  closeSync,
  constants,
  fsyncSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  realpathSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeSync,
} from 'node:fs';
import { accessSync, type Stats, writeFileSync } from 'node:fs';
import path from 'node:path';
import { shortPath, userPath } from '../../package/paths.ts';
import { UsageError } from '../../request/usage-error.ts';

declare const outputBrand: unique symbol;
/** An absolute path that could be written when the command started. */
export type OutputFile = string & { readonly [outputBrand]: true };

declare const folderBrand: unique symbol;
/** The same of a folder, which may have to be made first. */
export type OutputFolder = string & { readonly [folderBrand]: true };

export function checkOutputFile(flag: string, text: string): OutputFile {
  refuseEmpty(flag, text, 'a file');
  const file = userPath(text);
  const there = stat(file);
  if (there?.isDirectory())
    throw new UsageError(`--${flag}: ${text} is a folder; name a file in it`);
  const folder = path.dirname(file);
  refuseNoFolder(flag, folder);
  // A file is replaced by one made beside it; a device or a pipe is written to.
  if (!(there?.isFile() === false || takesFiles(folder)) || (there && !isWritable(file)))
    throw new UsageError(`--${flag}: ${text} cannot be written; choose another place`);
  return file as OutputFile;
}

function refuseNoFolder(flag: string, folder: string): void {
  const there = stat(folder);
  if (there?.isDirectory()) return;
  const name = shortPath(folder);
  throw new UsageError(
    there
      ? `--${flag}: ${name} is a file, and no folder to put anything in; choose another place`
      : `--${flag}: there is no folder ${name}; make it first`,
  );
}

/** A folder for several files: it is there, or the one it is to be made in is. */
export function checkOutputFolder(flag: string, text: string): OutputFolder {
  refuseEmpty(flag, text, 'a folder');
  const folder = userPath(text);
  const there = stat(folder);
  if (there && !there.isDirectory())
    throw new UsageError(`--${flag}: ${text} is a file; name a folder`);
  const writable = there ? folder : path.dirname(folder);
  refuseNoFolder(flag, writable);
  if (!takesFiles(writable))
    throw new UsageError(`--${flag}: ${text} cannot be written; choose another place`);
  return folder as OutputFolder;
}

/** An empty shell variable, mostly: it would mean the folder one is in. */
function refuseEmpty(flag: string, text: string, what: string): void {
  if (text === '') throw new UsageError(`--${flag}: the name is empty; name ${what}`);
}

function isWritable(file: string): boolean {
  try {
    accessSync(file, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}

/** Tried, because permissions alone do not say so: to root, /proc is writable like any other. */
function takesFiles(folder: string): boolean {
  try {
    rmdirSync(mkdtempSync(path.join(folder, '.stage2-stress-')));
    return true;
  } catch {
    return false;
  }
}

/** Makes the folder if it must, and names a file in it. */
export function fileIn(folder: OutputFolder, name: string): OutputFile {
  // Not recursive: its parent is there, and Node goes round for ever where one like /proc takes none.
  if (!stat(folder)) mkdirSync(folder);
  return path.join(folder, name) as OutputFile;
}

/** A file of its own, or none yet: not a pipe or device, where a second result follows the first. */
export function isReplaceable(file: OutputFile): boolean {
  return stat(file)?.isFile() ?? true;
}

export function writeWhole(file: OutputFile, text: string): void {
  const there = stat(file);
  // A device or a pipe (/dev/stdout) must be written to, not replaced by a file of its name.
  if (there && !there.isFile()) return writeFileSync(file, text);
  const target = there ? realpathSync(file) : file;
  const temporary = `${target}.${process.pid}.tmp`;
  try {
    writeDurably(temporary, text);
    renameSync(temporary, target);
  } catch (error) {
    rmSync(temporary, { force: true });
    throw error;
  }
}

function writeDurably(file: string, text: string): void {
  const descriptor = openSync(file, 'w');
  try {
    const bytes = Buffer.from(text, 'utf8');
    for (let done = 0; done < bytes.length;) done += writeSync(descriptor, bytes, done);
    fsyncSync(descriptor);
  } finally {
    closeSync(descriptor);
  }
}

function stat(file: string): Stats | undefined {
  return statSync(file, { throwIfNoEntry: false });
}
