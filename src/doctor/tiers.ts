/** Does V8 compile the vCPU's loop? The same loop, with its compilers and without. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { ownModule } from '../package/root.ts';
import type { TierFacts } from '../result/doctor.ts';
import type { AccessSpeed } from './access-speed.ts';

const SCRIPT = fileURLToPath(ownModule('../../workers/access-speed', import.meta.url));
/** Ignition alone. WebAssembly stays compiled: the walker's load is not what is asked about. */
const INTERPRETER_ONLY = ['--no-sparkplug', '--no-maglev', '--no-turbofan'];
const TIMEOUT_MS = 60_000;

async function speed(flags: readonly string[]): Promise<AccessSpeed> {
  const { stdout } = await promisify(execFile)(process.execPath, [...flags, SCRIPT], {
    timeout: TIMEOUT_MS,
  });
  return JSON.parse(stdout) as AccessSpeed;
}

export async function measureTiers(): Promise<TierFacts> {
  let compiled: AccessSpeed | null = null;
  let interpreted: AccessSpeed | null = null;
  let why: string | null = null;
  try {
    // One after the other: side by side they would take each other's core.
    compiled = await speed([]);
    interpreted = await speed(INTERPRETER_ONLY);
  } catch (error) {
    why = (error instanceof Error ? error.message : String(error)).split('\n')[0] ?? '';
  }
  return {
    optimisedNs: compiled?.settledNs ?? null,
    interpretedNs: interpreted?.settledNs ?? null,
    warmUpAccesses: compiled?.warmUpAccesses ?? null,
    why,
  };
}
