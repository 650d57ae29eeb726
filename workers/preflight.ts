/** A thread that tries one protocol alone. Everything it does is in src/preflight. */
import { flushCompileCache } from 'node:module';
import { parentPort, workerData } from 'node:worker_threads';
import { runTrial, type TrialTask } from '../src/preflight/trial.ts';

// Now: the thread is ended as soon as it has nothing more to say, or never gets so far.
flushCompileCache();

await runTrial(workerData as TrialTask, (word) => parentPort?.postMessage({ word }));
parentPort?.postMessage({ isDone: true });
