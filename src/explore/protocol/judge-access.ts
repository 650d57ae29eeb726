/**
 * What one access of a vCPU came to, in a word, and whether it may: the rules of design §6 as far as
 * a single access can break them. Pure.
 *
 *   early   before, during or after the transition: the old and the new mapping are both right
 *   late    after the lock was seen free, which comes after the protocol's end: the old one is stale,
 *           unless the protocol left it in place
 */
import { assert, assertNever } from '../../arch/assert.ts';
import {
  type Descriptor,
  hasNt,
  outputAddress,
  softwareBits,
  typeOf,
} from '../../arch/descriptor.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../../arch/geometry.ts';
import type { Claims } from '../../port/index.ts';
import type { OutcomeGrade } from '../../result/explore.ts';
import type { Rule } from '../../result/rule.ts';
import type { Access, AccessResult } from './guest.ts';
import { GEOMETRY, type MemoryMap, NEW_VERSION, OLD_VERSION, TARGET } from './memory-map.ts';
import type { Fault, Leaf } from './translation.ts';

export interface Judgement {
  readonly grade: OutcomeGrade;
  /** The rule that was broken; null unless forbidden. */
  readonly rule: Rule | null;
  readonly word: string;
  readonly why: string;
}

export interface JudgeInput {
  readonly map: MemoryMap;
  readonly claims: Claims;
  /** What the hypervisor leaves behind, by location. */
  readonly memory: readonly Descriptor[];
  readonly access: Access;
  readonly phase: 'early' | 'late';
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

/** The leaf that memory maps `page` by in the end; null if it does not. */
export function mappingAfter(
  map: MemoryMap,
  memory: readonly Descriptor[],
  page: number,
): Descriptor | null {
  let location: number = TARGET;
  for (let level: Level = map.level; ; level = childLevel(level)) {
    const d = memory[location];
    assert(d !== undefined, `no location ${location}`);
    const type = typeOf(d, level);
    if (type === 'invalid' || type === 'reserved') return null;
    if (type !== 'table') return d;
    const index = tableIndex(GEOMETRY, childLevel(level), map.pageIpa(page));
    location = map.entryOf(map.follow(d), index);
  }
}

export function judgeLeaf(input: JudgeInput, leaf: Leaf): Judgement {
  switch (leaf.kind) {
    case 'freed':
      return forbidden(
        'freed-table',
        'freed table',
        'its walk read a table page after the page was freed and in use again ' +
          '(R_RVJDB: a walk under way is a TLB entry until a TLBI is complete)',
      );
    case 'amalgam':
      return forbidden(
        'wrong-output-address',
        'amalgamation',
        'two TLB entries matched and the PE mixed them (R_FVQCK)',
      );
    case 'leaf':
      return judgeMapping(input, leaf.d, leaf.level);
    default:
      return assertNever(leaf);
  }
}

function judgeMapping(input: JudgeInput, d: Descriptor, level: Level): Judgement {
  const { map, access, phase, memory } = input;
  const found =
    outputAddress(GEOMETRY, d, level) + (map.pagePa(access.page) % entrySize(GEOMETRY, level));
  const version = softwareBits(d);
  if (found !== map.pagePa(access.page) || (version !== OLD_VERSION && version !== NEW_VERSION)) {
    const word = 'wrong address';
    const why = `it was sent to 0x${found.toString(16)} (version ${version}), where no version leads`;
    return forbidden('wrong-output-address', word, why);
  }
  const isOld = version === OLD_VERSION;
  const word = `${isOld ? 'old' : 'new'}${hasNt(d, level) ? ' (nT)' : ''}`;
  if (phase === 'late' && isOld) {
    const after = mappingAfter(map, memory, access.page);
    if (after === null || softwareBits(after) !== OLD_VERSION) {
      return forbidden(
        'stale-translation',
        `stale ${word}`,
        'it came after the transition and used a translation from before it ' +
          '(R_LXHLD: none may be used once the TLBI is complete)',
      );
    }
  }
  const when = phase === 'late' ? 'after the transition' : 'at some time around the transition';
  return acceptable(word, `it used the ${word} mapping ${when}`);
}

export function judgeFault(input: JudgeInput, fault: Fault): Judgement {
  const { map, claims, memory, access } = input;
  const level = `level ${fault.level}`;
  switch (fault.kind) {
    case 'translation': {
      // A split may leave pages to be mapped on demand; a coalesce has to map all it had.
      const mapped = map.kind === 'coalesce' || mappingAfter(map, memory, access.page) !== null;
      if (!mapped) {
        const why = 'its page is not mapped any more after the transition: the fault is genuine';
        return acceptable('genuine fault', why);
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
    case 'permission':
      return forbidden(
        'wrong-permission',
        'permission fault',
        `it took a Permission fault of ${level}, and every version of the mapping permits it`,
      );
    default:
      return assertNever(fault.kind);
  }
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
