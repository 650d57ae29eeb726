import { chmodSync, mkdirSync, readdirSync, readFileSync, readlinkSync, statSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { beforeEach, describe, expect, it } from 'vitest';
import { checkOutputFile, writeWhole } from '../../src/cli/output-file.ts';
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
    expect(() => writeWhole(file, 'new')).toThrow();
    expect(readFileSync(file, 'utf8')).toBe('old');
  });

  it('follows a link instead of replacing it', () => {
    writeFileSync(inFolder('real.json'), 'old');
    symlinkSync('real.json', inFolder('link.json'));
    writeWhole(checkOutputFile('json', inFolder('link.json')), 'new');
    expect(readlinkSync(inFolder('link.json'))).toBe('real.json');
    expect(readFileSync(inFolder('real.json'), 'utf8')).toBe('new');
  });

  it('writes into a device instead of replacing it', () => {
    writeWhole(checkOutputFile('json', '/dev/null'), 'x');
    expect(statSync('/dev/null').isCharacterDevice()).toBe(true);
  });

  it('is refused before anything runs where it cannot be', () => {
    expect(() => checkOutputFile('json', inFolder('none/out.json'))).toThrow('--json: there is no folder ');
    expect(() => checkOutputFile('json', folder)).toThrow('is a folder; name a file in it');
    writeFileSync(inFolder('file'), '');
    expect(() => checkOutputFile('json', inFolder('file/out.json'))).toThrow('there is no folder');
  });

  it.skipIf(process.getuid?.() === 0)('is refused in a folder that is read-only (root may write anywhere)', () => {
    chmodSync(folder, 0o500);
    expect(() => checkOutputFile('json', inFolder('out.json'))).toThrow('cannot be written');
  });
});
