/** What a reader must know of this machine to judge the numbers, and what it cannot show. */
import { availableParallelism, cpus, release, type as osType } from 'node:os';
import type { MachineInfo } from '../../result/machine-info.ts';

export function machineInfo(): MachineInfo {
  const cores = availableParallelism();
  const notes = [
    'Atomics are sequentially consistent: without --reorder no missing release or DSB before a TLBI can show',
  ];
  if (process.arch === 'x64')
    notes.push('x86 orders stores (TSO): of weak orderings only store buffering shows');
  if (cores < 3) {
    notes.push(
      `${cores} cores: the hypervisor and ${Math.max(1, cores - 1)} vCPU truly run at once, more take turns`,
    );
  }
  return {
    cpus: cores,
    model: cpus()[0]?.model.trim() ?? 'unknown',
    arch: process.arch,
    node: process.version,
    v8: process.versions.v8,
    kernel: `${osType()} ${release()}`,
    notes: Object.freeze(notes),
  };
}
