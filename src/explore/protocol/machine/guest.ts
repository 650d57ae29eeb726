/**
 * A vCPU's program: accesses to pages of the region, some at any time, some after it has seen the
 * lock free (message passing: a load of the lock, DMB LD).
 *
 *   load page 0 ──> lock? ──free──> DMB LD ──> load page 1 ──> end
 *       │             └──held──> end
 *       └── fault: end
 *
 * A fault ends the program: what a handler does next is the hypervisor's software, not the
 * protocol's. Each access reads or writes a word of its own, so no two of them share the low
 * address bits by which a TLBI orders translations (TLBI-ob): that allows more, never less.
 */
import { assert } from '../../../arch/assert.ts';
import {
  type HardwareUpdate,
  NO_DEPENDENCY,
  type Node,
  type ThreadProgram,
} from '../../model/index.ts';
import { ACCESSES_EXPLORED, BoundReached } from './bounds.ts';
import { LOCK_FREE, LOCK_HELD } from './memory-map.ts';

export type AccessKind = 'load' | 'store';

export interface Access {
  readonly kind: AccessKind;
  readonly page: number;
}

export interface GuestProgram {
  /** At any time, before, during and after the transition. */
  readonly early: readonly Access[];
  /** After the transition. */
  readonly late: readonly Access[];
}

/** The second VM's (judge-neighbour.ts). */
export const NEIGHBOUR_PROGRAM: GuestProgram = {
  early: [],
  late: [{ kind: 'load', page: 0 }],
};

export type AccessResult =
  | { readonly kind: 'leaf'; readonly leaf: number }
  | { readonly kind: 'fault'; readonly fault: number };

/** What became of a program: one result per access that was made. */
export interface GuestEnd {
  readonly results: readonly AccessResult[];
}

export function accessesOf(program: GuestProgram): readonly Access[] {
  return [...program.early, ...program.late];
}

/** Results an access may have, as the tables can ever make them. */
export interface AccessAnswers {
  /** Location that stands for the access having used this leaf, by leaf. */
  readonly leaves: ReadonlyMap<number, number>;
  readonly faults: readonly number[];
  /** Updates that its walk may make. */
  readonly updates: readonly HardwareUpdate[];
}

const NO_ANSWERS: AccessAnswers = { leaves: new Map(), faults: [], updates: [] };

export interface GuestTree {
  readonly program: ThreadProgram;
  /** By outcome of the tree. */
  readonly ends: readonly GuestEnd[];
}

export interface GuestInput {
  readonly program: GuestProgram;
  readonly vcpu: number;
  /** Number of the first access's address; the others follow. */
  readonly firstAddress: number;
  readonly answers: readonly AccessAnswers[];
  /** Each has to be seen free before what is late (memory-map.ts). */
  readonly locks: readonly number[];
  readonly valueOf: (d: bigint) => number;
  readonly nodesMax: number;
}

export function guestTree(input: GuestInput): GuestTree {
  const { program, answers, valueOf } = input;
  const accesses = accessesOf(program);
  const ends: GuestEnd[] = [];
  const end = (results: readonly AccessResult[]): Node => ({
    kind: 'end',
    outcome: ends.push({ results }) - 1,
  });

  let nodes = 0;

  /** The tree from access `i` on. `reads`: how many are behind it. */
  function grow(i: number, reads: number, results: readonly AccessResult[], past: boolean): Node {
    if (i === program.early.length && !past && program.late.length > 0) {
      return askLock(i, reads, results, input.locks);
    }
    if (++nodes > input.nodesMax) throw new BoundReached('nodes', input.nodesMax);
    const access = accesses[i];
    if (access === undefined) return end(results);
    const { leaves, faults, updates } = answers[i] ?? NO_ANSWERS;
    const common = {
      target: { kind: 'address', address: input.firstAddress + i },
      address: NO_DEPENDENCY,
      updates,
      faults: new Map(
        faults.map((fault) => [fault, end([...results, { kind: 'fault', fault }])] as const),
      ),
    } as const;
    const isLoad = access.kind === 'load';
    const after = [...leaves].map(([leaf, location]) => {
      const node = grow(
        i + 1,
        reads + (isLoad ? 1 : 0),
        [...results, { kind: 'leaf', leaf }],
        past,
      );
      // The locations a leaf stands for hold its number, and a store puts it there again.
      return [isLoad ? leaf : location, node] as const;
    });
    const next = new Map(after);
    if (isLoad) return { kind: 'read', order: 'plain', read: reads, ...common, next };
    // The location is the store's own: nobody reads it, and what matters is which one it is.
    const store = { value: 0, release: false, data: NO_DEPENDENCY, unseen: true } as const;
    return { kind: 'write', ...store, ...common, next };
  }

  function askLock(
    i: number,
    reads: number,
    results: readonly AccessResult[],
    [lock, ...others]: readonly number[],
  ): Node {
    assert(lock !== undefined, 'somebody holds the lock');
    const free: Node =
      others.length > 0
        ? askLock(i, reads + 1, results, others)
        : { kind: 'dmb', covers: 'load', next: grow(i, reads + 1, results, true) };
    return {
      kind: 'read',
      target: { kind: 'location', location: lock },
      order: 'plain',
      read: reads,
      address: NO_DEPENDENCY,
      next: new Map([
        [valueOf(LOCK_FREE), free],
        [valueOf(LOCK_HELD), end(results)],
      ]),
      faults: new Map(),
    };
  }

  const root = grow(0, 0, [], false);
  return { program: { vcpu: input.vcpu, root, reads: accesses.length + input.locks.length }, ends };
}

/**
 * Every sequence of up to so many accesses, in every combination of kinds and pages: the last one
 * late, those before it early. Late ones by themselves are judged alike, so one is enough.
 */
export function guestPrograms(
  kinds: readonly AccessKind[],
  pages: number,
  accessesMax = ACCESSES_EXPLORED,
): GuestProgram[] {
  const accesses = kinds.flatMap((kind) =>
    Array.from({ length: pages }, (_, page): Access => ({ kind, page })),
  );
  const early: (readonly Access[])[] = [[]];
  for (let from = 0, length = 1; length < accessesMax; length++) {
    const shorter = early.slice(from);
    from = early.length;
    early.push(...shorter.flatMap((list) => accesses.map((access) => [...list, access])));
  }
  return accesses.flatMap((late) => early.map((list) => ({ early: list, late: [late] })));
}

export function describeProgram({ early, late }: GuestProgram): string {
  const words = (list: readonly Access[]): string =>
    list.map(({ kind, page }) => `${kind} page ${page}`).join(', ');
  if (late.length === 0) return words(early);
  return `${early.length === 0 ? '' : `${words(early)}; `}once the lock is free: ${words(late)}`;
}
