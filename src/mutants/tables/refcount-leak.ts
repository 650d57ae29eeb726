/**
 * Wrong: a valid entry is replaced by a valid one and counted again, without the put for the old
 * one. The table page is never freed.
 *
 * Evidence: kernel commit 5c646b7e1d8b (v5.10). Caught by: refcount, from the audit under `stress` and
 * from the operations under `explore`.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const refcountLeak = defineMutant({
  name: 'refcount-leak',
  what: 'a reference is taken for the block and none given back for the table it replaces',
  evidence: 'kernel commit 5c646b7e1d8b (v5.10)',
  rule: 'refcount',
  twin: 'bbm-late',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'refcount-leak',
      kind: 'coalesce',
      summary: 'bbm-late without its put',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        flushVmid(cpu);
        tables.tearDown(child, childLevel(t.level));
        cpu.writeRelease(t.entry, t.wanted);
        tables.get(t.entry);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [...onThreads(['refcount']), inModel(['refcount'], { by: 'operations' })],
  missedBy: [],
});
