/** From what searches of variants found to the table: which step is needed, where, and what for. */
import type { BbmLevel } from '../arch/feat-bbm.ts';
import type { Protocol } from '../port/index.ts';
import type { AblationRow, ExploreRun, ExploreViolation } from '../result/explore.ts';
import { type Rule, RULES } from '../result/rule.ts';
import { runsOn, type Variant } from './variants.ts';
import { whyStillThere } from './why.ts';

/** A protocol on one CPU: as it is, and each variant, in their order. */
export interface Explored {
  /** As `--cpu` takes it. */
  readonly cpu: string;
  /** What the protocol is told. */
  readonly bbm: BbmLevel;
  readonly base: ExploreRun;
  readonly variants: readonly ExploreRun[];
}

export function ablationRows(
  protocol: Protocol,
  variants: readonly Variant[],
  explored: readonly Explored[],
): readonly AblationRow[] {
  return variants.flatMap((variant, i) => {
    // A branch for other CPUs: nothing was found out about it.
    if (!explored.some(({ bbm }) => runsOn(variant, bbm))) return [];
    const on = explored.flatMap(({ cpu, base, variants: runs }) => {
      const run = runs[i];
      return run === undefined ? [] : [{ cpu, run, broken: newlyBroken(base, run) }];
    });
    const needing = on.filter(({ broken }) => broken.length > 0);
    const isNeeded = needing.length > 0;
    // What is broken without the step may be broken with it for another reason.
    const isOpen = !isNeeded && explored.every(({ base }) => base.violations.length > 0);
    const { step, change, to } = variant;
    const row: AblationRow = {
      step: step.number,
      operation: step.operation,
      line: step.place?.line ?? null,
      change,
      to,
      needed: isNeeded,
      rules: rulesOf(needing.flatMap(({ broken }) => broken)),
      cpus: needing.map(({ cpu }) => cpu),
      rulesOn: needing.map(({ broken }) => rulesOf(broken)),
      ...tokenOf(needing[0]?.broken ?? []),
      why: isNeeded || isOpen ? null : whyStillThere(variant, protocol),
      ...(isOpen ? { isOpen } : {}),
      bounded: on.filter(({ run }) => run.verdict === 'bounded').map(({ cpu }) => cpu),
    };
    return [row];
  });
}

function rulesOf(broken: readonly ExploreViolation[]): readonly Rule[] {
  return RULES.filter((rule) => broken.some((violation) => violation.rule === rule));
}

/**
 * What the variant breaks and the protocol as it is does not: another rule, or the same one in its
 * operations for another reason.
 */
function newlyBroken(base: ExploreRun, run: ExploreRun): readonly ExploreViolation[] {
  const reason = ({ rule, by, why }: ExploreViolation): string =>
    by === 'operations' ? `${rule}: ${withoutNumbers(why)}` : rule;
  const known = new Set(base.violations.map(reason));
  return run.violations.filter((violation) => !known.has(reason(violation)));
}

/** What is left out moves the numbers of the events behind it, which the sentence cites. */
function withoutNumbers(why: string): string {
  return why.replaceAll(/\bevent \d+/g, 'event');
}

/** A schedule shows more than a sentence on the operations. */
function tokenOf(broken: readonly ExploreViolation[]): Pick<AblationRow, 'token' | 'replayFile'> {
  const tokens = [
    ...broken.filter(({ by }) => by === 'schedule'),
    ...broken.filter(({ by }) => by === 'operations'),
  ];
  const { token = null, replayFile } = tokens.find((shown) => shown.token !== null) ?? {};
  return { token, ...(replayFile !== undefined && { replayFile }) };
}
