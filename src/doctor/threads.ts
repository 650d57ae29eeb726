/**
 * The doctor's own threads: what they find out about pinning and ordering. A thread that throws or
 * dies rejects; one that hangs gives up by itself (ordering-thread.ts).
 */
import { Worker } from 'node:worker_threads';
import { ownModule } from '../package/root.ts';
import type { OrderingFacts, PinFacts } from '../result/doctor.ts';
import { PROBE_BYTES, type ProbeCounts, type ProbeTask } from './ordering-thread.ts';
import type { PinCounts } from './pin-thread.ts';

const WORKER = ownModule('../../workers/doctor', import.meta.url);
/** Of each of four; the JIT needs the first few. */
const PROBE_MS = 250;
const PROBE_TIMEOUT_MS = 20_000;
/** Two are enough to know, and each costs a process that is started. */
const PINS_TRIED = 2;

function answerOf<T>(task: object): Promise<T> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(WORKER, { workerData: task });
    worker.once('message', resolve);
    worker.once('error', reject);
    // After its message this rejects nothing any more.
    worker.once('exit', (code) => reject(new Error(`a thread ended with ${code} and no answer`)));
  });
}

/** `allowed`: CPUs this process may use; null where that is not known. */
export async function tryPinning(allowed: readonly number[] | null): Promise<PinFacts> {
  if (allowed === null)
    return { verified: [], failed: [], why: 'no /proc/self/status to say which CPUs there are' };
  const cpus = allowed.slice(0, PINS_TRIED);
  return { ...(await answerOf<PinCounts>({ kind: 'pin', cpus })), why: null };
}

export async function probeOrdering(probeMs: number = PROBE_MS): Promise<OrderingFacts> {
  const buffer = new SharedArrayBuffer(PROBE_BYTES);
  const task = (thread: number): ProbeTask & { kind: 'probe' } => ({
    kind: 'probe',
    buffer,
    thread,
    probeMs,
    timeoutMs: PROBE_TIMEOUT_MS,
  });
  const [first, second] = await Promise.all([
    answerOf<ProbeCounts>(task(0)),
    answerOf<ProbeCounts>(task(1)),
  ]);
  return {
    storeBuffering: first.plain,
    storeBufferingAtomics: first.atomic,
    torn: second.torn,
    tornHalves: second.tornHalves,
  };
}
