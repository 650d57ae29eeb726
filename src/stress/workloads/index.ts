/** One engine per kind of work a scenario may ask for, and one for kinds of protocols. */
import { assertNever } from '../../arch/assert.ts';
import { createAdjust } from './adjust.ts';
import { createChanges } from './changes.ts';
import { createDisturbed } from './disturbed.ts';
import { createMigration } from './migration.ts';
import { createPageTableTest } from './page-table-test.ts';
import { createRelocate } from './relocate.ts';
import { createTwoVms } from './two-vms.ts';
import { createWorkbench, type Site } from './workbench.ts';
import type { Workload } from './workload.ts';

export type { Site } from './workbench.ts';
export type { RoundCount, Workload } from './workload.ts';

export function createWorkload(site: Site): Workload {
  const { work } = site.scenario;
  const bench = createWorkbench(site);
  const kind = site.protocols[0]?.kind;
  if (kind === 'unmap' || kind === 'map' || kind === 'protect') return createChanges(bench, kind);
  switch (work.kind) {
    case 'adjust':
      return createAdjust(bench);
    case 'disturbed':
      return createDisturbed(bench, work.by);
    case 'two-vms':
      return createTwoVms(bench);
    case 'page-table-test':
      return createPageTableTest(bench);
    case 'relocate':
      return createRelocate(bench);
    case 'migration':
      return createMigration(bench, work);
    default:
      return assertNever(work);
  }
}
