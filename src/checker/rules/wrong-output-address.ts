/**
 * A translation leads where some version of the mapping leads, and its tag is that of a version
 * there has been: an output address mixed from two entries is an amalgamation (R_FVQCK), one past
 * the end a wrong step of the map walk.
 */
import { assert } from '../../arch/assert.ts';
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, hex, ofKind, sighting, source, who } from '../sighting.ts';
import { meaningOf } from '../version-tag.ts';

const RULE = 'wrong-output-address';

/** Where an address leads; there is none of pages that are no guest memory. */
function placeText(found: number): string {
  return found < 0 ? 'an address that is no memory of the guest' : `output address ${hex(found)}`;
}

function addresses(run: JudgedRun): Finding[] {
  return ofKind(run.evidence, 'address').map((e) => {
    const why =
      `${who(e)}${at(e)} was sent to ${placeText(e.found)}, no version of the mapping ` +
      `gives other than ${hex(e.expected)}; it came from ${source(e.via)} of level ${e.level}`;
    return sighting(RULE, e, 'address', why, Math.abs(e.found - e.expected));
  });
}

function unknownVersions(run: JudgedRun): Finding[] {
  return ofKind(run.evidence, 'version').flatMap((e) => {
    const meaning = meaningOf(e.tag, e.allowed);
    assert(meaning.kind !== 'allowed', `tag ${e.tag} was reported though it is allowed`);
    if (meaning.kind === 'old') return [];
    const { oldest, newest } = e.allowed;
    const allowed = oldest === newest ? `${newest}` : `${oldest} to ${newest}`;
    const why =
      `${who(e)}${at(e)} used a translation whose software bits [58:55] are ${e.tag}, and no version ` +
      `of the mapping has these (allowed: ${allowed}); it came from ${source(e.via)} of level ${e.level}`;
    return [sighting(RULE, e, 'version', why)];
  });
}

export const wrongOutputAddress: RuleChecker = {
  rule: RULE,
  summary: 'a translation leads to memory no version of the mapping has',
  origin: 'R_FVQCK (amalgamation); kernel commit 1f0f4a2ef7a5',
  sees: ['version', 'address'],
  judge(run: JudgedRun): Finding[] {
    return [...addresses(run), ...unknownVersions(run)];
  },
};
