/**
 * Reads one log piece by piece, `.gz` or plain, and judges it on the way: a log may be longer than
 * memory. Between pieces signals are heard.
 */
import {
  accessSync,
  closeSync,
  constants,
  openSync,
  readFileSync,
  readSync,
  statSync,
} from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { pipeline } from 'node:stream';
import { createGunzip, inflateRawSync } from 'node:zlib';
import type { BbmLevel } from '../../../arch/feat-bbm.ts';
import { LogReading } from '../../../casemate/index.ts';
import { grouped } from '../../../report/numbers.ts';
import type { TraceRun } from '../../../result/check-trace.ts';
import { userFolder, userPath } from '../../../package/paths.ts';
import type { Progress } from '../../progress.ts';
import { UsageError } from '../../../request/usage-error.ts';

const PIECE_BYTES = 1 << 20;
const MAGIC_BYTES = 4;
/** A larger packed file with something behind it is not read a second time. */
const REREAD_BYTES_MAX = 1 << 26;

/** What a file begins with: known by its bytes, not by its name. */
const COMPRESSED = {
  gzip: [0x1f, 0x8b],
  zstd: [0x28, 0xb5, 0x2f, 0xfd],
  xz: [0xfd, 0x37, 0x7a, 0x58],
  bzip2: [0x42, 0x5a, 0x68],
} as const;

export interface TraceFile {
  /** As the user named it. */
  readonly name: string;
  readonly path: string;
  /** Null: it is a pipe, which does not tell. */
  readonly bytes: number | null;
}

/** Throws a UsageError where there is no such file. */
export function traceFile(name: string): TraceFile {
  const path = userFolder() === process.cwd() ? name : userPath(name);
  try {
    const found = statSync(path);
    // What a pipe gives is gone once it was read.
    if (found.isFile() || found.isDirectory()) tryToRead(path);
    else accessSync(path, constants.R_OK);
    return { name, path, bytes: found.isFile() ? found.size : null };
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new UsageError(`check-trace: ${name}: cannot be read (${code}); name a log of casemate`);
  }
}

function tryToRead(path: string): void {
  const descriptor = openSync(path, 'r');
  try {
    readSync(descriptor, new Uint8Array(1));
  } finally {
    closeSync(descriptor);
  }
}

/** A first piece of a file, with what its kind is known by; a pipe gives bytes as they come. */
async function startOf(file: FileHandle): Promise<Uint8Array> {
  const bytes = new Uint8Array(PIECE_BYTES);
  let length = 0;
  while (length < MAGIC_BYTES) {
    const { bytesRead } = await file.read(bytes, length, bytes.length - length, null);
    if (bytesRead === 0) break;
    length += bytesRead;
  }
  return bytes.subarray(0, length);
}

export async function judgeFile(
  file: TraceFile,
  bbm: BbmLevel,
  signal: AbortSignal,
  progress: Progress<string>,
): Promise<TraceRun> {
  const reading = new LogReading(file.name, bbm);
  const handle = await open(file.path);
  const start = await startOf(handle);
  const packed = Object.entries(COMPRESSED).find(([, magic]) =>
    magic.every((byte, i) => start[i] === byte),
  )?.[0];
  if (packed !== undefined && packed !== 'gzip') {
    await handle.close();
    reading.broken(`expected text or gzip, got a file of ${packed}: unpack it first`);
    return reading.run(false);
  }
  const source = handle.createReadStream({ highWaterMark: PIECE_BYTES });
  source.unshift(start);
  const unpack = createGunzip({ chunkSize: PIECE_BYTES });
  // Its errors come out where the text is read.
  const text = packed === 'gzip' ? pipeline(source, unpack, () => {}) : source;
  text.setEncoding('utf8');
  let chars = 0;
  try {
    for await (const piece of text) {
      chars += String(piece).length;
      if (signal.aborted || !reading.push(String(piece))) break;
      progress.update(progressText(file, start.length + source.bytesRead, reading));
    }
    if (!signal.aborted) reading.end();
  } catch (error) {
    if (!(error instanceof Error && 'code' in error)) throw error;
    // The first text of the file began as it should: it is what follows that does not.
    if (error.message === 'incorrect header check') {
      const rest = textBeforeOthers(file).slice(chars);
      if (reading.push(rest)) reading.end();
      reading.broken('the packed text ends here, and bytes that are none of it follow');
    }
    reading.broken(`the file could not be read further (${error.message}): it was cut or damaged`);
  } finally {
    source.destroy();
  }
  return reading.run(signal.aborted);
}

/** Of a packed file that goes on with other bytes: the decoder gives nothing of the last piece. */
function textBeforeOthers({ path, bytes }: TraceFile): string {
  if (bytes === null || bytes > REREAD_BYTES_MAX) return '';
  const packed = readFileSync(path);
  return inflateRawSync(packed.subarray(gzipHeaderBytes(packed))).toString('utf8');
}

/** RFC 1952: ten bytes, and what the flags say is there. */
function gzipHeaderBytes(packed: Buffer): number {
  const flags = packed[3] ?? 0;
  const afterZero = (from: number): number => packed.indexOf(0, from) + 1;
  let at = 10;
  if ((flags & 4) !== 0) at += 2 + packed.readUInt16LE(at);
  if ((flags & 8) !== 0) at = afterZero(at);
  if ((flags & 16) !== 0) at = afterZero(at);
  return (flags & 2) !== 0 ? at + 2 : at;
}

function progressText({ name, bytes }: TraceFile, read: number, reading: LogReading): string {
  const share = bytes === null ? [] : [`${bytes === 0 ? 100 : Math.floor((100 * read) / bytes)} %`];
  const parts = [...share, `${grouped(reading.events)} events`];
  return [...parts, `${grouped(reading.causes)} causes of violations`, name].join('  ');
}
