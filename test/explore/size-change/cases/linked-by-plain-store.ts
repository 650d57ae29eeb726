/**
 * A new table filled and linked by plain stores. The link may be visible before the contents
 * (B2.3.1: stores to different locations are not ordered), so a walker follows it to what the page
 * held before. It has nothing to do with TLBs, nor with the BBM level; once read, such an entry may
 * be cached, and the late load meets it, too.
 *
 * The twin links by a store-release.
 */
import { EMPTY, flushIpa, type Cpu, type Entry } from '../../../../src/port/index.ts';
import type { Protocol } from '../../../../src/port/index.ts';
import { EVERY_CPU, SAFE, type SizeChangeCase, split } from '../size-change-case.ts';

function linkedBy(link: (cpu: Cpu, entry: Entry, d: bigint) => void): Protocol {
  return split('invalidate, flush IPA, build, link', (cpu, t, tables) => {
    cpu.write(t.entry, EMPTY);
    flushIpa(cpu, t.ipa, t.level);
    const table = tables.buildSubtree(t.level, t.wanted);
    link(cpu, t.entry, tables.descriptorFor(table));
    cpu.dsb('ishst');
  });
}

export default {
  name: 'linked-by-plain-store',
  weak: {
    protocol: linkedBy((cpu, entry, d) => cpu.write(entry, d)),
    expected: [
      {
        on: EVERY_CPU,
        shown: ['freed-table'],
        breakBeforeMake: 'broken',
        forbidden: ['after: unfilled table', 'around: unfilled table'],
        because: 'neither store-release nor DSB in between',
      },
    ],
  },
  synchronised: {
    protocol: linkedBy((cpu, entry, d) => cpu.writeRelease(entry, d)),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
