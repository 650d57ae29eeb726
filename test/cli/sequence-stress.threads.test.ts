/** A plain sequence in a stress run, as a user starts one. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { emptyFolder, program } from './program.ts';

const WRONG = 'str 0; dsb ishst; tlbi vmalls12e1is; str block; free child';
const MINUTES = { timeout: 180_000 };

test('stress runs a sequence, and its command for explore is one', MINUTES, () => {
  const folder = emptyFolder();
  const flags = ['--rounds', '20', '--vcpus', '1', '--seed', '1', '--quiet', '--json', 'x.json'];
  const seen = program(['stress', '--sequence', WRONG, ...flags], folder);
  const { runs } = JSON.parse(readFileSync(path.join(folder, 'x.json'), 'utf8')) as {
    runs: { protocol: string; violations: { exploreCommand: string }[] }[];
  };
  expect(seen.code).toBe(1);
  expect(runs[0]?.protocol).toBe('sequence');
  expect(runs[0]?.violations[0]?.exploreCommand).toContain(
    '--sequence "str 0; dsb ishst; tlbi vmalls12e1is; str block; free child" --cpu bbm=1',
  );
});
