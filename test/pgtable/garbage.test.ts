/**
 * A split builds a table and a coalesce frees one, and each collection they cause stops the
 * hypervisor, perhaps within a window. A few words per cycle are left (what a 64-bit exchange of the
 * free list's head takes); making each page's attributes anew would be ten times that.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';

const FIXTURE = fileURLToPath(new URL('fixtures/subtree-garbage.ts', import.meta.url));
const HEAP = ['--min-semi-space-size=1', '--max-semi-space-size=1'];

test('20,000 subtrees built and freed: few collections of a young generation of 1 MiB', async () => {
  const { stdout } = await promisify(execFile)(process.execPath, [...HEAP, FIXTURE]);
  expect(Number(stdout)).toBeLessThan(10);
});
