/** A thread of `explore` and of `kernel`. Everything it does is in src/exploration. */
import { parentPort, workerData } from 'node:worker_threads';
import { explorationThread } from '../src/exploration/thread.ts';
import type { ThreadTask } from '../src/exploration/thread-message.ts';

await explorationThread(workerData as ThreadTask, (word) => parentPort?.postMessage(word));
