/**
 * Wrong: after a pass the host ages pages by plain loads and plain stores of their descriptors, the
 * stores once it has looked at all of them. A vCPU that makes a page dirty in between (FEAT_HAFDBS) has
 * its S2AP[1] overwritten: the store happened, and the next pass over the dirty log does not see it.
 * To clear S2AP[1] itself plainly loses nothing, because what is lost then was set already; any other
 * change of a clean page does.
 *
 * Evidence: "use atomic operation when update PTE" of the HW-DBM series (20210126124444), kernel commit
 * ca5de2448c3b (v6.2), R_RTBRL. Caught by: lost-dirty, once a migration is complete.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const agedPlainly = defineMutant({
  name: 'aged-plainly',
  what: 'pages are aged by a plain read-modify-write while hardware sets dirty state',
  evidence: 'HW-DBM series 20210126124444; kernel commit ca5de2448c3b (v6.2); R_RTBRL',
  rule: 'lost-dirty',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'aged-plainly' },
  caughtBy: onThreads(['lost-dirty'], { scenario: 'migration-complete', cpu: { hafdbs: true } }),
  missedBy: [notInModel('it does not model dirty logging')],
});
