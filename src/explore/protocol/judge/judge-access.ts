/**
 * What one access of a vCPU came to, in a word, and whether it may: the checker's rules as far as
 * a single access can break them. Pure.
 *
 *   early   before, during or after the transition: the old and the new mapping are both right
 *   late    after the lock was seen free, which comes after the protocol's end: the old one is stale,
 *           unless the protocol left it in place
 */
import { assert, assertNever } from '../../../arch/assert.ts';
import type { TlbiCompletion } from '../../../arch/cpu-model.ts';
import {
  type Descriptor,
  hasNt,
  isValid,
  outputAddress,
  softwareBits,
  typeOf,
} from '../../../arch/descriptor.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../../../arch/geometry.ts';
import type { ChangeName, Claims } from '../../../port/index.ts';
import type { OutcomeGrade } from '../../../result/explore.ts';
import type { Rule } from '../../../result/rule.ts';
import type { Access, AccessResult } from '../machine/guest.ts';
import { type MemoryMap, NEW_VERSION, NEXT_VERSION, OLD_VERSION } from '../machine/memory-map.ts';
import { RELAXED_FOR } from '../machine/reach.ts';
import type { Fault, Leaf } from '../machine/translation.ts';

export interface Judgement {
  readonly grade: OutcomeGrade;
  /** The rule that was broken; null unless forbidden. */
  readonly rule: Rule | null;
  readonly word: string;
  readonly why: string;
}

export interface JudgeInput {
  /** Of the region that is accessed. */
  readonly map: MemoryMap;
  readonly claims: Claims;
  /** What the hypervisor leaves behind, by location. */
  readonly memory: readonly Descriptor[];
  readonly access: Access;
  /** Who makes it. */
  readonly vcpu: number;
  readonly phase: 'early' | 'late';
  readonly tlbi: TlbiCompletion;
  /**
   * Walkers keep dirty state, and after everything the tables call the page clean (aftermath.ts).
   */
  readonly endsClean: boolean;
}

const acceptable = (word: string, why: string): Judgement => ({
  grade: 'acceptable',
  rule: null,
  word,
  why,
});
const interesting = (word: string, why: string): Judgement => ({
  grade: 'interesting',
  rule: null,
  word,
  why,
});
const forbidden = (rule: Rule, word: string, why: string): Judgement => ({
  grade: 'forbidden',
  rule,
  word,
  why,
});

/** How memory maps a page: by which leaf, null if by none, and the entries on the way to it. */
export interface Mapping {
  readonly leaf: Descriptor | null;
  readonly locations: readonly number[];
}

/** What a walk for `page` finds while every location holds what `held` says. */
export function mappingOf(
  map: MemoryMap,
  held: (location: number) => Descriptor | undefined,
  page: number,
): Mapping {
  const locations: number[] = [];
  let location: number = map.target;
  for (let level: Level = map.level; ; level = childLevel(level)) {
    const d = held(location);
    assert(d !== undefined, `no location ${location}`);
    locations.push(location);
    const type = typeOf(d, level);
    if (type === 'invalid' || type === 'reserved') return { leaf: null, locations };
    if (type !== 'table') return { leaf: d, locations };
    if (!map.isTableAddress(d)) return { leaf: null, locations };
    const index = tableIndex(map.geometry, childLevel(level), map.pageIpa(page));
    location = map.entryOf(map.follow(d), index);
  }
}

/** The leaf that memory maps the accessed page by in the end; null if it does not. */
function leafAfter({ map, memory, access }: JudgeInput): Descriptor | null {
  return mappingOf(map, (location) => memory[location], access.page).leaf;
}

const FOREIGN_UPDATED =
  ', and stored to it: the walker set its flags in what is no descriptor of the VM (R_RTBRL)';

export function judgeLeaf(input: JudgeInput, leaf: Leaf): Judgement {
  switch (leaf.kind) {
    case 'freed': {
      const why =
        'its walk read a table page after the page was freed and in use again ' +
        '(R_RVJDB: a walk under way is a TLB entry until a TLBI is complete)';
      return forbidden(
        'freed-table',
        'freed table',
        `${why}${leaf.updated ? FOREIGN_UPDATED : ''}`,
      );
    }
    case 'unfilled': {
      const why =
        'its walk found the link to a new table page before what fills the page, and read what its ' +
        'last user left there (B2.3: nothing orders the link after the stores that fill it)';
      return forbidden(
        'freed-table',
        'unfilled table',
        `${why}${leaf.updated ? FOREIGN_UPDATED : ''}`,
      );
    }
    case 'amalgam':
      return forbidden(
        'wrong-output-address',
        'amalgamation',
        'two TLB entries matched and the PE mixed them (R_FVQCK)',
      );
    case 'stray':
      return forbidden(
        'wrong-output-address',
        'stray walk',
        'its walk took a descriptor for a table that points to no table page: a table is linked at ' +
          'the wrong level, or its address is wrong',
      );
    case 'switched':
      return forbidden(
        'wrong-output-address',
        "host's mapping",
        "it came to run on the hypervisor's PE and was sent where the host's table leads: a walk that " +
          'was under way when VTTBR_EL2 changed filled the TLB under the new VMID (kernel commit ' +
          '7e1b2329c205)',
      );
    case 'leaf':
      return leaf.late === true
        ? judgeLate(input, leaf.d, leaf.level)
        : judgeMapping(input, leaf.d, leaf.level);
    default:
      return assertNever(leaf);
  }
}

/** By change: the rule that a store through the old mapping breaks once the memory is taken. */
const LATE_RULES: Readonly<Partial<Record<ChangeName, Rule>>> = {
  relocate: 'lost-access',
  restrict: 'lost-dirty',
};

/** A store that took effect after the memory behind the old mapping was taken. */
function judgeLate(input: JudgeInput, d: Descriptor, level: Level): Judgement {
  const { map, phase } = input;
  const wrong = judgeMapping(input, d, level);
  // That it used the old mapping at all tells more.
  if (wrong.grade === 'forbidden') return wrong;
  const rule = LATE_RULES[map.changeName] ?? 'stale-translation';
  const why =
    `it stored through the old mapping, ${map.change.late ?? 'too late'} ` +
    '(R_LXHLD: a TLBI is complete when the accesses that use its entries are)';
  return forbidden(rule, `${phase === 'late' ? '' : 'late '}${wrong.word} store`, why);
}

/** On a core whose TLBIs do not wait for accesses under way: where nobody has taken the memory. */
function isHarmless({ map, access, tlbi }: JudgeInput): boolean {
  const mayBeLate = tlbi === 'ipi' || (tlbi === 'late-writes' && access.kind === 'store');
  const { takes, readOnly } = map.change;
  return mayBeLate && (takes === undefined || (readOnly === 'new' && access.kind === 'load'));
}

function judgeMapping(input: JudgeInput, d: Descriptor, level: Level): Judgement {
  const { map, access, phase } = input;
  const version = softwareBits(d);
  const pa = map.pagePa(access.page, version);
  const found = outputAddress(map.geometry, d, level) + (pa % entrySize(map.geometry, level));
  if (found !== pa) {
    const why = `it was sent to 0x${found.toString(16)} (version ${version}), where no version leads`;
    return forbidden('wrong-output-address', 'wrong address', why);
  }
  const isNext = version === NEXT_VERSION && map.makers > 1;
  if (version !== OLD_VERSION && version !== NEW_VERSION && !isNext) {
    const why =
      `the descriptor it used leads to the right address, but its software bits are ${version}, ` +
      'which no version of the mapping has: it is none that anybody asked for';
    return forbidden('wrong-output-address', 'unknown version', why);
  }
  const isOld = version === OLD_VERSION;
  const word = `${isOld ? 'old' : isNext ? 'next' : 'new'}${hasNt(d, level) ? ' (nT)' : ''}`;
  if (phase === 'late' && isOld && map.change.readOnly === 'old') {
    return acceptable(word, 'it used the old mapping still, which only denies stores');
  }
  if (phase === 'late' && isOld && isHarmless(input)) {
    const why = 'it was translated before the flush and took effect after it, in the same memory';
    return interesting(`late ${word}`, `${why}: the core has an erratum (R_LXHLD)`);
  }
  // Of two makers the second may replace what the first has made.
  if (phase === 'late' && (isOld || map.makers > 1)) {
    const after = leafAfter(input);
    if (after === null || softwareBits(after) !== version) {
      return forbidden(
        'stale-translation',
        `stale ${word}`,
        `it came after ${map.makers > 1 ? 'both transitions' : 'the transition'} and used a translation ` +
          `from before ${map.makers > 1 ? 'the last one' : 'it'} ` +
          '(R_LXHLD: none may be used once the TLBI is complete)',
      );
    }
  }
  if (access.kind === 'store' && input.endsClean) {
    return forbidden(
      'lost-dirty',
      `${word}, its dirty state lost`,
      `it stored through the ${word} mapping, and after everything the tables call the page clean: ` +
        'who copies dirty pages leaves this one out (R_RTBRL, I_GXGZY)',
    );
  }
  const when = phase === 'late' ? 'after the transition' : 'at some time around the transition';
  return acceptable(word, `it used the ${word} mapping ${when}`);
}

export function judgeFault(input: JudgeInput, fault: Fault): Judgement {
  const { map, claims, phase } = input;
  const level = `level ${fault.level}`;
  switch (fault.kind) {
    case 'translation': {
      // A split may leave pages to be mapped on demand; a coalesce has to map all it had.
      const isKept = map.changeName === 'coalesce' && map.makers === 1;
      const mapped = isKept || leafAfter(input) !== null;
      if (!mapped) {
        const why = 'its page is not mapped any more after the transition: the fault is genuine';
        return acceptable('genuine fault', why);
      }
      if (!isValid(map.old)) {
        if (phase === 'early') {
          return acceptable('genuine fault', 'its page was not mapped before the transition');
        }
        const why = `it took a Translation fault of ${level} though the page had been mapped`;
        return interesting('spurious fault', `${why}: a walk from before (R_FFWJK)`);
      }
      const word = 'spurious fault';
      const why = `it took a Translation fault of ${level} on a page mapped before and after`;
      if (claims.neverInvalid !== true) return interesting(word, `${why}: the window (R_DDMVT)`);
      return forbidden('claim', word, `${why}, and the protocol claims neverInvalid (R_KFLJB)`);
    }
    case 'nt':
      return interesting('nT fault', 'the PE faults on an nT block, which R_MRRPW lets it');
    case 'conflict': {
      const why = `two TLB entries matched (one of ${level}) and the PE raised a TLB conflict abort`;
      if (claims.handlesConflict === true) {
        return interesting('conflict', `${why}, which the protocol claims to handle (R_BLRKC)`);
      }
      const rules = '(R_FVQCK, R_MRRPW, I_HYQMB)';
      return forbidden('tlb-conflict', 'conflict', `${why}, which nothing handles ${rules}`);
    }
    case 'access-flag':
      return interesting('access-flag fault', `it took an Access flag fault of ${level}`);
    case 'permission': {
      const { readOnly } = map.change;
      if (input.access.kind === 'store' && readOnly !== undefined) {
        return judgeDenied(input, fault);
      }
      return forbidden(
        'wrong-permission',
        'permission fault',
        `it took a Permission fault of ${level}, and every version of the mapping permits it`,
      );
    }
    default:
      return assertNever(fault.kind);
  }
}

/** A Permission fault of a store where the old or the new mapping denies stores. */
function judgeDenied({ map, phase, access, vcpu }: JudgeInput, fault: Fault): Judgement {
  const level = `level ${fault.level}`;
  if (map.change.readOnly === 'new' || phase === 'early') {
    const when = map.change.readOnly === 'new' ? 'new' : 'old';
    const why = `the ${when} mapping denies it: the fault is genuine`;
    return acceptable('genuine fault', why);
  }
  const why = `the ${access.kind} took a Permission fault of ${level} after the page was made writable`;
  if (vcpu !== RELAXED_FOR) {
    return interesting('denied once more', `${why}: its next fault flushes its own TLB (v6.4)`);
  }
  return forbidden(
    'progress',
    'denied for ever',
    `${why} on the PE whose fault that was to repair: its TLB denies every further try (R_GPPYH)`,
  );
}

export function judgeAccess(
  input: JudgeInput,
  result: AccessResult,
  leaves: readonly Leaf[],
  faults: readonly Fault[],
): Judgement {
  if (result.kind === 'fault') {
    const fault = faults[result.fault];
    assert(fault !== undefined, `no fault ${result.fault}`);
    return judgeFault(input, fault);
  }
  const leaf = leaves[result.leaf];
  assert(leaf !== undefined, `no leaf ${result.leaf}`);
  return judgeLeaf(input, leaf);
}
