/** What each rule of the checker says, one line for people. */
import type { TraceRule } from '../result/check-trace.ts';
import type { Rule } from '../result/rule.ts';

export const RULE_TEXTS: Readonly<Record<Rule, string>> = {
  'lost-access': "an access never completed, or a load does not return the vCPU's last store",
  'stale-translation':
    "an access that began after the protocol's TLBI completed used a translation from before it",
  'wrong-output-address': 'a translation leads to memory no version of the mapping has',
  'wrong-permission': 'a translation grants or denies what no version of the mapping does',
  'torn-descriptor': 'a descriptor was seen that nobody wrote',
  'freed-table': 'a table page was read after it was freed and reused',
  'tlb-conflict':
    'two TLB entries match one IPA, and the CPU aborts or the protocol claims it cannot happen',
  'break-before-make':
    'the stores, barriers, TLBIs and cache cleans of a transition, or where they arrive, are not allowed',
  claim: 'the protocol claims what was seen not to hold, such as neverInvalid',
  'lost-dirty': 'a guest store did not reach the dirty log',
  'vmid-isolation': "a VM used another VM's translation, or a TLBI for one VM acted on another",
  'table-leak': 'a table page is neither reachable nor free at the end',
  refcount: "a table page's count is not 1 + its valid entries at the end",
  progress: 'a vCPU did not finish its accesses after the hypervisor stopped',
};

/** The same, with what only logs of real programs are judged by. */
export const TRACE_RULE_TEXTS: Readonly<Record<TraceRule, string>> = {
  ...RULE_TEXTS,
  ownership: 'a table was stored to without the lock of its tree, or by one who does not own it',
};
