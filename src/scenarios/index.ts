/** The built-in scenarios. */
import { adjustHalf } from './adjust-half.ts';
import { adjustPopulated } from './adjust-populated.ts';
import { migrationCancel } from './migration-cancel.ts';
import { migrationComplete } from './migration-complete.ts';
import { parallelFaults } from './parallel-faults.ts';
import { permissionPingPong } from './permission-ping-pong.ts';
import { relocate } from './relocate.ts';
import { pageTableTest } from './page-table-test.ts';
import { twoVms } from './two-vms.ts';
import { unmapUnderWalk } from './unmap-under-walk.ts';
import type { Scenario } from './scenario.ts';

export { type Stage, STAGES, sweepBlock } from './page-table-test.ts';
export type { Disturbance, Migration, Scenario, Work } from './scenario.ts';

export const SCENARIOS: readonly Scenario[] = Object.freeze([
  adjustPopulated,
  adjustHalf,
  migrationCancel,
  migrationComplete,
  twoVms,
  pageTableTest,
  relocate,
  parallelFaults,
  permissionPingPong,
  unmapUnderWalk,
]);

/** Throws if there is none: names are checked where they come in. */
export function scenarioNamed(name: string): Scenario {
  const scenario = SCENARIOS.find((s) => s.name === name);
  if (scenario === undefined) throw new Error(`no scenario is called ${name}`);
  return scenario;
}

/** What the machine of a scenario must have beside the usual. */
export function machineNeeds({ work }: Scenario): {
  readonly hasNeighbours: boolean;
  readonly relocates: boolean;
} {
  return { hasNeighbours: work.kind === 'two-vms', relocates: work.kind === 'relocate' };
}

/** The name of the scenario that a protocol of this kind runs in where none was named. */
export function scenarioOfKind(kind: string): string {
  return (SCENARIOS.find(({ takes }) => takes === kind) ?? adjustPopulated).name;
}

/** Is there anything in the scenario for such a protocol to do? */
export function suits(scenario: Scenario, { kind }: { readonly kind: string }): boolean {
  if (kind !== 'coalesce' && kind !== 'split') return scenario.takes === kind;
  return scenario.work.kind !== 'relocate' || kind === 'coalesce';
}

/**
 * May a correct protocol of this kind pass? One that promises never to be invalid does without a
 * break, and where memory moves that loses stores, however right it is elsewhere.
 */
export function mayPass(
  scenario: Scenario,
  protocol: { readonly kind: string; readonly claims: { readonly neverInvalid?: boolean } },
): boolean {
  const needsBreak = scenario.work.kind === 'relocate';
  return suits(scenario, protocol) && !(needsBreak && protocol.claims.neverInvalid === true);
}

/** vCPUs fill holes side by side, and so do not keep away from them. */
export function fillsShared({ work }: Scenario): boolean {
  return work.kind === 'adjust' && work.fillsShared === true;
}

/** Dirty logging is on at times. */
export function logsStores({ work }: Scenario): boolean {
  return work.kind === 'migration' || work.kind === 'page-table-test';
}

/** Pages may be unmapped, or be split with holes by a fault: flags say which are mapped. */
export function tracksHoles(scenario: Scenario, protocols: readonly { kind: string }[]): boolean {
  return (
    scenario.partial ||
    logsStores(scenario) ||
    scenario.work.kind === 'disturbed' ||
    protocols.some((protocol) => protocol.kind === 'split')
  );
}
