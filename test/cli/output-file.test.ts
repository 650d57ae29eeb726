import { spawnSync } from 'node:child_process';
import {
  chmodSync,
  closeSync,
  constants,
  mkdirSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  readSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkOutputFile, writeWhole } from '../../src/cli/files/output-file.ts';
import { emptyFolder } from './program.ts';

let folder: string;
beforeEach(() => {
  folder = emptyFolder();
});

const inFolder = (name: string): string => path.join(folder, name);

describe('an output file', () => {
  it('is written whole, over an old one too, and nothing is left beside it', () => {
    const file = checkOutputFile('json', inFolder('out.json'));
    expect(readdirSync(folder)).toEqual([]);
    writeWhole(file, 'first');
    writeWhole(file, 'sécond');
    expect(readFileSync(file, 'utf8')).toBe('sécond');
    expect(readdirSync(folder)).toEqual(['out.json']);
  });

  it('keeps the old content if writing fails, and leaves no pieces', () => {
    writeFileSync(inFolder('out.json'), 'old');
    const file = checkOutputFile('json', inFolder('out.json'));
    // A folder in place of the temporary file: opening it for writing fails, as a full disk would.
    mkdirSync(`${inFolder('out.json')}.${process.pid}.tmp`);
    expect(() => writeWhole(file, 'new')).toThrow('EISDIR');
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  it('follows a link instead of replacing it', () => {
    writeFileSync(inFolder('real.json'), 'old');
    symlinkSync('real.json', inFolder('link.json'));
    writeWhole(checkOutputFile('json', inFolder('link.json')), 'new');
    expect(readlinkSync(inFolder('link.json'))).toBe('real.json');
    expect(readFileSync(inFolder('real.json'), 'utf8')).toBe('new');
  });

  it('writes into a pipe or device instead of replacing it', () => {
    // A pipe of our own: were this to fail with /dev/null, root would have replaced the machine's.
    expect(spawnSync('mkfifo', [inFolder('pipe')]).status).toBe(0);
    const reader = openSync(inFolder('pipe'), constants.O_RDONLY | constants.O_NONBLOCK);
    try {
      writeWhole(checkOutputFile('json', inFolder('pipe')), 'text');
      expect(statSync(inFolder('pipe')).isFIFO()).toBe(true);
      const bytes = Buffer.alloc(10);
      expect(bytes.toString('utf8', 0, readSync(reader, bytes))).toBe('text');
    } finally {
      closeSync(reader);
    }
  });

  it('is refused before anything runs where it cannot be', () => {
    expect(() => checkOutputFile('json', inFolder('none/out.json'))).toThrow(
      '--json: there is no folder ',
    );
    expect(() => checkOutputFile('json', folder)).toThrow('is a folder; name a file in it');
    writeFileSync(inFolder('file'), '');
    expect(() => checkOutputFile('json', inFolder('file/out.json'))).toThrow(
      'is a file, and no folder',
    );
  });

  it.skipIf(process.getuid?.() === 0)(
    'is refused in a folder that is read-only (root may write anywhere)',
    () => {
      chmodSync(folder, 0o500);
      expect(() => checkOutputFile('json', inFolder('out.json'))).toThrow('cannot be written');
    },
  );
});
