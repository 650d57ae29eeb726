/**
 * Wrong: a value of ID_AA64MMFR2_EL1.BBM that the code does not know is an error, and the error is
 * noticed when the entry is already invalid: no block, no flush, and nobody can reach the old table
 * any more.
 *
 * Evidence: RFC of 2021-01-26, patch 4/5 (-EINVAL) below the stale line of 5/5; 0b0011 exists since
 * 2025. Caught by: table-leak from the audit under `stress`, stale-translation by `explore`, on a
 * CPU of BBM level 3.
 */
import { childLevel, defineProtocol, flushVmid, NT, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const unknownBbmAbort = defineMutant({
  name: 'unknown-bbm-abort',
  what: 'an unknown BBM level is refused after the entry was invalidated: a hole, and a lost table',
  evidence: 'RFC "Enable CPU TTRem feature for stage-2", 2021-01-26, 4/5 (-EINVAL)',
  rule: 'table-leak',
  twin: 'rfc-nt-intended',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'unknown-bbm-abort',
      kind: 'coalesce',
      summary: 'invalidate, give up where the BBM level is unknown, else rfc-nt-intended',
      origin: 'seeded bug',
      claims: {},
      cpu: { bbm: [3], multihit: 'new' },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        if (t.bbm > 2) return;
        cpu.write(t.entry, t.wanted | NT);
        flushVmid(cpu);
        cpu.write(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['table-leak']), inModel(['stale-translation'])],
  missedBy: [],
});
