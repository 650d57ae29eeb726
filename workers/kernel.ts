/** A thread of `kernel`. Everything it does is in src/exploration. */
import { parentPort, workerData } from 'node:worker_threads';
import { kernelThread, type ThreadOrder } from '../src/exploration/kernel-thread.ts';

await kernelThread(
  workerData as Parameters<typeof kernelThread>[0],
  (onOrder) => parentPort?.on('message', (order: ThreadOrder) => onOrder(order)),
  (word) => parentPort?.postMessage(word),
);
