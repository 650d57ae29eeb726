/**
 * Wrong: memory runs out in the middle of a walk, and it returns the error without the flush for what it
 * has unmapped so far.
 *
 * Evidence: Xen commit 1ec2fa626f. Caught by: stale-translation.
 */
import { childLevel, defineProtocol, EMPTY, flushGathered } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';
import { clearPages } from './clear-pages.ts';

const NOT_TOLD_APART =
  'the entry is kept, and its version and the memory behind it stay, so that a translation which is stale ' +
  'is like one that is not';

export const gatherErrorReturn = defineMutant({
  name: 'gather-error-return',
  what: 'a walk that fails in the middle returns without the flush for what it has unmapped',
  evidence: 'Xen commit 1ec2fa626f',
  rule: 'stale-translation',
  twin: 'unmap-gathered',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'gather-error-return',
      kind: 'unmap',
      form: 'unmap-table',
      summary: 'unmap-gathered that may run out of memory behind the leaves, and returns',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.follow(t.old);
        clearPages(cpu, tables, table);
        const list = tables.tryAllocate(childLevel(t.level));
        if (list === null) return;
        cpu.write(t.entry, EMPTY);
        tables.put(t.entry);
        flushGathered(cpu, { start: t.ipa, end: t.ipa + t.size, ttl: 0 }, 'range');
        tables.tearDown(table, childLevel(t.level));
        tables.freeNow(list);
      },
    }),
  },
  caughtBy: [
    ...onThreads(['break-before-make'], {
      scenario: 'unmap-under-walk',
      by: 'operations',
      unseen: NOT_TOLD_APART,
    }),
    inModel(['stale-translation']),
  ],
  missedBy: [],
});
