/**
 * Is a file a kernel that QEMU can start at EL2? Its header tells (Linux: Documentation/arch/arm64/
 * booting.rst): "ARM\x64" at 56, flags at 24 with the page size in bits 2:1.
 */
import { gunzipSync } from 'node:zlib';
import { TracerProblem } from './problem.ts';

export interface KernelImage {
  /** As QEMU takes it. */
  readonly bytes: Uint8Array;
  /** Such as 6.1.0-50-arm64; null where it is compressed and cannot be seen. */
  readonly release: string | null;
  /** Of the kernel, such as 4K. */
  readonly pages: string;
}

const MAGIC_AT = 56;
const FLAGS_AT = 24;
const PAGES = ['unknown', '4K', '16K', '64K'] as const;

/** Throws a TracerProblem where it is none. */
export function kernelImage(name: string, file: Uint8Array): KernelImage {
  const bytes = Buffer.from(file.buffer, file.byteOffset, file.length);
  if (bytes[0] === 0x1f && bytes[1] === 0x8b) return kernelImage(name, unpacked(name, bytes));
  const isImage = ascii(bytes, MAGIC_AT, 4) === 'ARM\x64';
  // An EFI program that unpacks itself (zboot): QEMU takes it apart where it is of gzip.
  if (isImage || ascii(bytes, 4, 4) === 'zimg') {
    const pages = isImage ? (PAGES[(bytes.readUInt8(FLAGS_AT) >> 1) & 3] ?? 'unknown') : 'unknown';
    return { bytes, release: releaseIn(bytes), pages };
  }
  throw new TracerProblem(
    `${name}: ${whatElse(bytes)}; expected an arm64 Image (vmlinuz of Debian)`,
  );
}

function unpacked(name: string, bytes: Buffer): Buffer {
  try {
    return gunzipSync(bytes);
  } catch {
    throw new TracerProblem(`${name}: a damaged gzip file; expected an arm64 Image`);
  }
}

function whatElse(bytes: Buffer): string {
  if (ascii(bytes, 0, 4) === '\x7fELF') {
    return bytes.length > 18 && bytes.readUInt16LE(18) === 183
      ? 'an ELF file (vmlinux): name arch/arm64/boot/Image beside it'
      : 'an ELF file of another architecture';
  }
  if (ascii(bytes, 514, 4) === 'HdrS') return 'a kernel for x86';
  if (ascii(bytes, 0, 7) === '!<arch>')
    return 'a Debian package: unpack it (dpkg -x) and name its vmlinuz';
  return bytes.length === 0 ? 'an empty file' : 'no kernel for arm64';
}

function ascii(bytes: Buffer, from: number, length: number): string {
  return bytes.subarray(from, from + length).toString('latin1');
}

function releaseIn(bytes: Buffer): string | null {
  const words = 'Linux version ';
  for (let at = bytes.indexOf(words); at >= 0; at = bytes.indexOf(words, at + 1)) {
    const [, release] = /^(\d[^\s%]*) \(/.exec(ascii(bytes, at + words.length, 96)) ?? [];
    if (release !== undefined) return release;
  }
  return null;
}
