/**
 * The sequences of stores, barriers and TLBIs by which a log turned a table into a block or a block
 * into a table, each with the times it was used, as steps of a `.seq` file: what a kernel did in
 * one order can then be explored in all.
 *
 * Only what the thread did to this entry counts, addresses become `ipa` and `range`, so the same
 * code on two entries is one sequence.
 */
import { type Descriptor, hasNt, LOCKED, typeOf } from '../../arch/descriptor.ts';
import { scopeOf } from '../../arch/tlbi.ts';
import type { SeenSequence } from '../../result/check-trace.ts';
import type { FlushEvent } from '../rules/automaton.ts';
import type { EntryPlace } from '../tables/tree.ts';

/** Longer ones are no protocol of one entry. */
const STEPS_MAX = 64;
/** Distinct sequences kept. */
const SEQUENCES_MAX = 1000;

/** Steps on one entry, from the store that broke it. */
export class EntrySteps {
  readonly place: EntryPlace;
  readonly thread: number;
  readonly steps: string[] = [];

  constructor(place: EntryPlace, thread: number) {
    this.place = place;
    this.thread = thread;
  }

  store(value: Descriptor, release: boolean): void {
    this.add(`${release ? 'stlr' : 'str'} ${valueWord(value, this.place)}`);
  }

  add(step: string): void {
    // A barrier after itself says nothing new.
    if (this.steps.length < STEPS_MAX && !(this.steps.at(-1) === step && /^dsb|^isb/.test(step)))
      this.steps.push(step);
  }
}

interface Open {
  readonly steps: EntrySteps;
  /** The entry is valid again: one more DSB belongs to the sequence. */
  kind: 'coalesce' | 'split' | null;
}

export class SequenceCounter {
  readonly #open = new Set<Open>();
  readonly #counts = new Map<string, { sequence: SeenSequence; count: number }>();

  open(place: EntryPlace, thread: number): EntrySteps {
    const steps = new EntrySteps(place, thread);
    this.#open.add({ steps, kind: null });
    return steps;
  }

  /** `kind` null: it was no change of size. */
  close(steps: EntrySteps, kind: 'coalesce' | 'split' | null): void {
    for (const open of this.#open) {
      if (open.steps !== steps) continue;
      if (kind === null) this.#open.delete(open);
      else open.kind = kind;
    }
  }

  flush(event: FlushEvent, thread: number): void {
    for (const open of this.#open) {
      if (open.steps.thread !== thread) continue;
      if (open.kind !== null && event.op !== 'dsb') {
        this.#finish(open);
        continue;
      }
      const step = flushStep(event, open.steps.place);
      if (step !== null) open.steps.add(step);
      if (open.kind !== null) this.#finish(open);
    }
  }

  isb(thread: number): void {
    for (const open of this.#open)
      if (open.steps.thread === thread && open.kind === null) open.steps.add('isb');
  }

  /** Most frequent first. */
  seen(): SeenSequence[] {
    for (const open of this.#open) if (open.kind !== null) this.#finish(open);
    return [...this.#counts.values()]
      .map(({ sequence, count }) => ({ ...sequence, count }))
      .sort((a, b) => b.count - a.count);
  }

  #finish({ steps: { steps, place }, kind }: Open): void {
    for (const open of this.#open) if (open.steps.steps === steps) this.#open.delete(open);
    if (kind === null) return;
    const key = `${kind} ${place.level}: ${steps.join('; ')}`;
    const known = this.#counts.get(key);
    if (known !== undefined) known.count += 1;
    else if (this.#counts.size < SEQUENCES_MAX) {
      const sequence = { kind, level: place.level, steps: [...steps], count: 1 };
      this.#counts.set(key, { sequence, count: 1 });
    }
  }
}

/** KVM_INVALID_PTE_TYPE_LOCKED, as v7.3 has it: type 1 in bits [63:60] of an invalid entry. */
const LOCKED_BY_TYPE: Descriptor = 1n << 60n;

function valueWord(value: Descriptor, { level }: EntryPlace): string {
  switch (typeOf(value, level)) {
    case 'table':
      return 'table';
    case 'block':
    case 'page':
      return hasNt(value, level) ? 'block+nt' : 'block';
    default:
      return value === LOCKED || value === LOCKED_BY_TYPE ? 'locked' : '0';
  }
}

/** Null: it does nothing to stage 2. */
function flushStep(event: FlushEvent, { ipa, size, page }: EntryPlace): string | null {
  if (event.op === 'dsb') return `dsb ${event.kind}`;
  if (event.op === 'el2') return null;
  const { tlbi } = event;
  const scope = scopeOf(tlbi.kind);
  const parts = [`tlbi ${tlbi.kind}`];
  const from = tlbi.ipa ?? 0;
  if (scope === 'range') {
    const covers = from <= ipa && ipa + size <= from + (tlbi.size ?? 0);
    const pages = Math.ceil((tlbi.size ?? 0) / 2 ** page.tree.shape.geometry.pageShift);
    parts.push(covers ? 'range' : `ipa+${pages} pages`);
  } else if (scope === 'address') parts.push('ipa');
  if (tlbi.ttl) parts.push(`ttl=${tlbi.ttl}`);
  if (scope !== 'all' && tlbi.vmid !== undefined && tlbi.vmid !== page.tree.id)
    parts.push('vmid=other');
  return parts.join(', ');
}
