/**
 * One TLBI by IPA for a whole table. It reaches what translates that one address: the first page, and
 * the table on the way to it. The other pages' entries stay (3a0b870e3448, v5.10). Nobody walks the
 * freed table: its own entry is gone.
 *
 * The twin names the range.
 */
import { flushIpa, flushRange } from '../../../../src/port/index.ts';
import { coalesceBroken, leftovers, SAFE, type SizeChangeCase } from '../size-change-case.ts';

export default {
  name: 'first-page-only',
  page: 1,
  weak: {
    protocol: coalesceBroken('flush IPA of the first page', (cpu, t) => flushIpa(cpu, t.ipa)),
    expected: leftovers('does not cover the range', { tables: false }),
  },
  synchronised: {
    protocol: coalesceBroken('flush range', (cpu, t) => flushRange(cpu, t.ipa, t.size)),
    expected: SAFE,
  },
} satisfies SizeChangeCase;
