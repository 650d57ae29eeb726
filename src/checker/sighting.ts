/**
 * Finding for one piece of evidence, and the words its sentences share.
 */
import { assertNever } from '../arch/assert.ts';
import type { Rule } from '../result/rule.ts';
import type { Evidence, Via } from '../result/evidence.ts';
import type { Finding } from './run-record.ts';

export function sighting(
  rule: Rule,
  evidence: Evidence,
  key: string,
  why: string,
  sharpness = 0,
): Finding {
  const { vcpu, ipa, round } = evidence;
  return { rule, key, why, vcpu, ipa, round, count: 1, sharpness, transition: null };
}

export function ofKind<K extends Evidence['kind']>(
  evidence: readonly Evidence[],
  kind: K,
): Extract<Evidence, { readonly kind: K }>[] {
  return evidence.filter((e): e is Extract<Evidence, { readonly kind: K }> => e.kind === kind);
}

export function hex(n: number | bigint): string {
  return n < 0 ? `-0x${(-n).toString(16)}` : `0x${n.toString(16)}`;
}

/** `vCPU 2`, or `a vCPU` where none is recorded. */
export function who(evidence: Evidence): string {
  return evidence.vcpu === null ? 'a vCPU' : `vCPU ${evidence.vcpu}`;
}

/** ` at IPA 0x…`, or nothing. */
export function at(evidence: Evidence): string {
  return evidence.ipa === null ? '' : ` at IPA ${hex(evidence.ipa)}`;
}

export function source(via: Via): string {
  switch (via) {
    case 'combined':
      return 'a combined TLB entry';
    case 'stage2':
      return 'a stage-2 TLB entry';
    case 'walk':
      return 'a table walk';
    default:
      return assertNever(via);
  }
}
