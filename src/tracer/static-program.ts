/** Can the first file system run a program: an ELF of arm64 that needs nothing beside itself? */
import { TracerProblem } from './problem.ts';

const ELF = '\x7fELF';
const AARCH64 = 183;
const PT_INTERP = 3;
const HEADER_BYTES = 64;

/** Throws a TracerProblem where it cannot. `alone`: there is no file system of the user's. */
export function checkProgram(name: string, file: Uint8Array, alone: boolean): void {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  const expected = 'expected a static arm64 program';
  if (bytes.length < HEADER_BYTES || bytes.subarray(0, 4).toString('latin1') !== ELF)
    throw new TracerProblem(`${name}: no ELF file; ${expected}`);
  if (bytes[4] !== 2 || bytes[5] !== 1 || bytes.readUInt16LE(18) !== AARCH64)
    throw new TracerProblem(`${name}: a program of another architecture; ${expected}`);
  if (alone && isDynamic(bytes)) {
    throw new TracerProblem(
      `${name}: it needs shared libraries; link it with -static, or bring them with --initrd`,
    );
  }
}

function isDynamic(bytes: Buffer): boolean {
  const at = Number(bytes.readBigUInt64LE(32));
  const size = bytes.readUInt16LE(54);
  const count = bytes.readUInt16LE(56);
  return Array.from({ length: count }, (_, i) => at + i * size).some(
    (offset) => offset + 4 <= bytes.length && bytes.readUInt32LE(offset) === PT_INTERP,
  );
}
