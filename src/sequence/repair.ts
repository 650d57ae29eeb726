/**
 * What a sequence lacks: a smallest set of changes that makes it right, and each of them is needed.
 *
 * Everything that could make it stronger is done first, from the mildest kind of change to the
 * strongest until the judge is content; then each change is taken back that the judge does not miss.
 * The result is minimal: without any one of its changes the sequence is wrong again. Other minimal sets
 * may exist.
 */
import { isBroadcast, reaches, scopeOf, TLBI_KINDS } from '../arch/tlbi.ts';
import {
  type Action,
  innerSteps,
  type Place,
  type Sequence,
  type Step,
  type Value,
} from './steps.ts';
import { actionText } from './write.ts';

export interface Fix {
  /** Where in the text; of what is put behind a step that step. */
  readonly at: Place;
  /** `dsb nshst -> dsb ish`, `dsb ish, after tlbi vmalle1is`. */
  readonly text: string;
  readonly step: Step;
  readonly where: 'before' | 'instead' | 'after' | 'end';
  readonly actions: readonly Action[];
}

/** Is the sequence right? */
export type Judge = (sequence: Sequence) => boolean;

type Lock = Sequence['lock'];
type Repaired = Pick<Sequence, 'steps' | 'lock' | 'kind'>;

/** The mildest kinds first. */
const KINDS: readonly ((sequence: Repaired) => Fix[])[] = [
  counted,
  freed,
  strengthened,
  barriers,
  flushes,
  broken,
  freedLast,
];

/** Null if nothing that is tried here makes it right. */
export function repairOf(sequence: Sequence, isRight: Judge): readonly Fix[] | null {
  const fixes: Fix[] = [];
  for (const kind of KINDS) {
    // The strongest first, so that it is the first to be taken back.
    fixes.unshift(...kind(sequence));
    if (fixes.length > 0 && isRight(repaired(sequence, fixes))) {
      return leastOf(sequence, fixes, isRight);
    }
  }
  return null;
}

/** Of fixes that make a sequence right those that cannot be done without, in the order of the text. */
export function leastOf(sequence: Sequence, fixes: readonly Fix[], isRight: Judge): readonly Fix[] {
  let left = fixes;
  for (const fix of fixes) {
    const fewer = left.filter((other) => other !== fix);
    if (isRight(repaired(sequence, fewer))) left = fewer;
  }
  return left.toSorted((a, b) => a.at.line - b.at.line || a.at.column - b.at.column);
}

export function repaired(sequence: Sequence, fixes: readonly Fix[]): Sequence {
  const ends = fixes.flatMap((fix) => (fix.where === 'end' ? placed(fix) : []));
  return { ...sequence, steps: [...rebuilt(sequence.steps, fixes), ...ends] };
}

function placed({ actions, at }: Fix): Step[] {
  return actions.map((action) => ({ ...action, at }));
}

function rebuilt(steps: readonly Step[], fixes: readonly Fix[]): Step[] {
  return steps.flatMap((step) => {
    const own = fixes.filter((fix) => fix.step === step);
    const at = (where: Fix['where']): Step[] =>
      own.filter((fix) => fix.where === where).flatMap(placed);
    const isReplaced = own.some(({ where }) => where === 'instead' || where === 'end');
    const hasInner = step.op === 'each-page' || step.op === 'try-allocate';
    const inner = hasInner ? { ...step, steps: rebuilt(step.steps, fixes) } : step;
    return [...at('before'), ...(isReplaced ? at('instead') : [inner]), ...at('after')];
  });
}

function flat(steps: readonly Step[]): readonly Step[] {
  return steps.flatMap((step) => [
    ...(step.op === 'each-page' ? [] : [step]),
    ...flat(innerSteps(step)),
  ]);
}

const hasOldTable = (kind: Sequence['kind']): boolean => kind === 'coalesce' || kind === 'unmap';

/** Of a sequence as mails have it, of the entry alone: its old table is still to be freed. */
function freed({ steps, kind }: Repaired): Fix[] {
  const last = steps.at(-1);
  const isFreed = flat(steps).some(({ op }) => op === 'free');
  if (last === undefined || isFreed || !hasOldTable(kind)) return [];
  return [after(last, [{ op: 'free', part: 'all', when: 'now' }])];
}

/**
 * Behind these kinds the entry is as valid as before, so the count of its page has to come out even. Where
 * memory runs out is another way, which ends before this.
 */
function counted({ steps, kind }: Repaired): Fix[] {
  const last = steps.at(-1);
  if (last === undefined || !(kind === 'coalesce' || kind === 'split')) return [];
  const ofEntry = steps.flatMap((step) =>
    (step.op === 'get' || step.op === 'put') && step.child === null ? [step.op] : [],
  );
  const isLooped = steps.some(
    (step) =>
      step.op === 'each-page' && flat(step.steps).some(({ op }) => op === 'get' || op === 'put'),
  );
  const lost = ofEntry.reduce((sum, op) => sum + (op === 'put' ? 1 : -1), 0);
  if (lost === 0 || isLooped) return [];
  const action: Action = { op: lost > 0 ? 'get' : 'put', child: null };
  return [
    after(
      last,
      Array.from({ length: Math.abs(lost) }, () => action),
    ),
  ];
}

/** Each step as the stronger one of its kind. */
function strengthened({ steps, lock }: Repaired): Fix[] {
  return flat(steps).flatMap((step): Fix[] => {
    const stronger = strongerThan(step, lock);
    if (stronger === null) return [];
    const text = `${actionText(step)} -> ${actionText(stronger)}`;
    return [{ at: step.at, text, step, where: 'instead', actions: [stronger] }];
  });
}

function strongerThan(step: Step, lock: Lock): Action | null {
  if (step.op === 'store' && step.child === null && breaks(step.value)) {
    const { order, value } = breakUnder(lock);
    const isTaken = lock === 'exclusive' || (step.order === order && step.value === value);
    return isTaken ? null : { ...step, order, value };
  }
  if (step.op === 'dsb' && step.kind !== 'ish') return { op: 'dsb', kind: 'ish' };
  if (step.op === 'store' && step.order === 'plain' && step.value === 'table') {
    return { ...step, order: 'release' };
  }
  if (step.op !== 'tlbi') return null;
  const wide = step.kind.replace('ipas2le1', 'ipas2e1');
  const kind = TLBI_KINDS.find((each) => each === (isBroadcast(step.kind) ? wide : `${wide}is`));
  if (kind === undefined) return null;
  if (kind === step.kind && step.ttl === null && step.vmid === null) return null;
  return { ...step, kind, ttl: null, vmid: null };
}

const ISH: Action = { op: 'dsb', kind: 'ish' };
const tlbiOf = (kind: 'vmalls12e1is' | 'vmalle1is'): Action => ({
  ...{ op: 'tlbi', kind, address: null, ttl: null, vmid: null },
});

function after(step: Step, actions: readonly Action[]): Fix {
  const text = `${actions.map(actionText).join('; ')}, after ${actionText(step)}`;
  return { at: step.at, text, step, where: 'after', actions };
}

const storesEntry = (step: Step): boolean => step.op === 'store' && step.child === null;
const hasTlbi = (step: Step): boolean => flat([step]).some(({ op }) => op === 'tlbi');

/** A DSB behind each store and each TLBI that has none. */
function barriers({ steps }: Repaired): Fix[] {
  return steps.flatMap((step, i) => {
    const isFollowed = steps[i + 1]?.op === 'dsb';
    return !isFollowed && (storesEntry(step) || hasTlbi(step)) ? [after(step, [ISH])] : [];
  });
}

/** What takes combined entries behind what takes those of stage 2 alone, and all behind a break. */
function flushes({ steps }: Repaired): Fix[] {
  const stage1 = steps.flatMap((step) => {
    const isStage2 = flat([step]).some(
      (inner) => inner.op === 'tlbi' && !reaches(inner.kind, 'combined'),
    );
    return isStage2 ? [after(step, [ISH, tlbiOf('vmalle1is'), ISH])] : [];
  });
  const wider = flat(steps).flatMap((step): Fix[] => {
    if (step.op !== 'tlbi' || scopeOf(step.kind) === 'all') return [];
    const actions = [tlbiOf('vmalls12e1is')];
    const text = `${actionText(step)} -> tlbi vmalls12e1is`;
    if (actionText(step) === 'tlbi vmalls12e1is') return [];
    return [{ at: step.at, text, step, where: 'instead', actions }];
  });
  const all = steps.flatMap((step) =>
    storesEntry(step) ? [after(step, [ISH, tlbiOf('vmalls12e1is'), ISH])] : [],
  );
  return [...all, ...wider, ...stage1];
}

/** Break-before-make, before each store of something valid. */
function broken({ steps, lock }: Repaired): Fix[] {
  return flat(steps).flatMap((step): Fix[] => {
    if (step.op !== 'store' || step.child !== null || breaks(step.value)) return [];
    const actions = [breakUnder(lock), ISH, tlbiOf('vmalls12e1is'), ISH];
    const text = `${actions.map(actionText).join('; ')}, before ${actionText(step)}`;
    return [{ at: step.at, text, step, where: 'before', actions }];
  });
}

const breaks = (value: Value): boolean => ['0', 'invalid', 'locked'].includes(value);

/** Beside vCPUs that handle faults nothing but LOCKED keeps them out of the entry. */
function breakUnder(lock: Lock): Extract<Action, { readonly op: 'store' }> {
  const [order, value] =
    lock === 'shared' ? (['cas', 'locked'] as const) : (['plain', '0'] as const);
  return { op: 'store', order, value, child: null };
}

/** The old table freed at the end. */
function freedLast({ steps }: Repaired): Fix[] {
  return steps.slice(0, -1).flatMap((step): Fix[] => {
    if (step.op !== 'free') return [];
    const text = `${actionText(step)} at the end, not here`;
    return [{ at: step.at, text, step, where: 'end', actions: [step] }];
  });
}
