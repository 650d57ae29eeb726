/**
 * A protocol that claims `neverInvalid` stores no invalid descriptor and costs nobody a spurious
 * fault. Faults of a PE that does not translate through nT blocks (R_MRRPW lets it) are the CPU's
 * doing: the entry was valid.
 */
import { hasNt, isValid } from '../../arch/descriptor.ts';
import type { TraceEvent } from '../../port/trace.ts';
import type { Evidence } from '../../result/evidence.ts';
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { ofKind } from '../sighting.ts';

type SpuriousEvidence = Extract<Evidence, { readonly kind: 'spurious' }>;

/** The level is not recorded, but nT has its meaning at levels 1 and 2 alike. */
function isNtFault(e: SpuriousEvidence): boolean {
  return hasNt(e.descriptor, 2);
}

/** A store that takes a translation away: of the target, or of an entry of the old table. */
function breaks(event: TraceEvent): boolean {
  if (event.op !== 'write' || isValid(event.value)) return false;
  return event.place === null || isValid(event.place.before);
}

export const claim: RuleChecker = {
  rule: 'claim',
  summary: 'the protocol claims what was seen not to hold, such as neverInvalid',
  origin: 'RFC of 2021-01-26, whose cover letter says so and whose patch 5/5 invalidates first',
  sees: ['spurious'],
  judge(run: JudgedRun): Finding[] {
    if (run.claims.neverInvalid !== true) return [];
    const windowed = run.judged.filter((j) => j.verdict.windowed);
    const transitions = windowed.reduce((n, j) => n + j.count, 0);
    const seen = ofKind(run.evidence, 'spurious').filter((e) => !isNtFault(e));
    const faults = Math.max(run.spuriousFaults, seen.length);
    if (transitions === 0 && faults === 0) return [];
    const [example] = seen;
    const [first] = windowed;
    // More than all: a round that was cut short left traces and is not counted.
    const all = transitions >= run.transitions ? 'every transition' : 'some transitions';
    const stored = `${all} stored an invalid descriptor`;
    // How many faults came of it is in the row, and by chance.
    const what = transitions > 0 ? stored : 'accesses took spurious faults';
    const why = `claims neverInvalid, but ${what}`;
    const event = first?.trace.events.findIndex(breaks);
    return [
      {
        rule: 'claim',
        key: 'neverInvalid',
        why,
        vcpu: example?.vcpu ?? null,
        ipa: example?.ipa ?? first?.trace.ipa ?? null,
        round: example?.round ?? null,
        count: Math.max(transitions, faults),
        sharpness: 0,
        transition: first === undefined ? null : { trace: first.trace, event: event ?? null },
      },
    ];
  },
};
