/** Is a protocol to whoever looks at it, but no worker thread ever gets it loaded. */
import { isMainThread } from 'node:worker_threads';

if (!isMainThread) for (;;);

export default {
  name: 'never-loads',
  kind: 'coalesce',
  summary: 'loading does not end',
  origin: 'a test',
  claims: {},
  run(): void {},
};
