/** A variant of a question as a participant, measured in a process of its own (sampler.ts). */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { ownModule } from '../src/package/root.ts';
import { fillCompileCache } from '../src/stress/process/compile-cache.ts';
import type { Answer } from './sampler.ts';
import type { Participant } from './turns.ts';

const SAMPLER = ownModule('sampler', import.meta.url);
/** Starting a process, compiling, measuring: a sample that takes longer hangs. */
const TIMEOUT_MS = 60_000;

export interface Variant<T = number> extends Participant<T> {
  /** Ends the process. Throws if the run turns out to have been wrong. */
  close(): Promise<void>;
}

export interface Variants<T> {
  readonly started: readonly Variant<T>[];
  /** Ends all processes. Throws if one of the runs turns out to have been wrong. */
  readonly close: () => Promise<void>;
}

/**
 * `file`: URL of the benchmark, whose samples are `T`. As the threads of a campaign do, the processes
 * start with their modules compiled (src/stress/process/compile-cache.ts says what that changes).
 */
export async function startVariants<T = number>(
  file: string,
  names: readonly string[],
): Promise<Variants<T>> {
  const cache = await fillCompileCache([SAMPLER.href, file]);
  const started = names.map((name) => startVariant<T>(file, name, cache.env));
  return {
    started,
    async close() {
      const closed = await Promise.allSettled(started.map((variant) => variant.close()));
      cache.remove();
      for (const one of closed) if (one.status === 'rejected') throw one.reason;
    },
  };
}

function startVariant<T>(file: string, name: string, env: NodeJS.ProcessEnv): Variant<T> {
  const child = fork(fileURLToPath(SAMPLER), [file, name], { execArgv: [], env });
  const exited = once(child, 'exit').then(([code]) => code as number | null);
  return {
    name,
    sample: (ms) => sampleOf<T>(child, exited, name, ms),
    async close() {
      if (child.connected) child.disconnect();
      const timer = setTimeout(() => child.kill('SIGKILL'), TIMEOUT_MS);
      const code = await exited;
      clearTimeout(timer);
      if (code !== 0) throw new Error(`${name}: the measuring process ended with ${code}`);
    },
  };
}

async function sampleOf<T>(
  child: ChildProcess,
  exited: Promise<number | null>,
  name: string,
  ms: number,
): Promise<T> {
  const answered = once(child, 'message', { signal: AbortSignal.timeout(ms + TIMEOUT_MS) });
  child.send(ms);
  const first = await Promise.race([answered, exited]);
  if (!Array.isArray(first)) throw new Error(`${name}: the measuring process ended with ${first}`);
  const answer = first[0] as Answer<T>;
  if ('error' in answer) throw new Error(`${name}: ${answer.error}`);
  return answer.sample;
}
