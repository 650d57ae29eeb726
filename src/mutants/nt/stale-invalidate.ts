/**
 * Wrong: one line too many. The entry is invalidated before the nT block is written, so that the
 * promise "there will not be a moment" is broken for as long as two stores take.
 *
 * Evidence: RFC of 2021-01-26, patch 5/5, whose first context line keeps the old
 * kvm_set_invalid_pte; the author's next series (2021-02-08, 3/4) removes it. `rfc-nt-posted` is
 * that patch with its other branches; here the line stands alone. Caught by: claim, on any engine.
 */
import { childLevel, defineProtocol, flushVmid, NT, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const staleInvalidate = defineMutant({
  name: 'stale-invalidate',
  what: 'the entry is invalidated before the nT block is written, though it claims neverInvalid',
  evidence: 'RFC "Enable CPU TTRem feature for stage-2", 2021-01-26, 5/5 as posted',
  rule: 'claim',
  twin: 'rfc-nt-intended',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'stale-invalidate',
      kind: 'coalesce',
      summary: 'rfc-nt-intended with the stale invalidation before it',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.write(t.entry, t.wanted | NT);
        flushVmid(cpu);
        cpu.write(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['claim']), inModel(['claim'])],
  missedBy: [],
});
