/** The question that tlb-hit, walk and mixed share: guest accesses of one vCPU per second. */
import type { BenchRun } from '../src/result/bench.ts';
import { CHUNK, type MixName, MIXES } from './mixes.ts';
import { nsOf, type Question, type Subject } from './question.ts';
import { rateOf } from './rate.ts';
import { createVcpuAlone } from '../src/stress/thread/vcpu-alone.ts';

export function accessQuestion(name: MixName, asks: string, aim: number): Question {
  return {
    name,
    asks,
    unit: 'accesses/s',
    variants: [name],
    hasPeer: true,
    aim,
    open: () => openAccesses(name),
    conclude: (runs) => runs.map((run) => `${name}: ${perAccess(run)}`).join('; '),
  };
}

function openAccesses(name: MixName): Subject {
  const vcpu = createVcpuAlone(MIXES[name]);
  return {
    sample: (ms) => rateOf(() => vcpu.runAccesses(CHUNK), CHUNK, ms),
    close: () => vcpu.assertClean(),
  };
}

function perAccess({ ours, peer }: BenchRun): string {
  const text = `${nsOf(ours).toFixed(1)} ns per access`;
  return peer === null ? text : `${text}, ${nsOf(peer).toFixed(1)} ns in C`;
}
