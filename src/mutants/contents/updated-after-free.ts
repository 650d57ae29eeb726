/**
 * Wrong: the old table is torn down before the flush, while walkers still know the way into it. With
 * FEAT_HAFDBS they do not only read there: they set access flag and dirty state in a page that is
 * somebody else's by then.
 *
 * Evidence: casemate bad_free_page_without_clean; R_RVJDB, R_YNJCP. Caught by: freed-table, whether the
 * walk meets poison or its update does.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const updatedAfterFree = defineMutant({
  name: 'updated-after-free',
  what: 'the old table is freed before the flush, while hardware may still update its descriptors',
  evidence: 'casemate bad_free_page_without_clean; R_RVJDB, R_YNJCP',
  rule: 'freed-table',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'updated-after-free',
      kind: 'coalesce',
      summary: 'bbm-early with its teardown before its flush',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        tables.tearDown(child, childLevel(t.level));
        flushVmid(cpu);
        cpu.writeRelease(t.entry, t.wanted);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['freed-table'], { scenario: 'permission-ping-pong', cpu: { hafdbs: true } }),
    inModel(['freed-table']),
  ],
  missedBy: [],
});
