/**
 * The result of an exploration, of what its shares have found. However many they are, it is the same:
 * sums, of each outcome the first, and of each rule the shortest schedule of the first search that has
 * one so short.
 */
import { cpuResultOf } from '../../arch/cpu-model.ts';
import { changesOf } from '../../port/index.ts';
import {
  causesFirst,
  type ExploreBoundValues,
  type ExploreOutcome,
  type ExploreRun,
  type ExploreVerdict,
  type ExploreViolation,
  worstFirst,
} from '../../result/explore.ts';
import type { Rule } from '../../result/rule.ts';
import { notesOn } from './cpu.ts';
import { type JudgedOperations, judgeEach, judgeOperations } from './judge/judge-operations.ts';
import type { ExploreBounds } from './machine/bounds.ts';
import { accessesOf, type GuestProgram } from './machine/guest.ts';
import { joinOutcomes, type ShownPart } from './outcomes.ts';
import type { Host } from './run/host.ts';
import { handlersOf } from './run/pair.ts';
import { type Found, INTERRUPTED, searchesOf, type Stop } from './share.ts';
import type { Started } from './start.ts';
import { citing } from './schedule/citations.ts';
import {
  cpuKey,
  decodeToken,
  encodeToken,
  fingerprintOfHost,
  type ProtocolSource,
  type ScheduleToken,
  TOKEN_LENGTH_MAX,
} from './token.ts';

/** `elapsedMs`: from the start of the first share to the end of the last. */
export function conclude(
  started: Started,
  founds: readonly Found[],
  elapsedMs: number,
): ExploreRun {
  const { options, hosts, cpu, programs, bounds, level, vcpus, scenario, bbm } = started;
  const { granule, regions } = started;
  const { protocol, against = null } = options;
  const sum = (figure: (found: Found) => number): number =>
    founds.reduce((total, found) => total + figure(found), 0);
  const { stoppedBy, stoppedWhy } = stopOf(started, founds);
  const handlers = against === null ? 0 : handlersOf(protocol, against.protocol);
  const judged =
    against === null
      ? hosts.map((host) => judgeOperations(host, bbm, protocol, options.realGranules))
      : hosts.map(({ map }) =>
          judgeEach([protocol, against.protocol], bbm, map.hafdbs, options.realGranules),
        );
  const all = signViolations(started, shortest(founds), judged);
  const protocolNotes = [...new Set(judged.flatMap(({ notes }) => notes))];
  const isWhole = stoppedBy === null && started.part === null;
  const violations = all
    .filter((v, i, all) => all.findIndex((other) => other.rule === v.rule) === i)
    .toSorted(causesFirst)
    .map((v, _, all) => (isWhole ? withoutExecution(v, all) : v));
  const verdict: ExploreVerdict =
    violations.length > 0 ? 'violated' : stoppedBy === null ? 'safe' : 'bounded';
  return {
    ...(scenario === 'adjust-populated' ? {} : { scenario }),
    protocol: protocol.name,
    mutant: options.mutant ?? null,
    against: against?.protocol.name ?? null,
    ...(handlers === 0 ? {} : { handlers }),
    cpu: cpuResultOf(cpu),
    granule,
    ...(regions === 2 && { regions }),
    ...(started.part !== null && { part: started.part }),
    level,
    vcpus,
    verdict,
    states: sum(({ states }) => states),
    executions: sum(({ executions }) => executions),
    orders: sum(({ orders }) => orders),
    elapsedMs,
    bounds: boundValues(bounds, programs),
    stoppedBy,
    outcomes: outcomeTable(founds),
    violation: violations.find((v) => v.by === 'schedule') ?? violations[0] ?? null,
    violations,
    ...(stoppedWhy === null ? {} : { stoppedWhy }),
    notes: [...protocolNotes, ...notesOn(cpu)],
    ...(protocolNotes.length === 0 ? {} : { protocolNotes }),
  };
}

/** What stopped it; of several shares any one, as they stop together. */
function stopOf(started: Started, founds: readonly Found[]): Stop {
  const { bounds, stop } = started;
  const states = founds.reduce((total, found) => total + found.states, 0);
  const stopped = founds.find((found) => found.stoppedBy !== null);
  // Beside each other they may pass the bound before any of them sees it.
  const byStates = states > bounds.states ? 'states' : null;
  const stoppedBy = stop.stoppedBy ?? stopped?.stoppedBy ?? byStates;
  const known = stop.stoppedWhy ?? stopped?.stoppedWhy ?? null;
  if (known !== null || stoppedBy === null || stoppedBy === INTERRUPTED) {
    return { stoppedBy, stoppedWhy: known };
  }
  const all = searchesOf(started);
  const done = founds.reduce((total, found) => total + found.done, 0);
  const stoppedWhy =
    done === all ? null : `${done} of ${all} guest programs were gone through to the end`;
  return { stoppedBy, stoppedWhy };
}

/** Of each rule, in the order in which searches have found them. */
function shortest(founds: readonly Found[]): readonly ShownPart[] {
  const best = new Map<Rule, ShownPart>();
  const inOrder = founds.flatMap(({ shown }) => shown).toSorted((a, b) => a.at - b.at);
  for (const shown of inOrder) {
    const known = best.get(shown.rule);
    if (known === undefined || shown.length < known.length) best.set(shown.rule, shown);
  }
  return [...best.values()];
}

/** Forbidden ones first, then by text. */
function outcomeTable(founds: readonly Found[]): ExploreOutcome[] {
  return joinOutcomes(founds.flatMap(({ outcomes }) => outcomes))
    .map(({ at: _, ...outcome }) => outcome)
    .toSorted(worstFirst);
}

/** Every violation with its token. `judged`: of each host, what the automaton says of the operations. */
function signViolations(
  { options, hosts, cpu, granule, regions }: Started,
  shown: readonly ShownPart[],
  judged: readonly JudgedOperations[],
): (ExploreViolation & { readonly against?: string | null })[] {
  const { protocol, mutant = null, source, against = null } = options;
  const builtIn = mutant === null ? 'built-in' : 'mutant';
  const from: ProtocolSource = source ?? { kind: builtIn, name: mutant ?? protocol.name, text: '' };
  const beside = against?.source ?? null;
  const headOf = ({ map, vcpus, threads }: Host) =>
    ({
      kind: from.kind,
      name: from.name,
      fingerprint: fingerprintOfHost(threads, [from.text, beside?.text ?? '']),
      against: beside === null ? null : { kind: beside.kind, name: beside.name },
      cpu: cpuKey(cpu, vcpus),
      level: map.level,
      granule,
      regions,
      vcpus,
      scenario: map.hasNeighbour ? 'two-vms' : 'adjust-populated',
      form: Math.max(0, changesOf(protocol).indexOf(map.changeName)),
      failing: map.failing,
    }) as const;
  const isNamed = against === null || beside !== null;
  const seen = shown.map(({ rule, why, steps, toCome, way, place, host }): ExploreViolation => {
    const [cause] = judged[host]?.whys ?? [];
    const shows = { by: 'schedule', ...place } as const;
    const says = isNamed ? { ...headOf(hosts[host] as Host), shows } : null;
    const text = cause === undefined ? why : `${why}; cause: ${citing(cause.why, cause.path, way)}`;
    const more = toCome.length === 0 ? {} : { toCome };
    return { rule, why: text, by: 'schedule', steps, ...more, ...signed(says, from) };
  });
  const done = hosts.flatMap((host, i) =>
    (judged[i]?.violations ?? []).map((violation) => ({
      ...violation,
      ...(violation.noToken === undefined &&
        signed({ ...headOf(host), shows: { by: 'operations', rule: violation.rule } }, from)),
    })),
  );
  return [...seen, ...done];
}

/** Its token, and what replay has to be told beside it. */
function signed(
  says: ScheduleToken | null,
  { name, path = name }: ProtocolSource,
): Pick<ExploreViolation, 'token' | 'replayFile' | 'noToken'> {
  if (says === null) return { token: null };
  const token = encodeToken(says);
  if (token === null) return { token, noToken: tooLongWhy(says) };
  if (says.kind !== 'file') return { token };
  return decodeToken(token)?.name === says.name ? { token } : { token, replayFile: path };
}

/** What of it takes the room: the path beside it, or a sequence, of neither of which a part would do. */
function tooLongWhy({ kind, name, against }: ScheduleToken): string {
  const room = TOKEN_LENGTH_MAX / 3;
  if (against?.kind === 'file' && against.name.length > room) {
    const file = against.name.slice(against.name.lastIndexOf('/') + 1);
    return `no room in a token for the path of ${file}; from a folder nearer to it there is`;
  }
  return kind === 'sequence' && name.length > room
    ? 'no room in a token for so long a sequence; one in a .seq file has a token'
    : 'no room in a token for so many accesses; fewer --accesses may show it, too';
}

/**
 * What the operations alone convict, and no execution shows: said as what it is, because the checker
 * holds protocols to rules that are stricter than what one small machine can make go wrong.
 */
function withoutExecution(
  { against = null, ...violation }: ExploreViolation & { readonly against?: string | null },
  all: readonly ExploreViolation[],
): ExploreViolation {
  if (against === null || all.some(({ by }) => by === 'schedule')) return violation;
  const why = `${violation.why}; against ${against}; no execution of this model shows harm`;
  return { ...violation, why, noExecution: true };
}

function boundValues(bounds: ExploreBounds, programs: readonly GuestProgram[]): ExploreBoundValues {
  const accesses = Math.max(...programs.map((program) => accessesOf(program).length));
  const { states, memoryBytes, ...others } = bounds;
  return {
    ...others,
    ...(Number.isFinite(states) && { states }),
    ...(Number.isFinite(memoryBytes) && { memoryBytes }),
    ...{ programs: programs.length, accesses },
  };
}
