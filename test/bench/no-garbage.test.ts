/**
 * The loop of a vCPU makes no garbage: a collection would stop it in the middle of a race. With a
 * young generation of 1 MiB even 8 bytes for every tenth access would be collected several times
 * within the run.
 */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, test } from 'vitest';
import type { AccessMode } from '../../src/machine/walk/descriptor-load.ts';
import type { MixName } from '../../bench/mixes.ts';

const FIXTURE = fileURLToPath(new URL('fixtures/garbage.ts', import.meta.url));
const HEAP = ['--expose-gc', '--min-semi-space-size=1', '--max-semi-space-size=1'];

async function collectionsOf(mix: MixName, access: AccessMode): Promise<number> {
  const { stdout } = await promisify(execFile)(process.execPath, [...HEAP, FIXTURE, mix, access]);
  const { collections, seen } = JSON.parse(stdout) as { collections: number; seen: number };
  // The two that were asked for: without them nothing was observed at all.
  expect(seen).toBeGreaterThanOrEqual(2);
  return collections;
}

test.each<[MixName, AccessMode]>([
  ['tlb-hit', 'wasm'],
  ['walk-3-level', 'wasm'],
  ['mixed', 'wasm'],
  ['mixed', 'plain'],
])('%s with %s loads: no collection in four million accesses', async (mix, access) => {
  expect(await collectionsOf(mix, access)).toBe(0);
});

test('the control: Atomics.load makes a BigInt for each descriptor, and is collected', async () => {
  expect(await collectionsOf('walk-3-level', 'atomics')).toBeGreaterThan(20);
});
