/**
 * Is the second vCPU made in a thread as fast as the first? V8 compiles closures for the one context
 * they were made in, with its constants in the code, until the same function literal is closed over
 * a second time; from then on every knob and array is loaded anew. A worker that serves several
 * groups or CPU models makes several.
 */
import { answer } from './answer.ts';
import { CHUNK, MIXES } from './mixes.ts';
import { nsOf, type Question, type Subject } from './question.ts';
import { rateOf } from './rate.ts';
import { createVcpuAlone } from '../src/stress/thread/vcpu-alone.ts';

const MADE = { first: 1, second: 2 } as const;
const WARM_UP_CALLS = 10;

export const question: Question = {
  name: 'vcpu-made',
  asks: 'an access that hits the TLB, by the first and the second vCPU made in a thread',
  unit: 'accesses/s',
  variants: Object.keys(MADE),
  hasPeer: false,
  aim: null,
  open: (variant) => openAccesses(MADE[variant as keyof typeof MADE]),
  conclude: (runs) =>
    `vcpu-made: ${runs.map((r) => `${r.name.split(' ')[1]} ${nsOf(r.ours).toFixed(1)} ns`).join(', ')}`,
};

/** Makes and uses as many vCPUs, measures the last. */
function openAccesses(made: number): Subject {
  let vcpu = createVcpuAlone(MIXES['tlb-hit']);
  for (let i = 1; i < made; i++) {
    for (let call = 0; call < WARM_UP_CALLS; call++) vcpu.runAccesses(CHUNK);
    vcpu = createVcpuAlone(MIXES['tlb-hit']);
  }
  return {
    sample: (ms) => rateOf(() => vcpu.runAccesses(CHUNK), CHUNK, ms),
    close: () => vcpu.assertClean(),
  };
}

if (import.meta.main) await answer(question, import.meta.url);
