/**
 * Text to a sequence: the grammar of docs/sequences.md. Spellings of the architecture and of the Linux
 * kernel mean the same steps.
 */
import { type ContextName, CONTEXTS } from '../arch/context.ts';
import { DMB_KINDS, DSB_KINDS } from '../port/cpu.ts';
import {
  CHANGE_NAMES,
  type ChangeName,
  changesSize,
  formsOf,
  PROTOCOL_KINDS,
  type ProtocolKind,
} from '../port/kinds.ts';
import { Cursor } from './cursor.ts';
import { bracketed, exchange, maybePlace, PAGES_MAX, type Store, store, tlbi } from './operands.ts';
import { END, scan, type Word } from './scan.ts';
import {
  type Action,
  type Address,
  type Place,
  type Sequence,
  SequenceError,
  type Step,
  type Ttl,
} from './steps.ts';

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const CLAIMS = ['never-invalid', 'handles-conflict'] as const;

/** The steps behind each word; some words of the kernel stand for several. */
const STEPS: Readonly<Record<string, (c: Cursor, word: Word) => readonly Action[]>> = {
  str: (c) => [store(c, 'str', 'plain')],
  stlr: (c) => [store(c, 'stlr', 'release')],
  cas: (c) => [store(c, 'cas', 'cas')],
  write_once: (c) => [store(c, 'write_once', 'plain')],
  smp_store_release: (c) => [store(c, 'smp_store_release', 'release')],
  ldr: load,
  read_once: load,
  dsb: (c) => [{ op: 'dsb', kind: bracketed(c, 'dsb', () => c.oneOf('dsb', DSB_KINDS)) }],
  dmb: (c) => [{ op: 'dmb', kind: bracketed(c, 'dmb', () => c.oneOf('dmb', DMB_KINDS)) }],
  isb: (c) => {
    if (c.has('(')) c.expect(')', 'isb()');
    return [{ op: 'isb' }];
  },
  ipi: () => [{ op: 'ipi' }],
  vttbr: (c) => [{ op: 'vttbr', table: c.oneOf('vttbr', ['guest', 'host']) }],
  tge: (c) => [{ op: 'tge', on: c.oneOf('tge', ['on', 'off']) === 'on' }],
  tlbi: (c) => [tlbi(c, 'tlbi')],
  __tlbi: (c) => [tlbi(c, '__tlbi')],
  __tlbi_level: (c) => [tlbi(c, '__tlbi_level')],
  kvm_call_hyp: hypercall,
  free,
  alloc: (c) => {
    const isEmpty = c.has('empty');
    c.expect('child', 'alloc child');
    return [{ op: 'allocate', filled: !isEmpty }];
  },
  put: (c) => [{ op: 'put', child: maybePlace(c) ?? null }],
  get: (c) => [{ op: 'get', child: maybePlace(c) ?? null }],
  merge: () => [{ op: 'merge' }],
  gather: () => [{ op: 'gather' }],
  clean: () => [{ op: 'clean' }],
};

/** Words that say something of the whole sequence, each before the first step. */
const HEADS = new Set<string>([
  ...PROTOCOL_KINDS,
  ...CHANGE_NAMES,
  'name',
  'lock',
  'context',
  'claims',
]);

const WORDS =
  'str, stlr, cas, ldr, dsb, dmb, isb, ipi, vttbr, tge, tlbi, free, alloc, try alloc, put, get, merge, ' +
  'clean, gather, each page, each mapped page';

const KERNEL_WORDS =
  'WRITE_ONCE(), smp_store_release(), cmpxchg(), READ_ONCE(), smp_mb(), __tlbi(), ' +
  'kvm_call_hyp()';

const NO_CHILD_YET = 'the child table of a split has to be made first: alloc child';

/** Throws SequenceError. */
export function parseSequence(text: string): Sequence {
  return new Parser(new Cursor(scan(text))).parse();
}

class Parser {
  readonly #c: Cursor;
  #name: string | null = null;
  #kind: ProtocolKind | null = null;
  #form: ChangeName | null = null;
  #lock: Sequence['lock'] = 'exclusive';
  #context: ContextName | null = null;
  readonly #claims = new Set<(typeof CLAIMS)[number]>();
  readonly #prose = new Map<string, string>();
  #hasSteps = false;
  #hasChild = false;
  #hasGathered = false;
  /** Within a loop, within one over mapped pages. */
  #isInLoop = false;
  #isAtLeaf = false;
  /** Entries that do not hold what they did when they were last looked at. */
  readonly #changed = new Set<Store['child']>();

  constructor(c: Cursor) {
    this.#c = c;
  }

  parse(): Sequence {
    const steps = this.#block(null);
    if (steps.length === 0) {
      const what =
        'no step at all: write for instance str 0; dsb ishst; tlbi vmalls12e1is; dsb ish';
      throw new SequenceError({ line: 1, column: 1 }, what);
    }
    return {
      name: this.#name,
      kind: this.#kind ?? 'coalesce',
      ...(this.#form === null ? {} : { form: this.#form }),
      lock: this.#lock,
      ...(this.#context === null ? {} : { context: this.#context }),
      claims: {
        neverInvalid: this.#claims.has('never-invalid'),
        handlesConflict: this.#claims.has('handles-conflict'),
      },
      summary: this.#prose.get('summary') ?? null,
      origin: this.#prose.get('origin') ?? null,
      steps,
    };
  }

  /** To the end of the text, or to the brace that closes the block which `opened` began. */
  #block(opened: Word | null): Step[] {
    const c = this.#c;
    const steps: Step[] = [];
    for (;;) {
      while (c.word.text === END && !c.isOver) c.take();
      if (c.isOver) {
        if (opened === null) return steps;
        throw new SequenceError(opened.at, '{ has no end: "}" is missing');
      }
      if (c.word.text === '}') {
        if (opened === null) c.refuse('"}" ends no loop: there is no each page { before it');
        c.take();
        return steps;
      }
      steps.push(...this.#statement());
    }
  }

  #statement(): readonly Step[] {
    const c = this.#c;
    const word = c.take();
    if (word.text.includes(':') && word.text.length > 1) return this.#sayProse(word);
    if (HEADS.has(word.text) && c.word.text === ':') return this.#head(word);
    this.#hasSteps = true;
    if (word.text === 'each' || word.text === 'for') return [this.#loop(word)];
    if (word.text === 'try') return [this.#tryAllocate(word)];
    const make = Object.hasOwn(STEPS, word.text) ? STEPS[word.text] : undefined;
    if (make === undefined && word.text !== 'cmpxchg') {
      const there = `there are ${WORDS}, and of the kernel's words ${KERNEL_WORDS}`;
      return c.refuse(`there is no step "${shown(word)}": ${there}`, word);
    }
    const actions = make?.(c, word) ?? [this.#exchange(word)];
    for (const action of actions) {
      this.#check(action, word.at);
      if (action.op === 'store') this.#changed.add(action.child);
      if (action.op === 'load') this.#changed.delete(action.child);
    }
    if (!c.atEnd) {
      c.refuse(`${word.text} ends before ${c.shown()}: put ; or a line's end between two steps`);
    }
    return actions.map((action) => ({ ...action, at: word.at }));
  }

  /** Whoever compares with `old` where something else was stored would never exchange anything. */
  #exchange(word: Word): Store {
    const made = exchange(this.#c);
    const { child } = made.store;
    if (made.namesOld && this.#changed.has(child)) {
      const [where, place] =
        child === null ? ['the entry', '*ptep'] : [`child[${child}]`, `child[${child}]`];
      const right = `write cas V, which compares with what was stored, or read_once(${place}) before it`;
      this.#c.refuse(`cmpxchg: ${where} holds old no more, it was stored to: ${right}`, word);
    }
    return made.store;
  }

  #loop(word: Word): Step {
    const c = this.#c;
    if (word.text === 'for') c.expect('each', 'for each page { … }');
    const mapped = c.has('mapped');
    const name = mapped ? 'each mapped page { … }' : 'each page { … }';
    c.expect('page', name);
    if (mapped && this.#kind === 'split' && !this.#hasChild) c.refuse(NO_CHILD_YET, word);
    if (this.#isInLoop) c.refuse(`${name} stands in a loop over pages already`, word);
    this.#isInLoop = true;
    this.#isAtLeaf = mapped;
    const steps = this.#braced(name);
    this.#isInLoop = false;
    this.#isAtLeaf = false;
    return { op: 'each-page', mapped, steps, at: word.at };
  }

  /** `try alloc child`, `try alloc child else { … }`. */
  #tryAllocate(word: Word): Step {
    const c = this.#c;
    c.expect('alloc', 'try alloc child');
    const filled = !c.has('empty');
    c.expect('child', 'try alloc child');
    // The child is not there yet.
    const steps = c.has('else') ? this.#braced('try alloc child else { … }') : [];
    const action = { op: 'try-allocate', filled, steps } as const;
    this.#check(action, word.at);
    if (!c.atEnd) c.refuse(`try alloc child ends before ${c.shown()}: write else { … }, or put ;`);
    return { ...action, at: word.at };
  }

  /** `{ … }`, and something in it. */
  #braced(name: string): Step[] {
    const opened = this.#c.word;
    this.#c.expect('{', name);
    const steps = this.#block(opened);
    if (steps.length === 0) this.#c.refuse(`${name.replace(' …', '')} has no step in it`, opened);
    return steps;
  }

  #head(word: Word): readonly Step[] {
    const c = this.#c;
    this.#refuseLate(word, word.text);
    c.expect(':', word.text);
    if (word.text === 'name') {
      if (!NAME.test(c.word.text)) {
        c.refuse(`name: lower-case words joined by hyphens, not ${c.shown()}`);
      }
      this.#name = c.take().text;
    } else if (word.text === 'lock') {
      this.#lock = c.oneOf('lock', ['exclusive', 'shared']);
    } else if (word.text === 'context') {
      this.#context = c.oneOf('context', CONTEXTS);
    } else if (word.text === 'claims') {
      do this.#claims.add(c.oneOf('claims', CLAIMS));
      while (c.has(','));
    } else {
      if (this.#kind !== null)
        c.refuse(`${word.text}: the kind was said before: ${this.#kind}`, word);
      this.#changes(word.text);
      // Steps may follow on the same line.
      return [];
    }
    if (!c.atEnd) c.refuse(`${word.text}: ${c.shown()} is one word too many`);
    return [];
  }

  /** A kind, or one form of it. */
  #changes(word: string): void {
    const kind = PROTOCOL_KINDS.find((each) => each === word);
    this.#form = kind === undefined ? (CHANGE_NAMES.find((each) => each === word) ?? null) : null;
    const form = this.#form;
    this.#kind =
      kind ??
      PROTOCOL_KINDS.find((each) => form !== null && formsOf(each).includes(form)) ??
      'coalesce';
  }

  #sayProse(word: Word): readonly Step[] {
    const [head = '', ...rest] = word.text.split(':');
    const name = head.trim().toLowerCase();
    this.#refuseLate(word, name);
    const text = rest.join(':').trim();
    if (text === '') this.#c.refuse(`${name}: one line of text is missing`, word);
    this.#prose.set(name, text);
    return [];
  }

  #refuseLate(word: Word, name: string): void {
    if (this.#hasSteps) this.#c.refuse(`${name}: stands before the first step`, word);
  }

  /** What is right by itself, but not here. */
  #check(action: Action, at: Place): void {
    const isSplit = this.#kind === 'split';
    const refuse = (message: string): never => {
      throw new SequenceError(at, message);
    };
    switch (action.op) {
      case 'allocate':
      case 'try-allocate':
        if (!isSplit) refuse('alloc child: a coalesce has its child table; split: has to make one');
        if (this.#hasChild) refuse('alloc child is there twice');
        this.#hasChild = true;
        break;
      case 'merge':
        if (this.#kind !== null && this.#kind !== 'coalesce') {
          refuse(`merge: a ${this.#kind} has no pages whose state a block could take`);
        }
        break;
      case 'free':
        if (isSplit && !this.#hasChild) refuse('free child: alloc child has to come first');
        if (!hasChildren(this.#kind)) refuse(`free child: a ${this.#kind} has no child table`);
        break;
      case 'gather':
        this.#hasGathered = true;
        break;
      case 'tlbi': {
        const { address, ttl } = action;
        const isOfGather = address?.kind === 'gathered' || ttl === 'gathered';
        if (isOfGather && !this.#hasGathered) refuse('gathered: gather has to come before it');
        break;
      }
      case 'store':
      case 'load':
      case 'get':
      case 'put': {
        if (action.child === 'page' && !this.#isAtLeaf) {
          refuse('child[page] stands in each mapped page { … }, which looks at the entry first');
        }
        if (this.#kind === 'unmap' && action.op === 'store' && action.value.startsWith('block')) {
          refuse(`${action.value}: an unmap maps nothing; what the entry held is called old`);
        }
        const usesChild =
          action.child !== null || (action.op === 'store' && action.value === 'table');
        if (isSplit && usesChild && !this.#hasChild) {
          refuse(NO_CHILD_YET);
        }
        break;
      }
      default:
        break;
    }
  }
}

/** Null: a coalesce. */
const hasChildren = (kind: ProtocolKind | null): boolean =>
  kind === null || changesSize(kind) || kind === 'unmap';

function shown({ text }: Word): string {
  return text.slice(0, 40);
}

function load(c: Cursor): readonly Action[] {
  return bracketed(c, 'ldr', () => {
    const child = maybePlace(c);
    return [{ op: 'load', child: child ?? null }];
  });
}

function free(c: Cursor): readonly Action[] {
  c.expect('child', 'free child');
  if (c.has('below')) return [{ op: 'free', part: 'below', when: 'now' }];
  if (c.has('page')) return [{ op: 'free', part: 'page', when: 'now' }];
  if (!c.has('after')) return [{ op: 'free', part: 'all', when: 'now' }];
  c.expect('grace', 'free child after grace');
  return [{ op: 'free', part: 'all', when: 'grace' }];
}

const ISHST = { op: 'dsb', kind: 'ishst' } as const;
const ISH = { op: 'dsb', kind: 'ish' } as const;
const unaddressed = (kind: 'vmalls12e1is' | 'vmalle1is'): Action => ({
  ...{ op: 'tlbi', kind, address: null, ttl: null, vmid: null },
});
/** Operands of a flush hypercall behind the mmu, as they were written. */
type Operands = readonly Word[];

/** What KVM's flush hypercalls do (port/sequences.ts). */
const HYPERCALLS: Readonly<Record<string, (c: Cursor, operands: Operands) => readonly Action[]>> = {
  __kvm_tlb_flush_vmid: () => [ISHST, unaddressed('vmalls12e1is'), ISH, { op: 'isb' }],
  __kvm_tlb_flush_vmid_ipa: (c, [, level]) =>
    byStages({
      ...{ op: 'tlbi', kind: 'ipas2e1is', address: { kind: 'page', offset: 0 }, vmid: null },
      ttl: level === undefined ? 'level' : levelOf(c, level),
    }),
  __kvm_tlb_flush_vmid_range: (c, [, pages]) =>
    byStages({
      ...{ op: 'tlbi', kind: 'ripas2e1is', ttl: null, vmid: null },
      address: pages === undefined ? { kind: 'range' } : pagesOf(c, pages),
    }),
};

/** A variable is the level of the entry; a number, or the name of no hint, is itself. */
function levelOf(c: Cursor, word: Word): Ttl {
  const { text } = word;
  if (text === 'tlbi_ttl_unknown') return 0;
  if (!/^\d/.test(text)) return 'level';
  const level = Number(text);
  if (level === 0 || level === 1 || level === 2 || level === 3) return level;
  return c.refuse(`kvm_call_hyp: a level is 0 to 3, not "${text}"`, word);
}

function pagesOf(c: Cursor, word: Word): Address {
  if (!/^\d/.test(word.text)) return { kind: 'range' };
  const count = Number(word.text);
  if (Number.isInteger(count) && count > 0 && count <= PAGES_MAX) return { kind: 'pages', count };
  return c.refuse(`kvm_call_hyp: a range has 1 to ${PAGES_MAX} pages, not "${word.text}"`, word);
}

function byStages(first: Action): readonly Action[] {
  return [ISHST, first, ISH, unaddressed('vmalle1is'), ISH, { op: 'isb' }];
}

/** `kvm_call_hyp(F, mmu)`, for F_ipa `(…, mmu, addr, level)`, for F_range `(…, mmu, addr, pages)`. */
function hypercall(c: Cursor): readonly Action[] {
  return bracketed(c, 'kvm_call_hyp', () => {
    const name = c.oneOf('kvm_call_hyp', Object.keys(HYPERCALLS));
    const operands: Word[] = [];
    while (c.has(',')) {
      if (!/^\w/.test(c.word.text)) c.refuse(`kvm_call_hyp: an operand is missing`);
      operands.push(c.word);
      c.take();
    }
    return HYPERCALLS[name]?.(c, operands.slice(1)) ?? [];
  });
}
