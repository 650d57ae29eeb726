/**
 * What every distinct transition did, and where it arrived, is accepted by the automaton
 * (automaton.ts). It needs no unlucky vCPU: a transition that could go wrong is found even if it
 * did not.
 */
import type { Finding, JudgedRun, RuleChecker } from '../run-record.ts';
import { automatonFindings } from './automaton-findings.ts';

export const breakBeforeMake: RuleChecker = {
  rule: 'break-before-make',
  summary:
    'the stores, barriers, TLBIs and cache cleans of a transition, or where they arrive, are not allowed',
  origin: 'R_DDMVT, R_WHZWS, R_KFLJB, R_PVTFW, R_PSMWS; casemate v3.0.2; SMMU IHI0070H.a 3.21.1',
  sees: [],
  judge(run: JudgedRun): Finding[] {
    return automatonFindings(run, 'break-before-make');
  },
};
