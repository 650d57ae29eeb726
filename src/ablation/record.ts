/**
 * The operations of a protocol, recorded while it runs behind the port, as steps of its source: what a
 * loop does again is one step, and what it does only where the CPU has a BBM level is a step as well.
 *
 * Of several ways through a protocol the longest is recorded: the others turn back early.
 */
import { BBM_LEVELS, type BbmLevel } from '../arch/feat-bbm.ts';
import type { Protocol, Tables, Transition } from '../port/index.ts';
import type { SourcePlace } from '../port/foreign.ts';
import { placeNow } from '../port/places.ts';
import { describeCall } from './describe.ts';
import { type Call, tapped } from './tap.ts';

export interface RecordedStep {
  /** From 1, in the order of the protocol. */
  readonly number: number;
  /** In the words of plain sequences; of a loop as in its first turn. */
  readonly operation: string;
  /** Null where it is not known. */
  readonly place: SourcePlace | null;
  /** As it was asked for the first time. */
  readonly call: Call;
  readonly transition: Transition;
  /** By the level the protocol was told: which operations of a run it is, from 0. */
  readonly numbers: ReadonlyMap<BbmLevel, readonly number[]>;
  /** Of the same runs, every operation; and how many entries the tables had. */
  readonly operations: ReadonlyMap<BbmLevel, readonly Call['op'][]>;
  readonly entries: number;
  /** Is it the last operation of a run? */
  readonly isLast: boolean;
  /** The step before it, if that is a DSB. */
  readonly afterDsb: string | null;
  /** Of a store: the next one, to another entry; barriers, books and loads may stand between. */
  readonly nextStore: StoreStep | null;
}

export type StoreStep = Pick<RecordedStep, 'number' | 'operation' | 'numbers'>;

/** Runs a protocol once or more often, every way through it among them. */
export type Play = (protocol: Protocol, bbm: BbmLevel) => void;

interface Entry {
  readonly call: Call;
  readonly operation: string;
  readonly place: SourcePlace | null;
  /** Where in the source, with everything it was called through. */
  readonly site: string;
}

/** Frames that tell two calls of one helper apart. */
const FRAMES = 40;

export function recordSteps(protocol: Protocol, play: Play): readonly RecordedStep[] {
  let transition: Transition | null = null;
  let entries = 0;
  const sites: string[] = [];
  const runs = new Map<BbmLevel, readonly Entry[]>();
  for (const bbm of BBM_LEVELS) {
    const run = longestRun(protocol, bbm, play, (t, tables) => {
      transition = t;
      entries = tables.entries;
    });
    runs.set(bbm, run);
    insertSites(
      sites,
      run.map(({ site }) => site),
    );
  }
  const t = transition;
  if (t === null) return [];
  const operations = new Map([...runs].map(([bbm, run]) => [bbm, run.map(({ call }) => call.op)]));
  const steps = sites.map((site, i) => ({ ...stepOf(site, i, runs, t), operations, entries }));
  return steps.map((step, i) => {
    const before = steps[i - 1];
    const afterDsb = before?.call.op === 'dsb' ? before.operation : null;
    return { ...step, afterDsb, nextStore: nextStoreOf(step, steps.slice(i + 1)) };
  });
}

/** Of these none has a place of its own in the order of two stores. */
const BETWEEN: ReadonlySet<Call['op']> = new Set([
  ...(['dsb', 'dmb', 'isb', 'read', 'get', 'put', 'cleanDcache'] as const),
]);

function nextStoreOf(
  { call }: Pick<RecordedStep, 'call'>,
  later: readonly Pick<RecordedStep, 'call' | 'number' | 'operation' | 'numbers'>[],
): StoreStep | null {
  if (call.op !== 'write' && call.op !== 'writeRelease') return null;
  const next = later.find((step) => !BETWEEN.has(step.call.op));
  if (next?.call.op !== 'write' && next?.call.op !== 'writeRelease') return null;
  return next.call.entry === call.entry ? null : next;
}

function stepOf(
  site: string,
  index: number,
  runs: ReadonlyMap<BbmLevel, readonly Entry[]>,
  transition: Transition,
): Omit<RecordedStep, 'operations' | 'entries'> {
  const all = [...runs];
  const first = all.flatMap(([, run]) => run).find((entry) => entry.site === site);
  if (first === undefined) throw new Error('every site was recorded');
  const numbers = new Map(
    all.map(([bbm, run]) => [bbm, run.flatMap((entry, i) => (entry.site === site ? [i] : []))]),
  );
  return {
    number: index + 1,
    operation: first.operation,
    place: first.place,
    call: first.call,
    transition,
    numbers,
    isLast: all.some(([, run]) => run.at(-1)?.site === site),
    afterDsb: null,
    nextStore: null,
  };
}

/** Sites that are new come behind the one they follow. */
function insertSites(sites: string[], run: readonly string[]): void {
  let at = 0;
  for (const site of run) {
    const known = sites.indexOf(site);
    if (known < 0) sites.splice(at, 0, site);
    at = Math.max(at, sites.indexOf(site) + 1);
  }
}

function longestRun(
  protocol: Protocol,
  bbm: BbmLevel,
  play: Play,
  onTransition: (t: Transition, tables: Tables) => void,
): readonly Entry[] {
  let longest: Entry[] = [];
  const isSplit = protocol.kind === 'split';
  const recording = tapped(protocol, protocol.name, (_cpu, t, tables) => {
    const run: Entry[] = [];
    onTransition(t, tables);
    return (call, _number, perform) => {
      const operation = describeCall(call, t, isSplit);
      // Most runs do again what is known; to look at the stack costs more than all the rest.
      const known = longest[run.length];
      run.push(known?.operation === operation ? known : entryOf(protocol, call, operation));
      if (run.length > longest.length) longest = run;
      return perform();
    };
  });
  const limit = Error.stackTraceLimit;
  Error.stackTraceLimit = FRAMES;
  try {
    play(recording, bbm);
  } finally {
    Error.stackTraceLimit = limit;
  }
  return [...longest];
}

function entryOf(protocol: Protocol, call: Call, operation: string): Entry {
  const place = placeNow(protocol);
  const site = `${call.op} ${place?.site ?? ''} ${framesOfProtocol(new Error('site').stack ?? '')}`;
  return { call, operation, place, site };
}

/** What lies between the tap that was called and the tap that called the protocol. */
function framesOfProtocol(stack: string): string {
  const isOurs = (line: string): boolean => line.includes('/src/ablation/');
  const lines = stack.split('\n').slice(1);
  const from = lines.findIndex((line) => !isOurs(line));
  const to = lines.findIndex((line, i) => i > from && isOurs(line));
  return lines.slice(from, to < 0 ? undefined : to).join('\n');
}
