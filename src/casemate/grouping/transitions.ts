/**
 * What the log changed, by kind: an entry that was broken and made again is one change, if the
 * same thread made it soon after; an entry that stays invalid was unmapped.
 */
import { outputAddress, typeOf, type Descriptor } from '../../arch/descriptor.ts';
import { translates } from '../../checker/place.ts';
import type { LogRecord } from '../reading/record.ts';
import type { EntryPlace } from '../tables/tree.ts';
import type { Windows } from '../../result/check-trace.ts';
import { type EntrySteps, SequenceCounter } from './sequences.ts';

export const TRANSITION_KINDS = [
  ...(['map', 'unmap', 'coalesce', 'split', 'permission', 'relocate', 'remap'] as const),
  ...(['link-table', 'unlink-table', 'replace-table'] as const),
] as const;
export type TransitionKind = (typeof TRANSITION_KINDS)[number];

/** Events of the log between the two stores of one change; later ones are two changes. */
export const WINDOW_EVENTS_MAX = 64;

interface Broken {
  readonly old: Descriptor;
  readonly place: EntryPlace;
  readonly thread: number;
  /** Number of the event in the log. */
  readonly at: number;
  readonly steps: EntrySteps;
}

export class Transitions {
  readonly sequences = new SequenceCounter();
  readonly #counts = new Map<TransitionKind, number>();
  /** By the entry's address, oldest first. */
  readonly #broken = new Map<number, Broken>();
  /** By number of events. */
  readonly #windows = new Map<number, number>();

  /**
   * `events`: records of the log so far. `maps`: something below `before` is mapped; a table of which
   * everything was unmapped before is no mapping whose size could be changed.
   */
  store(
    address: number,
    place: EntryPlace,
    [before, after]: readonly [Descriptor, Descriptor],
    record: LogRecord,
    { events, maps }: { readonly events: number; readonly maps: boolean },
  ): void {
    this.#giveUp(events);
    const { level } = place;
    const was = translates(before, level, true);
    const is = translates(after, level, true);
    const release = record.event.op === 'write' && record.event.order === 'release';
    const open = this.#broken.get(address);
    if (open?.thread === record.thread) open.steps.store(after, release);
    if (was && !is && !maps) this.#count('unlink-table');
    else if (was && !is) this.#break(address, place, [before, after], record, events, release);
    else if (was) this.#count(kindOf(place, before, after));
    else if (is) this.#make(address, place, after, record, events);
  }

  /** Of each kind that happened. */
  counts(): Readonly<Record<string, number>> {
    for (const [address, open] of this.#broken) this.#unmapped(address, open);
    const present = TRANSITION_KINDS.filter((kind) => this.#counts.has(kind));
    return Object.fromEntries(present.map((kind) => [kind, this.#counts.get(kind) ?? 0]));
  }

  windows(): Windows {
    const sorted = [...this.#windows].sort(([a], [b]) => a - b);
    const count = sorted.reduce((n, [, times]) => n + times, 0);
    const at = (share: number): number | null => {
      let seen = 0;
      for (const [events, times] of sorted) {
        seen += times;
        if (seen >= share * count) return events;
      }
      return null;
    };
    return count === 0
      ? { count, p50: null, p99: null, max: null }
      : { count, p50: at(0.5), p99: at(0.99), max: sorted.at(-1)?.[0] ?? null };
  }

  #break(
    address: number,
    place: EntryPlace,
    [old, after]: readonly [Descriptor, Descriptor],
    { thread }: LogRecord,
    at: number,
    release: boolean,
  ): void {
    const steps = this.sequences.open(place, thread);
    steps.store(after, release);
    this.#broken.set(address, { old, place, thread, at, steps });
  }

  #make(
    address: number,
    place: EntryPlace,
    after: Descriptor,
    { thread }: LogRecord,
    events: number,
  ): void {
    const open = this.#broken.get(address);
    if (open === undefined || open.thread !== thread) {
      if (open !== undefined) this.#unmapped(address, open);
      this.#count(typeOf(after, place.level) === 'table' ? 'link-table' : 'map');
      return;
    }
    this.#broken.delete(address);
    const kind = kindOf(place, open.old, after);
    this.#count(kind);
    const window = events - open.at;
    this.#windows.set(window, (this.#windows.get(window) ?? 0) + 1);
    this.sequences.close(open.steps, kind === 'coalesce' || kind === 'split' ? kind : null);
  }

  /** What was broken so long ago that nobody is about to make it again. */
  #giveUp(events: number): void {
    for (const [address, open] of this.#broken) {
      if (events - open.at <= WINDOW_EVENTS_MAX) return;
      this.#unmapped(address, open);
    }
  }

  #unmapped(address: number, { old, place, steps }: Broken): void {
    this.#broken.delete(address);
    this.sequences.close(steps, null);
    this.#count(typeOf(old, place.level) === 'table' ? 'unlink-table' : 'unmap');
  }

  #count(kind: TransitionKind): void {
    this.#counts.set(kind, (this.#counts.get(kind) ?? 0) + 1);
  }
}

function kindOf({ page, level }: EntryPlace, old: Descriptor, after: Descriptor): TransitionKind {
  const from = typeOf(old, level) === 'table';
  const to = typeOf(after, level) === 'table';
  if (from && to) return 'replace-table';
  if (from) return 'coalesce';
  if (to) return 'split';
  const { geometry } = page.tree.shape;
  if (outputAddress(geometry, old, level) !== outputAddress(geometry, after, level))
    return 'relocate';
  return old === after ? 'remap' : 'permission';
}
