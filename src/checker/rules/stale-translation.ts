/**
 * An access that started after a transition's TLBI was complete must not use a translation from
 * before it: R_LXHLD, once a TLBI is complete no new access is performed with an old translation.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, ofKind, sighting, source, who } from '../sighting.ts';
import { meaningOf } from '../version-tag.ts';

export const staleTranslation: RuleChecker = {
  rule: 'stale-translation',
  summary:
    "an access that began after the protocol's TLBI completed used a translation from before it",
  origin: 'R_LXHLD, R_YNJCP; kernel commits 3a0b870e3448, 7e1b2329c205',
  sees: ['version'],
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'version').flatMap((e) => {
      const meaning = meaningOf(e.tag, e.allowed);
      if (meaning.kind !== 'old') return [];
      const versions = meaning.age === 1 ? '1 version' : `${meaning.age} versions`;
      const why =
        `${who(e)} used a translation of version ${meaning.version}${at(e)}, ${versions} older ` +
        `than the oldest still allowed (${e.allowed.oldest}); ` +
        `it came from ${source(e.via)} of level ${e.level}`;
      return [sighting('stale-translation', e, e.via, why, meaning.age)];
    });
  },
};
