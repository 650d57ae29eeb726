/** Searches of the Arm model: the half of `Engines` that `explore` does. */
import { EXPLORE_BOUNDS, exploreProtocol, ExploreUnsupported } from '../explore/protocol/index.ts';
import type { ExploreOptions } from '../explore/protocol/index.ts';
import { boundMet, type ExploreRun } from '../result/explore.ts';
import type { InnocentRun } from '../result/selftest.ts';
import type { Case } from './cases.ts';
import type { Attempted } from './engines.ts';
import type { Innocent, InnocentGroup } from './innocents.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';

type Explored =
  | { readonly kind: 'run'; readonly run: ExploreRun }
  | { readonly kind: 'impossible'; readonly why: string };

/** Whatever goes wrong is one case that could not run: the others have their results. */
function explored(options: ExploreOptions): Explored {
  try {
    return { kind: 'run', run: exploreProtocol(options) };
  } catch (error) {
    const { name, message } = error instanceof Error ? error : new Error(String(error));
    const isForeseen = error instanceof ExploreUnsupported || error instanceof ProtocolFailure;
    return {
      kind: 'impossible',
      why: isForeseen ? message : `the search failed: ${name}: ${message}`,
    };
  }
}

/** The model has one or two vCPUs. */
function vcpusOf(vcpus: number): 1 | 2 {
  return vcpus > 1 ? 2 : 1;
}

export function searchMutant(searched: Case, budgetMs: number): Attempted {
  const { mutant, protocol, cpu, setting, rules: expected, by, why } = searched;
  if (mutant.seed.kind === 'machine' && mutant.explored === undefined) {
    return { kind: 'failed', why: `explore does not simulate the machine bug ${mutant.seed.bug}` };
  }
  const result = explored({
    protocol,
    mutant: mutant.name,
    cpu,
    level: setting.level,
    vcpus: vcpusOf(setting.vcpus),
    ...(setting.scenario === 'two-vms' ? { scenario: setting.scenario } : {}),
    bounds: { timeMs: Math.min(EXPLORE_BOUNDS.timeMs, budgetMs) },
  });
  if (result.kind === 'impossible') return { kind: 'failed', why: result.why };
  const { run } = result;
  // What an execution shows is also good for a rule that the operations alone may break.
  const counting = run.violations.filter((v) => by === 'operations' || v.by === 'schedule');
  const rules = counting.map((v) => v.rule);
  const fired = (why === null ? expected : rules).find((rule) => rules.includes(rule)) ?? null;
  const violation = counting.find((v) => v.rule === fired);
  return {
    kind: 'done',
    attempt: {
      seed: null,
      observed: fired === null ? 'missed' : 'caught',
      seconds: run.elapsedMs / 1000,
      work: run.states,
      rules,
      note: fired === null && run.stoppedBy !== null ? boundMet(run.stoppedBy) : null,
    },
    fired,
    reportProblems: violation !== undefined && violation.steps.length === 0 ? ['no schedule'] : [],
  };
}

export function searchInnocent(
  group: InnocentGroup,
  { protocol, cpu }: Innocent,
  budgetMs: number,
): InnocentRun {
  const { level, vcpus } = group.setting;
  const result = explored({
    protocol,
    cpu,
    level,
    vcpus: vcpusOf(vcpus),
    bounds: { timeMs: Math.min(EXPLORE_BOUNDS.timeMs, budgetMs) },
  });
  const subject = { protocol: protocol.name, engine: 'explore', setting: group.flags } as const;
  if (result.kind === 'impossible') {
    return { ...subject, accusations: [], work: 0, unfinished: result.why };
  }
  const { run } = result;
  // An exhibit breaks its claim on purpose.
  const accusations = run.violations
    .filter((v) => protocol.exhibit === undefined || v.rule !== 'claim')
    .map(({ rule, why }) => ({ rule, why }));
  return {
    ...subject,
    accusations,
    work: run.states,
    unfinished: accusations.length === 0 && run.stoppedBy !== null ? boundMet(run.stoppedBy) : null,
  };
}
