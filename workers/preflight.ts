/** A thread that tries one protocol alone. Everything it does is in src/preflight. */
import { parentPort, workerData } from 'node:worker_threads';
import { runTrial, type TrialTask } from '../src/preflight/trial.ts';

await runTrial(workerData as TrialTask, (word) => parentPort?.postMessage({ word }));
parentPort?.postMessage({ isDone: true });
