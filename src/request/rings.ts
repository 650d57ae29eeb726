/**
 * Dirty rings (`hdbss=on`) are for hosts that log stores: where nobody logs any, nothing would be
 * appended, and a pass would say nothing of them.
 */
import type { CpuModel } from '../arch/cpu-model.ts';
import { logsStores, SCENARIOS, scenarioNamed } from '../scenarios/index.ts';
import { refusal, the } from './refusal.ts';

/** `explore` has no dirty log: what the walk does to descriptors is all it knows of it. */
export function refuseExploredRings(cpus: readonly CpuModel[]): void {
  if (!cpus.some(({ hdbss }) => hdbss)) return;
  throw refusal`${the('cpu')}: hdbss=on is for stress; the model has the walker's updates and no
    log of them: give hafdbs=on`;
}

/** `scenarios`: all that would run. */
export function refuseIdleRings(
  { hdbss = false }: Partial<CpuModel>,
  scenarios: readonly string[],
): void {
  if (!hdbss || scenarios.some((name) => logsStores(scenarioNamed(name)))) return;
  const logging = SCENARIOS.filter(logsStores).map(({ name }) => name);
  throw refusal`${the('cpu')}: hdbss=on does nothing where no stores are logged
    (${scenarios.join(', ')}): give ${the('scenarios', logging.join(','))}`;
}
