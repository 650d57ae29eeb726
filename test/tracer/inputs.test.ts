/** What is taken for a kernel and for a program, and what is said of what is neither. */
import { gzipSync } from 'node:zlib';
import { describe, expect, it } from 'vitest';
import { kernelImage } from '../../src/tracer/kernel-image.ts';
import { checkProgram } from '../../src/tracer/static-program.ts';

function bytesWith(parts: Readonly<Record<number, string | number>>, length = 1024): Buffer {
  const bytes = Buffer.alloc(length);
  for (const [at, what] of Object.entries(parts)) {
    if (typeof what === 'string') bytes.write(what, Number(at), 'latin1');
    else bytes.writeUInt16LE(what, Number(at));
  }
  return bytes;
}

describe('a kernel', () => {
  const image = bytesWith({
    24: 0b1010,
    56: 'ARM\x64',
    200: 'Linux version %s ',
    300: 'Linux version 6.1.0-50-arm64 (debian-kernel@',
  });

  it('is told by its header, packed or not, with its release and page size', () => {
    const seen = { release: '6.1.0-50-arm64', pages: '4K' };
    expect(kernelImage('Image', image)).toMatchObject(seen);
    const packed = kernelImage('Image.gz', gzipSync(image));
    expect(packed).toMatchObject(seen);
    // QEMU gets what is in it.
    expect(Buffer.compare(packed.bytes, image)).toBe(0);
    expect(kernelImage('x', bytesWith({ 24: 0b1110, 56: 'ARM\x64' }))).toMatchObject({
      release: null,
      pages: '64K',
    });
    expect(kernelImage('x', bytesWith({ 0: 'MZ', 4: 'zimg' })).pages).toBe('unknown');
  });

  it.each([
    ['an x86 kernel', bytesWith({ 514: 'HdrS' }), 'x: a kernel for x86; expected an arm64 Image'],
    ['vmlinux', bytesWith({ 0: '\x7fELF', 18: 183 }), 'name arch/arm64/boot/Image beside it'],
    ['a program', bytesWith({ 0: '\x7fELF', 18: 62 }), 'an ELF file of another architecture'],
    ['a package', bytesWith({ 0: '!<arch>\n' }), 'dpkg -x'],
    ['nothing', Buffer.alloc(0), 'an empty file'],
    ['half a .gz', gzipSync(image).subarray(0, 40), 'a damaged gzip file'],
    ['text', Buffer.from('hello'), 'no kernel for arm64'],
  ])('is not %s', (_, bytes, why) => {
    expect(() => kernelImage('x', bytes)).toThrow(why);
  });
});

describe('a program of the user’s', () => {
  const elf = { 0: '\x7fELF', 4: 0x0102, 18: 183, 32: 64, 54: 56, 56: 1 };

  it('is static, or has a file system of its own', () => {
    expect(() => checkProgram('x', bytesWith({ ...elf, 64: 1 }), true)).not.toThrow();
    const dynamic = bytesWith({ ...elf, 64: 3 });
    expect(() => checkProgram('x', dynamic, true)).toThrow('link it with -static');
    expect(() => checkProgram('x', dynamic, false)).not.toThrow();
  });

  it.each([
    ['text', Buffer.from('#!/bin/sh'), 'x: no ELF file; expected a static arm64 program'],
    ['for x86', bytesWith({ ...elf, 18: 62 }), 'a program of another architecture'],
  ])('is not %s', (_, bytes, why) => {
    expect(() => checkProgram('x', bytes, true)).toThrow(why);
  });
});
