/**
 * The native peer does the same as ours, not just something like it: after the same number of
 * accesses both have walked, stored and written the same.
 */
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, test, vi } from 'vitest';
import { MIXES, type MixName } from '../../bench/mixes.ts';
import { buildPeer, type Peer } from '../../bench/peer.ts';
import { createVcpuAlone } from '../../src/stress/thread/vcpu-alone.ts';
import { emptyFolder } from '../cli/program.ts';

/** Not a multiple of a batch, and enough for every TLB slot to be evicted many times. */
const ACCESSES = 300_001;

function hasCompiler(): boolean {
  try {
    execFileSync(process.env['CC'] ?? 'cc', ['--version'], { stdio: 'ignore' });
    return true;
  } catch {
    return false;
  }
}

describe.skipIf(!hasCompiler())('with a C compiler', () => {
  let peer: Peer;

  beforeAll(async () => {
    const built = await buildPeer();
    if (built.kind === 'none') throw new Error(built.why);
    peer = built;
  });
  afterAll(() => peer.remove());

  test.each(Object.keys(MIXES) as MixName[])(
    '%s: the same walks, stores and memory',
    async (name) => {
      const ours = createVcpuAlone(MIXES[name]);
      ours.runAccesses(ACCESSES);
      ours.assertClean();
      expect(await peer.counts(name, ACCESSES)).toEqual(ours.counts());
    },
  );

  test('the mixes are what their names say', () => {
    const walksOf = (name: MixName): number => {
      const vcpu = createVcpuAlone(MIXES[name]);
      vcpu.runAccesses(ACCESSES);
      return vcpu.counts().walks;
    };
    expect(walksOf('tlb-hit')).toBe(512);
    expect(walksOf('walk-3-level')).toBe(ACCESSES);
    expect(walksOf('mixed') / ACCESSES).toBeCloseTo(0.5, 2);
  });

  test.each([...Object.keys(MIXES), 'coalesce-cycle'])('%s: a rate', async (name) => {
    expect(await peer.rate(name, 20)).toBeGreaterThan(0);
  });

  test('an unknown benchmark is refused', async () => {
    await expect(peer.rate('nonsense', 20)).rejects.toThrow('no such benchmark');
  });

  test('removes what it built', async () => {
    // Of its own: what others build at the same time is not looked at.
    const folder = emptyFolder();
    vi.stubEnv('TMPDIR', folder);
    try {
      const built = await buildPeer();
      expect(readdirSync(folder)).toHaveLength(1);
      if (built.kind === 'peer') await built.remove();
    } finally {
      vi.unstubAllEnvs();
    }
    expect(readdirSync(folder)).toEqual([]);
  });
});

test('without a C compiler there is no peer, and a reason', async () => {
  expect(await buildPeer('no-such-compiler')).toEqual({
    kind: 'none',
    why: 'there is no C compiler (no-such-compiler)',
  });
});
