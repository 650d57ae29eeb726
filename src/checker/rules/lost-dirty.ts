/**
 * A completed migration has every store: the copy it made of guest memory, pass by pass over the
 * dirty log, is memory word for word when the guest has stopped. A word that differs was stored to
 * through a translation that was still writable, or its page's dirty bit was lost.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, hex, ofKind, sighting, who } from '../sighting.ts';

export const lostDirty: RuleChecker = {
  rule: 'lost-dirty',
  summary: 'a guest store did not reach the dirty log',
  origin: 'kvm_get_dirty_log_protect; R_GPPYH; kernel commits 7d894834a305, ca5de2448c3b',
  sees: ['dirty'],
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'dirty').map((e) => {
      const why =
        `the migration ended with ${hex(e.copied)} in the word of ${who(e)}${at(e)}, where memory ` +
        `holds ${hex(e.inMemory)}: a store that the dirty log does not know of`;
      return sighting('lost-dirty', e, 'copy', why, Math.abs(e.inMemory - e.copied));
    });
  },
};
