/** A thread of the doctor: one task, one answer. Everything it does is in src/doctor. */
import { parentPort, workerData } from 'node:worker_threads';
import { type ProbeTask, runProbe } from '../src/doctor/ordering-thread.ts';
import { runPins } from '../src/doctor/pin-thread.ts';

export type DoctorTask =
  | { readonly kind: 'pin'; readonly cpus: readonly number[] }
  | ({ readonly kind: 'probe' } & ProbeTask);

const task = workerData as DoctorTask;
parentPort?.postMessage(task.kind === 'pin' ? runPins(task.cpus) : runProbe(task));
