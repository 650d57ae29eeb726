import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { expect, it } from 'vitest';
import { readResult } from '../../src/result/read.ts';
import { emptyFolder, typed } from './program.ts';

const REPORTS = ['junit.xml', 'report.html', 'results.json', 'results.ktap', 'summary.md'];

it('--out writes the JSON and every form of report into a folder that it makes', async () => {
  const folder = emptyFolder();
  const args = [
    '--protocol',
    'bbm-late,rfc-nt-posted',
    '--out',
    'site',
    '--shard',
    '2/2',
    '--quiet',
  ];
  const seen = await typed(['explore', ...args], folder);
  expect([seen.code, seen.files]).toEqual([1, ['site']]);
  expect(readdirSync(path.join(folder, 'site'))).toEqual(REPORTS);
  const text = (name: string) => readFileSync(path.join(folder, 'site', name), 'utf8');
  expect(readResult(text('results.json'))).toMatchObject({
    command: 'explore',
    shard: { index: 2, count: 2 },
    runs: [{ protocol: 'rfc-nt-posted' }],
  });
  for (const name of REPORTS) expect(text(name)).toContain('rfc-nt-posted');
});

it('--out below a file says that it is one', async () => {
  const folder = emptyFolder();
  writeFileSync(path.join(folder, 'notes.txt'), '');
  for (const flag of ['--out', '--json']) {
    const seen = await typed(['explore', flag, 'notes.txt/x'], folder);
    expect(seen.err).toContain(`${flag}: notes.txt is a file, and no folder`);
    expect(seen.code).toBe(2);
  }
});

it('--out that cannot be is refused before anything runs', async () => {
  const folder = emptyFolder();
  for (const command of ['explore', 'stress', 'selftest']) {
    const seen = await typed([command, '--out', 'no/where'], folder);
    expect(seen.err).toBe('stage2-stress: --out: there is no folder no; make it first\n');
    expect([seen.code, seen.out, seen.files]).toEqual([2, '', []]);
  }
});

it.skipIf(process.platform !== 'linux').each([
  ['--out', '/proc/here'],
  ['--json', '/proc/here.json'],
])('%s %s, where not even root can make anything, is refused too', async (flag, place) => {
  const seen = await typed(['explore', '--protocol', 'bbm-late', flag, place], emptyFolder());
  expect(seen.err).toBe(
    `stage2-stress: ${flag}: ${place} cannot be written; choose another place\n`,
  );
  expect([seen.code, seen.out]).toEqual([2, '']);
});
