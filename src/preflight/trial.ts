/**
 * The trial of one protocol, in a thread of its own: loaded, run alone once at each level, unrolled
 * as the explorer does. Each word is said as soon as it is known, because the next step may never
 * end.
 */
import { commandLine } from '../package/command-line.ts';
import { cpuFor, type CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel, Granule } from '../arch/geometry.ts';
import { glanceAt, processorMs } from '../explore/protocol/index.ts';
import { foreignTextOf, runningBy } from '../port/foreign.ts';
import type { Protocol } from '../port/index.ts';
import type { Rule } from '../result/rule.ts';
import { loadProtocol } from '../stress/plan/load-protocol.ts';
import { counted } from './counted-port.ts';
import { placed, placeOfRun } from './places.ts';
import { progressWords, STAGE } from './progress-words.ts';
import { runAlone, type SoloFinding } from './solo.ts';
import type { Place, Word } from './word.ts';
import { ProtocolFailure } from '../port/protocol-failure.ts';

export interface TrialTask {
  readonly name: string;
  readonly path: string;
  readonly levels: readonly BlockLevel[];
  readonly granule: Granule;
  readonly cpuOverrides: Partial<CpuModel>;
  readonly progress: SharedArrayBuffer;
}

/** Before the trial has put its name and, where it has to, its place to it. */
type Untold = Omit<Word, 'protocol' | 'place'> & { readonly place: Place | null };
type Tell = (word: Untold) => void;

/**
 * The look takes milliseconds, or is given up: it is an extra. Of the thread's processor time, where
 * Node knows that: on a busy machine the look would often end before it began.
 */
const LOOK_MS = 700;

class LookIsOver extends Error {
  override readonly name = 'LookIsOver';
}

export async function runTrial(task: TrialTask, say: (word: Word) => void): Promise<void> {
  const { name, path, levels, granule, cpuOverrides } = task;
  const progress = progressWords(task.progress);
  // An operation that finds something wrong is far below the protocol's line.
  Error.stackTraceLimit = 50;
  progress.enter(STAGE.loading);
  const source = { from: 'file', name, path } as const;
  const protocol = await loadProtocol(source);
  const cpu = cpuFor(protocol, cpuOverrides);
  const count = (): void => progress.count();
  // Its author has other words for the port's operations.
  const isForeign = foreignTextOf(protocol) !== null;
  const known = new Set<string>();
  const tell: Tell = ({ place, ...word }) => {
    const key = word.kind === 'violation' ? `${word.rule}` : word.text;
    if (known.has(key)) return;
    known.add(key);
    say({
      protocol: name,
      ...word,
      place: place ?? placeOfRun(protocol) ?? wholeFile(path),
    });
  };
  for (const level of levels) {
    progress.enter(STAGE.alone);
    try {
      for (const finding of runAlone(counted(protocol, count), source, {
        granule,
        level,
        cpu,
      })) {
        const violation = violationOf({ name, isForeign }, finding, level);
        if (violation !== null) tell(violation);
      }
    } catch (error) {
      if (!(error instanceof ProtocolFailure)) throw error;
      tell({ kind: 'unusable', rule: null, level, ...placed(error.message) });
      return;
    }
  }
  for (const level of levels) {
    progress.enter(STAGE.unrolled);
    look(protocol, cpu, level, count, tell);
  }
}

/** Ways through it that no lone run takes, and whether it does the same again. */
function look(
  protocol: Protocol,
  cpu: CpuModel,
  level: BlockLevel,
  count: () => void,
  tell: Tell,
): void {
  const endMs = processorMs() + LOOK_MS;
  const counting = counted(protocol, count);
  const bounded = runningBy(protocol, (...given) => {
    if (processorMs() > endMs) throw new LookIsOver();
    return counting.run(...given);
  });
  try {
    for (const { rule, why } of glanceAt(bounded, cpu, level)) {
      const text = `protocol ${protocol.name} breaks the rule ${rule}: in the explorer ${why}`;
      tell({ kind: 'violation', rule, level, place: null, text });
    }
  } catch (error) {
    if (!(error instanceof ProtocolFailure)) throw error;
    if (error.cause instanceof LookIsOver) return;
    // The small machine has tables of two entries, for which it may not be meant.
    const { text, place } = placed(error.message);
    tell({
      kind: 'remark',
      rule: null,
      level,
      place,
      text: `${text} (in the explorer; ${commandLine('explore')} shows it)`,
    });
  }
}

const wholeFile = (file: string): Place => ({ file, line: null });

function violationOf(
  { name, isForeign }: { readonly name: string; readonly isForeign: boolean },
  { evidence, place, isTwice }: SoloFinding,
  level: BlockLevel,
): Untold | null {
  const word = (rule: Rule, what: string): Untold => ({
    kind: 'violation',
    rule,
    level,
    place,
    text: `protocol ${name} ${what}`,
  });
  switch (evidence.kind) {
    case 'leak': {
      const pages = evidence.tables === 1 ? '1 table page' : `${evidence.tables} table pages`;
      return word(
        'table-leak',
        `leaks ${pages} in one transition at level ${level}: neither freed nor reachable at the ` +
          `end; what is unlinked must be freed${isForeign ? '' : ', with tables.tearDown say'}`,
      );
    }
    case 'refcount':
      if (isTwice) {
        return word(
          'refcount',
          `frees table page 0x${evidence.table.toString(16)} a second time at level ${level}; ` +
            'a page is freed once',
        );
      }
      return word(
        'refcount',
        `leaves table page 0x${evidence.table.toString(16)} with count ${evidence.found} at level ` +
          `${level}; it must be 1 + its valid entries, ${evidence.expected}`,
      );
    case 'freed':
      return word(
        'freed-table',
        `uses table page 0x${evidence.table.toString(16)} after it was freed, at level ${level}; ` +
          'a page is freed after its last use',
      );
    default:
      return null;
  }
}
