import { describe, expect, it } from 'vitest';
import {
  CHARACTER_DEVICE,
  cpioArchive,
  FOLDER,
  joinArchives,
  PROGRAM,
} from '../../src/tracer/cpio.ts';
import { initramfs } from '../../src/tracer/initramfs.ts';

interface Unpacked {
  readonly name: string;
  readonly mode: number;
  readonly device: string;
  readonly content: string;
}

/** As Linux reads it: headers of 110 bytes, names and contents padded to four. */
function unpack(archive: Uint8Array): Unpacked[] {
  const bytes = Buffer.from(archive);
  const files: Unpacked[] = [];
  const up = (n: number): number => Math.ceil(n / 4) * 4;
  for (let at = 0; at < bytes.length;) {
    const field = (i: number): number =>
      Number.parseInt(bytes.toString('latin1', at + 6 + 8 * i, at + 14 + 8 * i), 16);
    expect(bytes.toString('latin1', at, at + 6)).toBe('070701');
    const [size, nameSize] = [field(6), field(11)];
    const name = bytes.toString('utf8', at + 110, at + 110 + nameSize - 1);
    const from = up(at + 110 + nameSize);
    const content = bytes.toString('utf8', from, from + size);
    files.push({ name, mode: field(1), device: `${field(9)}:${field(10)}`, content });
    at = up(from + size);
  }
  return files;
}

describe('an archive', () => {
  it('has one header of 110 characters for each file, names and contents padded', () => {
    const text = Buffer.from(
      cpioArchive([{ name: 'ab', mode: PROGRAM, content: Buffer.from('hello') }]),
    );
    expect(text.toString('latin1', 0, 124)).toBe(
      '07070100000001000081ED000000000000000000000001000000000000000500000000000000000000000000000000' +
        '0000000300000000ab\0\0\0\0hello\0\0\0',
    );
    expect(text.length % 4).toBe(0);
    expect(unpack(text).map(({ name }) => name)).toEqual(['ab', 'TRAILER!!!']);
  });

  it('has folders, programs and device nodes', () => {
    const files = unpack(
      cpioArchive([
        { name: 'dev', mode: FOLDER },
        { name: 'dev/console', mode: CHARACTER_DEVICE, device: { major: 5, minor: 1 } },
      ]),
    );
    expect(files).toMatchObject([
      { name: 'dev', mode: 0o40755 },
      { name: 'dev/console', mode: 0o20600, device: '5:1' },
      { name: 'TRAILER!!!' },
    ]);
  });
});

describe('the first file system', () => {
  const init = Buffer.from('ours');

  it('has our program as /init and a console', () => {
    const names = unpack(initramfs({ init, program: null, user: null })).map(({ name }) => name);
    expect(names).toEqual(['dev', 'dev/console', 'proc', 'sys', 'init', 'TRAILER!!!']);
  });

  it('has the user’s program, and the user’s archive before ours, so that our /init is the last', () => {
    const user = cpioArchive([{ name: 'init', mode: PROGRAM, content: Buffer.from('theirs!') }]);
    const program = Buffer.from('run me');
    const files = unpack(initramfs({ init, program, user }));
    const inits = files.filter(({ name }) => name === 'init').map(({ content }) => content);
    expect(inits).toEqual(['theirs!', 'ours']);
    expect(files).toContainEqual(expect.objectContaining({ name: 'program', content: 'run me' }));
    expect(joinArchives([Buffer.from('abc'), Buffer.from('de')]).length).toBe(8);
  });
});
