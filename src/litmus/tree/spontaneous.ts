/**
 * Access flags that a walker sets of its own accord.
 *
 * Where any thread's walker sets access flags, a speculative walk may set that of a valid entry
 * whenever it is clear (I_GXGZY), and no thread's order has a say in it. herd allows one such
 * update for each descriptor with a clear access flag that the initial state or an instruction
 * puts in place. Here they are threads of their own, one per entry: a chain of atomic updates each
 * of which may stay away.
 */
import {
  type EndNode,
  NO_DEPENDENCY,
  type Node,
  type RmwBranch,
  type ThreadProgram,
} from '../../explore/model/index.ts';
import type { Domains } from './domains.ts';
import { descriptorOf, type Names } from './translation.ts';
import { withAccessFlag } from './walker.ts';

/** No vCPU: it has no translations that a TLBI could remove. */
const NO_VCPU = -1;

/** Lets the domains know what such updates may write. */
export function admitSpontaneous(names: Names, domains: Domains): void {
  for (const entry of names.entries) {
    for (const id of domains.of(entry)) {
      const after = withAccessFlag(descriptorOf(names.values.valueOf(id)));
      if (after === null) continue;
      domains.admit(entry, { kind: 'pte', pte: after }, domains.originsAt(entry, id));
    }
  }
}

/**
 * One thread for each entry that can hold a clear access flag; `most` says how often one is put
 * there at most, beyond the initial state.
 */
export function spontaneousUpdates(
  names: Names,
  domains: Domains,
  initial: readonly number[],
  most: (entry: number) => number,
  outcome: number,
): ThreadProgram[] {
  const end: EndNode = { kind: 'end', outcome };
  return names.entries.flatMap((entry) => {
    const updated = new Map<number, number>();
    for (const id of domains.of(entry)) {
      const after = withAccessFlag(descriptorOf(names.values.valueOf(id)));
      const origins = domains.originsAt(entry, id);
      if (after === null || !domains.admit(entry, { kind: 'pte', pte: after }, origins)) continue;
      updated.set(id, names.values.idOf({ kind: 'pte', pte: after }));
    }
    const times = most(entry) + (updated.has(initial[entry] as number) ? 1 : 0);
    if (updated.size === 0 || times === 0) return [];
    let root: Node = end;
    for (let read = times - 1; read >= 0; read--) root = optional(entry, updated, read, root, end);
    return [{ vcpu: NO_VCPU, root, reads: times }];
  });
}

/** No update from here on, or one and then `next`. */
function optional(
  entry: number,
  updated: ReadonlyMap<number, number>,
  read: number,
  next: Node,
  end: EndNode,
): Node {
  const branches = [...updated].map(([from, to]): [number, RmwBranch] => [
    from,
    { value: to, next: new Map([[entry, next]]) },
  ]);
  const update: Node = {
    kind: 'rmw',
    target: { kind: 'location', location: entry },
    order: 'plain',
    release: false,
    read,
    returns: false,
    address: NO_DEPENDENCY,
    data: NO_DEPENDENCY,
    next: new Map(branches),
    faults: new Map(),
  };
  return { kind: 'choice', alternatives: [end, update] };
}
