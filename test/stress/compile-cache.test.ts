import { existsSync, readdirSync } from 'node:fs';
import { afterEach, expect, test } from 'vitest';
import { Worker } from 'node:worker_threads';
import { once } from 'node:events';
import { withCompileCache } from '../../src/stress/compile-cache.ts';

const given = process.env['NODE_COMPILE_CACHE'];
afterEach(() => {
  if (given === undefined) delete process.env['NODE_COMPILE_CACHE'];
  else process.env['NODE_COMPILE_CACHE'] = given;
});

test('threads started within leave something in it, and it is gone at the end', async () => {
  delete process.env['NODE_COMPILE_CACHE'];
  let folder = '';
  await withCompileCache(async () => {
    folder = process.env['NODE_COMPILE_CACHE'] ?? '';
    const module = new URL('../../src/arch/geometry.ts', import.meta.url);
    await once(new Worker(module), 'exit');
    expect(readdirSync(folder)).not.toEqual([]);
  });
  expect(existsSync(folder)).toBe(false);
  expect(process.env['NODE_COMPILE_CACHE']).toBeUndefined();
});

test('is gone after a failure, too', async () => {
  delete process.env['NODE_COMPILE_CACHE'];
  let folder = '';
  const failing = withCompileCache(() => {
    folder = process.env['NODE_COMPILE_CACHE'] ?? '';
    return Promise.reject(new Error('no'));
  });
  await expect(failing).rejects.toThrow('no');
  expect(existsSync(folder)).toBe(false);
});

test("keeps the user's own", async () => {
  process.env['NODE_COMPILE_CACHE'] = '/nowhere';
  const seen = await withCompileCache(() => Promise.resolve(process.env['NODE_COMPILE_CACHE']));
  expect(seen).toBe('/nowhere');
  expect(process.env['NODE_COMPILE_CACHE']).toBe('/nowhere');
});
