/**
 * The native peer (native/peer.c): compiled into a temporary folder when it is asked for. No C
 * compiler is no error: what has no peer is measured alone, and says so.
 */
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { MixName } from './mixes.ts';
import type { Counts } from '../src/stress/thread/vcpu-alone.ts';

const SOURCE = fileURLToPath(new URL('native/peer.c', import.meta.url));
const FLAGS = ['-O2', '-std=c11', '-pthread', '-Wall', '-Wextra', '-Werror'];
const TIMEOUT_MS = 60_000;

const execute = promisify(execFile);

export interface Peer {
  readonly kind: 'peer';
  /** Operations per second of the benchmark `name`, measured for `ms`. */
  rate(name: string, ms: number): Promise<number>;
  /** What `accesses` accesses of a mix come to: equal to ours. */
  counts(name: MixName, accesses: number): Promise<Counts>;
  remove(): Promise<void>;
}

export interface NoPeer {
  readonly kind: 'none';
  readonly why: string;
}

/** `compiler`: a program that takes the arguments of cc. Throws if there is one and it refuses the source. */
export async function buildPeer(compiler = process.env['CC'] ?? 'cc'): Promise<Peer | NoPeer> {
  try {
    await execute(compiler, ['--version'], { timeout: TIMEOUT_MS });
  } catch {
    return { kind: 'none', why: `there is no C compiler (${compiler})` };
  }
  const folder = await mkdtemp(join(tmpdir(), 'stage2-peer-'));
  const binary = join(folder, 'peer');
  const remove = (): Promise<void> => rm(folder, { recursive: true, force: true });
  try {
    await execute(compiler, [...FLAGS, '-o', binary, SOURCE], { timeout: TIMEOUT_MS });
  } catch (error) {
    await remove();
    throw error;
  }
  async function run(...args: string[]): Promise<unknown> {
    const { stdout } = await execute(binary, args, { timeout: TIMEOUT_MS });
    return JSON.parse(stdout);
  }
  return {
    kind: 'peer',
    rate: async (name, ms) => ((await run('rate', name, String(ms))) as { rate: number }).rate,
    counts: async (name, accesses) => (await run('count', name, String(accesses))) as Counts,
    remove,
  };
}
