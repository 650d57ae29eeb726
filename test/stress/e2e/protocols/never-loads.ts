/**
 * Is a protocol to whoever looks at it and to the thread that tries it, but no thread of a campaign
 * ever gets it loaded.
 */
import { isMainThread, workerData } from 'node:worker_threads';

const isTried = typeof workerData === 'object' && workerData !== null && 'progress' in workerData;
if (!isMainThread && !isTried) for (;;);

export default {
  name: 'never-loads',
  kind: 'coalesce',
  summary: 'loading does not end',
  origin: 'a test',
  claims: {},
  run(): void {},
};
