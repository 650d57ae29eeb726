/** Configurations of `stress` in words: what stands above a table, and tells a row from another. */
import { DEFAULT_CPU, describeCpu } from '../../arch/cpu-model.ts';
import type { CpuResult, StressRun } from '../stress.ts';

/** What runs must share to be compared: `adjust-populated, 4k level 2, 2 vCPUs, bbm=1`. */
export function configurationOf(run: StressRun): string {
  const { against = null } = run;
  const parts = [
    run.scenario,
    ...(against === null ? [] : [`against ${against}`]),
    `${run.granule} level ${run.level}`,
    `${run.vcpus} vCPU${run.vcpus === 1 ? '' : 's'}`,
    cpuText(run.cpu),
  ];
  if (run.access !== 'wasm') parts.push(`access ${run.access}`);
  if (run.reorder) parts.push('reordered stores');
  if (run.delays !== '') parts.push(`delay ${run.delays}`);
  if (run.machine !== undefined) parts.push(`machine ${run.machine + 1}`);
  return parts.join(', ');
}

/** The knobs that are not the default's, and the BBM level always. */
function cpuText(cpu: CpuResult): string {
  const defaults = new Map(describeCpu(DEFAULT_CPU).split(',').map(splitKnob));
  const knobs = Object.entries(cpu).filter(
    ([name, value]) => name === 'bbm' || defaults.get(name) !== String(value),
  );
  return knobs.map(([name, value]) => `${name}=${value}`).join(' ');
}

function splitKnob(text: string): [string, string] {
  const [name = '', value = ''] = text.split('=');
  return [name, value];
}
