/**
 * Wrong: a gather that is to bridge no gaps ends at the first hole of the table. What the walk clears
 * behind it is in no range, and the flush for the table, which names one address, does not take it.
 *
 * Evidence: kernel commit b48ca9206138 (iommupt), where the gather of an IOMMU that wants no gaps in its
 * ranges kept no range at all; R_LXHLD. Caught by: stale-translation.
 */
import {
  childLevel,
  defineProtocol,
  EMPTY,
  flushGathered,
  flushIpa,
  gathered,
  isValid,
  NOTHING_GATHERED,
} from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const gatherStopsAtGap = defineMutant({
  name: 'gather-stops-at-gap',
  what: 'a gather ends at the first hole of the table and forgets the leaves that come after it',
  evidence:
    'kernel commit b48ca9206138 (iommupt), a gather without gaps that kept no range; R_LXHLD',
  rule: 'stale-translation',
  twin: 'unmap-leafwise',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'gather-stops-at-gap',
      kind: 'unmap',
      form: 'unmap-sparse',
      summary: 'unmap-leafwise whose range ends where the first hole is',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const table = tables.follow(t.old);
        const level = childLevel(t.level);
        const bytes = t.size / tables.entries;
        let gather = NOTHING_GATHERED;
        let isOpen = true;
        for (let index = 0; index < tables.entries; index++) {
          const entry = tables.entryOf(table, index);
          if (isValid(cpu.read(entry))) {
            cpu.write(entry, EMPTY);
            tables.put(entry);
            if (isOpen) gather = gathered(gather, t.ipa + index * bytes, bytes, level, 'leaf');
          } else isOpen = false;
        }
        flushGathered(cpu, gather, 'range');
        cpu.write(t.entry, EMPTY);
        flushIpa(cpu, t.ipa, 0);
        tables.put(t.entry);
        tables.freeNow(table);
      },
    }),
  },
  caughtBy: [
    // A page that nobody touched for a while is stale by several versions.
    ...onThreads(['stale-translation', 'wrong-output-address', 'lost-access'], {
      scenario: 'unmap-under-walk',
    }),
    inModel(['stale-translation']),
  ],
  missedBy: [],
});
