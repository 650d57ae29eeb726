/**
 * A 64-bit descriptor is read and written as one single-copy-atomic access (DDI 0487 B2.2.1); two
 * 32-bit halves tear.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, hex, ofKind, sighting, who } from '../sighting.ts';

export const tornDescriptor: RuleChecker = {
  rule: 'torn-descriptor',
  description: 'a descriptor was seen that nobody wrote',
  origin: 'DDI 0487 B2.2.1 (single-copy atomicity of 64-bit accesses)',
  judge(run: JudgedRun): Finding[] {
    return ofKind(run.evidence, 'torn').map((e) => {
      const why =
        `${who(e)}${at(e)} read the level-${e.level} descriptor ${hex(e.descriptor)}, ` +
        'whose halves come from two stores';
      return sighting('torn-descriptor', e, 'torn', why);
    });
  },
};
