/**
 * Wrong: the post-order visit of the RFC puts the parent's page for the anchor too, though a table
 * became a block and the parent has as many valid entries as before. The page is freed in use.
 *
 * Evidence: the question of Alexandru Elisei in the thread of February 2021 (the RFC is right: net
 * 0). Caught by: refcount, from the audit under `stress` and from the operations under `explore`.
 */
import { childLevel, defineProtocol, flushVmid, NT } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const overPut = defineMutant({
  name: 'over-put',
  what: 'the parent page is put once more than it has lost valid entries',
  evidence: 'review thread of the TTRem RFC, February 2021 (Alexandru Elisei)',
  rule: 'refcount',
  twin: 'rfc-nt-intended',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'over-put',
      kind: 'coalesce',
      summary: 'rfc-nt-intended that puts the page of the anchor',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.wanted | NT);
        flushVmid(cpu);
        cpu.write(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        tables.put(t.entry);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['refcount']), inModel(['refcount'], { by: 'operations' })],
  missedBy: [],
});
