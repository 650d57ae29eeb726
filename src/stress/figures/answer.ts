/**
 * What a row says of "is it worth it" (result/answer.ts), from its rounds, protocol and traces.
 */
import { hasNt, isTable, isValid } from '../../arch/descriptor.ts';
import type { SeenTrace } from '../../machine/hypervisor/trace-log.ts';
import { foreignTextOf } from '../../port/foreign.ts';
import { changesSize, type Protocol } from '../../port/index.ts';
import type { TransitionTrace } from '../../port/trace.ts';
import type { AnswerFigures } from '../../result/answer.ts';
import { ROW } from '../results/results-area.ts';
import { rateOverRounds, ratioOverRounds } from '../statistics/index.ts';

interface Rounds {
  column(field: number): Float64Array;
}

/**
 * `judged`: rounds of transitions that times are taken from, or null where they are too few;
 * `idle`: undisturbed baseline rounds on tables, or null where they mean nothing.
 */
export function answerOf(
  protocol: Protocol,
  traces: readonly SeenTrace[],
  judged: Rounds | null,
  idle: Rounds | null,
  vcpus: number,
  seed: number,
): AnswerFigures {
  return {
    kind: changesSize(protocol.kind) ? protocol.kind : 'other',
    lostNs: judged === null ? null : lostOf(judged, seed),
    walkRate: idle === null ? null : walkRateOf(idle, vcpus, seed),
    cost: {
      lines: linesIn(protocol),
      needs: needsOf(
        protocol,
        traces.map(({ trace }) => trace),
      ),
    },
  };
}

/** No episode at all is 0 with no width: the share of transitions hit has the bound. */
function lostOf(judged: Rounds, seed: number): AnswerFigures['lostNs'] {
  const transitions = judged.column(ROW.transitions);
  if (transitions.every((n) => n === 0)) return null;
  return ratioOverRounds(judged.column(ROW.episodeNs), transitions, seed);
}

/** Walks are few where the TLB holds all pages: a rate of none is bounded, not zero. */
function walkRateOf(idle: Rounds, vcpus: number, seed: number): AnswerFigures['walkRate'] {
  const seconds = idle.column(ROW.durationNs).map((ns) => (ns / 1e9) * vcpus);
  return seconds.length === 0 ? null : rateOverRounds(idle.column(ROW.walks), seconds, seed);
}

/** Null for a protocol whose text is not known: a module without debug information. */
function linesIn(protocol: Protocol): number | null {
  const foreign = foreignTextOf(protocol);
  return foreign === null ? linesOf(protocol.run.toString()) : foreign.lines;
}

/** Lines of a function's body that hold code: no signature, blank line, comment or lone bracket. */
export function linesOf(source: string): number {
  const body = source.slice(source.indexOf('{') + 1, source.lastIndexOf('}'));
  const code = body.replaceAll(/\/\*[\s\S]*?\*\//g, '').replaceAll(/(^|\s)\/\/.*$/gm, '');
  return code.split('\n').filter((line) => /\w/.test(line)).length;
}

/** Features without which the traces seen would be wrong, or mean nothing. */
export function needsOf(
  protocol: Pick<Protocol, 'cpu'>,
  traces: readonly TransitionTrace[],
): readonly string[] {
  // What it was written for may be more than its steps show: that nothing ever aborts.
  const asked = Math.min(...(protocol.cpu?.bbm ?? [0]));
  const bbm = Math.max(asked, ...traces.map(bbmOf));
  const ranged = traces.some(({ events }) =>
    events.some((e) => e.op === 'tlbi' && e.tlbi.kind.startsWith('r')),
  );
  return [...(bbm > 0 ? [`FEAT_BBM level ${bbm}`] : []), ...(ranged ? ['FEAT_TLBIRANGE'] : [])];
}

/** nT is RES0 below level 1; a change of size between two valid entries without it needs level 2. */
function bbmOf({ events, old, level }: TransitionTrace): number {
  let before = old;
  let needed = 0;
  for (const e of events) {
    if (e.op !== 'write' || e.entry !== 'target') continue;
    const marked = hasNt(e.value, level) || hasNt(before, level);
    const resizes =
      isValid(before) && isValid(e.value) && isTable(before, level) !== isTable(e.value, level);
    if (marked) needed = Math.max(needed, 1);
    else if (resizes) needed = 2;
    before = e.value;
  }
  return needed;
}
