/**
 * The tables as kvm_page_table_test leaves them after its UPDATE stage: page 0 (written, which
 * split the block) and the second half (read back) are mapped, the rest is not. In ADJUST every
 * vCPU then also takes *genuine* faults.
 */
import type { Scenario } from './scenario.ts';

export const adjustHalf: Scenario = Object.freeze<Scenario>({
  name: 'adjust-half',
  summary:
    'as kvm_page_table_test leaves tables: page 0 and the second half mapped, some faults genuine',
  isMapped: (index: number, entries: number) => index === 0 || index >= entries / 2,
  partial: true,
  work: { kind: 'adjust' },
});
