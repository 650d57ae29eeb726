/**
 * No access is lost: every one issued completes or is still in flight, and a vCPU reads back what
 * it stored. Each vCPU owns one word of every guest page, so the last store it made there is the
 * only value it may find.
 */
import { assertNever } from '../../arch/assert.ts';
import type { Accounting, Evidence } from '../../result/evidence.ts';
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { at, hex, ofKind, sighting, who } from '../sighting.ts';

type ValueEvidence = Extract<Evidence, { readonly kind: 'value' }>;

function sentence(e: ValueEvidence): string {
  const values = `${hex(e.found)} but its last store there was ${hex(e.expected)}`;
  switch (e.when) {
    case 'load':
      return `a load of ${who(e)}${at(e)} returned ${values}`;
    case 'end':
      return `at the end the word of ${who(e)}${at(e)} held ${values}`;
    default:
      return assertNever(e.when);
  }
}

function imbalance(accounting: Accounting): Finding[] {
  const { issued, completed, inFlight } = accounting;
  const lost = issued - completed - inFlight;
  if (lost === 0) return [];
  const sums = `${issued} issued, ${completed} completed, ${inFlight} in flight`;
  const why =
    lost > 0
      ? `${lost} access(es) neither completed nor are in flight (${sums})`
      : `${-lost} access(es) completed that nobody issued (${sums})`;
  const nowhere = { vcpu: null, ipa: null, round: null, transition: null };
  const count = Math.abs(lost);
  return [{ rule: 'lost-access', key: 'accounting', why, count, sharpness: 0, ...nowhere }];
}

export const lostAccess: RuleChecker = {
  rule: 'lost-access',
  summary: "an access never completed, or a load does not return the vCPU's last store",
  origin: 'DDI 0487 B2 (coherence); accounting: issued = completed + in flight',
  sees: ['value'],
  judge(run: JudgedRun): Finding[] {
    const values = ofKind(run.evidence, 'value').map((e) =>
      sighting('lost-access', e, e.when, sentence(e), Math.abs(e.expected - e.found)),
    );
    return [...values, ...imbalance(run.accounting)];
  },
};
