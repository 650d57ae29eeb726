/** Threads that do not come back, and a debugger that asks where they are. */
import { setTimeout as delay } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { expect, test } from 'vitest';
import { placeOfLoop } from '../../src/preflight/place-of-loop.ts';

/** Loops, or waits in the kernel, from the moment it has said so. */
function threadThat(does: 'loops' | 'waits'): Worker {
  const rest = {
    loops: 'for (;;);',
    waits: 'Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0);',
  };
  return new Worker(`require('node:worker_threads').parentPort.postMessage(0);\n${rest[does]}`, {
    eval: true,
  });
}

async function ended(worker: Worker): Promise<string> {
  const gaveUp = new AbortController();
  try {
    return await Promise.race([
      worker.terminate().then(() => 'ended'),
      delay(60_000, 'never ends', { signal: gaveUp.signal }),
    ]);
  } finally {
    gaveUp.abort();
  }
}

test.each(['loops', 'waits'] as const)(
  'one that %s ends, however late the debugger is',
  async (does) => {
    for (let tries = 0; tries < 12; tries++) {
      const worker = threadThat(does);
      await new Promise((resolve) => worker.once('message', resolve));
      // Sometimes before the thread is asked, sometimes before it has paused.
      const patience = { pauseMs: tries % 4, resumeMs: 0 };
      await placeOfLoop(worker.threadId, () => false, patience);
      expect(await ended(worker)).toBe('ended');
    }
  },
);
