/**
 * Every page of the table is mapped when the coalesce starts, so no access needs a new mapping:
 * every fault is spurious. kvm_page_table_test has no such stage, which is why its ADJUST times
 * cannot show spurious faults.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const adjustPopulated: Scenario = Object.freeze<Scenario>({
  name: 'adjust-populated',
  summary: 'coalesce (or split) fully populated tables: every fault is spurious',
  ...ALL_MAPPED,
  work: { kind: 'adjust' },
});
