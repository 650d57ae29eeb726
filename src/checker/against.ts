/**
 * What a finding of the automaton is against: the rule of the architecture, or what a protocol is held
 * to beside it. For the sentence that says that no execution shows harm.
 */
import type { FindingCode } from './automaton-verdict.ts';

const AGAINST = {
  'valid-to-valid': 'the rules R_WHZWS and R_KFLJB',
  'valid-over-unclean': 'the rule R_DDMVT',
  'block-without-nt': 'the rule R_KFLJB',
  'split-without-nt': 'the rule R_KFLJB',
  'changed-with-size': 'the rule R_PVTFW',
  'split-nt-unflushed': 'the nT sequence of IHI0070H.a 3.21.1',
  'nt-cleared-early': 'the nT sequence of IHI0070H.a 3.21.1',
  'published-unordered': 'the rule that contents come before the link that shows them (B2.3)',
  'child-of-unclean': "casemate's rule for entries below an unclean parent",
  'freed-linked': 'the rule R_RVJDB',
  'freed-unclean': 'the rule R_RVJDB',
  'left-unclean': 'the rule R_DDMVT',
} as const satisfies Partial<Record<FindingCode, string>>;

/** Null: an execution of a small machine is not to be expected, as where it arrived is what is wrong. */
export function againstOf(code: FindingCode): string | null {
  return Object.hasOwn(AGAINST, code) ? AGAINST[code as keyof typeof AGAINST] : null;
}
