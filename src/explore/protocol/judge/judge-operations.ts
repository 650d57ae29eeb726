/**
 * A protocol's own operations, on every way through it and on the one on which it loses the entry to
 * another, as the checker's automaton judges them; and its books of table pages.
 */
import { isValid } from '../../../arch/descriptor.ts';
import type { BbmLevel } from '../../../arch/feat-bbm.ts';
import { againstOf, judgeTrace } from '../../../checker/index.ts';
import { changeNamed, changesOf, type Protocol } from '../../../port/index.ts';
import { CAUSES, type ExploreViolation } from '../../../result/explore.ts';
import type { Rule } from '../../../result/rule.ts';
import type { MemoryMap } from '../machine/memory-map.ts';
import type { Host } from '../run/host.ts';
import { hypervisorScript, traceOf } from '../run/hypervisor.ts';
import { lostRace } from './lost-race.ts';
import { lossOfNeighbour } from './judge-neighbour.ts';
import { operationSteps } from './operation-steps.ts';
import { surveyBeyondSearch, surveyOf } from './survey.ts';
import { type Path, partOf } from '../run/unroll.ts';

/** `against`: the rule as a sentence names it; null where no execution is to be expected. */
type OperationsViolation = ExploreViolation & { readonly against: string | null };

export interface JudgedOperations {
  readonly violations: readonly OperationsViolation[];
  /** Sentences that explain a schedule, too. */
  readonly whys: readonly Reason[];
  readonly notes: readonly string[];
}

/** A sentence, and the way that it is said of; null: one in another machine. */
export interface Reason {
  readonly why: string;
  readonly path: Path | null;
}

/** One way through the protocol, for one of the regions. */
interface Way {
  readonly region: MemoryMap;
  readonly path: Path;
  /** Of several regions: whose it is, as a sentence begins. */
  readonly of: string;
  /** The same, and under which circumstances. */
  readonly when: string;
  /** What is no violation is told of it, too. */
  readonly isNoted: boolean;
}

export function judgeOperations(
  host: Host,
  bbm: BbmLevel,
  protocol: Protocol,
  realGranules = true,
): JudgedOperations {
  const { claims, lock = 'exclusive' } = protocol;
  const { map } = host;
  const violations: OperationsViolation[] = [];
  const whys: Reason[] = [];
  const notes = new Set<string>();
  const found = (
    rule: Rule,
    why: string,
    path: Path,
    event: number | null,
    against: string | null = null,
  ): void => {
    const steps = operationSteps(map, path, event);
    violations.push({ rule, why, by: 'operations', steps, token: null, against });
    if (CAUSES.has(rule)) whys.push({ why, path });
  };
  // Of several forms a sentence says which.
  const isOneOfMany = changesOf(protocol).length > 1;
  const form = isOneOfMany ? `where ${changeNamed(map.changeName).text}: ` : '';
  const start =
    map.failing === null ? form : `${form}when its ${nth(map.failing)} allocation fails: `;
  const regions = map.regions.map((region) => ({
    region,
    of: map.isOneOfSeveral ? `of entry ${region.region}: ` : '',
    lost:
      lock === 'shared'
        ? lostRace(hypervisorScript(protocol, region, bbm), region, host.initial)
        : null,
  }));
  const ways = regions.flatMap(({ region, of, lost }): readonly Way[] => {
    const when = `${of}${start}`;
    const isFirst = region.region === 0;
    const own = host.paths.map((path) => ({
      ...{ region, of, when, isNoted: isFirst },
      path: partOf(path, region.region),
    }));
    if (lost === null || lost.path === null) return own;
    const finds = `${when}when its compare-exchange finds LOCKED: `;
    return [...own, { region, of, when: finds, isNoted: false, path: lost.path }];
  });
  for (const { region, path, of, when, isNoted } of ways) {
    const trace = traceOf(region, path, protocol);
    const verdict = judgeTrace(trace, bbm, false, map.hafdbs);
    for (const note of isNoted ? verdict.notes : []) notes.add(note);
    if (verdict.windowed && claims.neverInvalid === true) {
      const stored = trace.events.findIndex(
        (e) => e.op === 'write' && !isValid(e.value) && isValid(e.place?.before ?? trace.old),
      );
      const why = 'the protocol claims neverInvalid and stores an invalid descriptor (R_KFLJB)';
      found('claim', `${of}${why}`, path, stored);
    }
    for (const { rule, code, why, event } of verdict.violations) {
      // What is missing would have come behind the store: all that was done shows that it is not there.
      const shownTo = code === 'left-unclean' ? null : event;
      found(rule, `${when}${why}`, path, shownTo, againstOf(code));
    }
    const loss = map.hasNeighbour ? lossOfNeighbour(map, trace) : null;
    if (loss !== null && loss.isNamed) {
      found('vmid-isolation', `${when}${loss.why}`, path, loss.event);
    } else if (loss !== null) notes.add(loss.why);
    for (const finding of path.findings) {
      if (finding.region === region.region)
        found(finding.rule, `${when}${finding.why}`, path, null);
    }
  }
  for (const { region, of, lost } of regions) {
    const [path] = host.paths;
    if (lost === null || lost.path !== null || path === undefined) continue;
    found('progress', `${of}${LOSER_WAITS}`, partOf(path, region.region), null);
  }
  const surveyed =
    realGranules && violations.length === 0 && map.failing === null
      ? surveyOf(protocol, map.changeName, bbm, map.hafdbs)
      : null;
  for (const note of surveyed?.notes ?? []) notes.add(note);
  for (const violation of surveyed?.violations ?? []) {
    violations.push({ ...violation, against: null });
    if (CAUSES.has(violation.rule)) whys.push({ why: violation.why, path: null });
  }
  return { violations, whys, notes: [...notes] };
}

/**
 * Of two at once the operations are judged where an execution has them (judge-makers.ts). What tables of
 * two entries do not show, each of them is tried for by itself.
 */
export function judgeEach(
  protocols: readonly Protocol[],
  bbm: BbmLevel,
  hafdbs: boolean,
  realGranules = true,
): JudgedOperations {
  const violations: OperationsViolation[] = [];
  const notes = new Set<string>();
  for (const protocol of realGranules ? new Set(protocols) : []) {
    for (const change of changesOf(protocol)) {
      const found = surveyBeyondSearch(protocol, change, bbm, hafdbs);
      const alone = (text: string): string => `${protocol.name} by itself, ${text}`;
      for (const note of found.notes) notes.add(alone(note));
      for (const violation of found.violations) {
        const noToken = `of ${protocol.name} alone: explore without --against has a token for it`;
        violations.push({ ...violation, why: alone(violation.why), noToken, against: null });
      }
    }
  }
  return { violations, whys: [], notes: [...notes] };
}

const nth = (n: number): string => ['first', 'second', 'third'][n - 1] ?? `${n}th`;

const LOSER_WAITS =
  'whoever loses the race for the entry never ends: its compare-exchange finds LOCKED, then what the ' +
  'winner has left, and is tried again for ever';
