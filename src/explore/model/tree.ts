/** What a thread's decision tree has in it, wherever it is. */
import { assert } from '../../arch/assert.ts';
import type { Node, ReadNode, RmwNode, System, WriteNode } from './program.ts';

export type AccessNode = ReadNode | WriteNode | RmwNode;

const ACCESSES = new WeakMap<Node, readonly AccessNode[]>();

/** The nodes that access memory, once each; trees do not change, so each is walked once. */
export function accessesOf(system: System, thread: number): readonly AccessNode[] {
  const root = system.threads[thread]?.root;
  assert(root !== undefined, `no thread ${thread}`);
  const known = ACCESSES.get(root);
  if (known) return known;
  const seen = new Set<Node>();
  const open: Node[] = [root];
  for (let node = open.pop(); node !== undefined; node = open.pop()) {
    if (seen.has(node)) continue;
    seen.add(node);
    open.push(...successors(node));
  }
  const nodes = [...seen].filter(
    (node) => node.kind === 'read' || node.kind === 'write' || node.kind === 'rmw',
  );
  ACCESSES.set(root, nodes);
  return nodes;
}

function successors(node: Node): Node[] {
  switch (node.kind) {
    case 'end':
      return [];
    case 'rmw': {
      const branches = [...node.next.values()].flatMap(({ next }) => [...next.values()]);
      return [...branches, ...node.faults.values()];
    }
    case 'read':
    case 'write':
      return [...node.next.values(), ...node.faults.values()];
    case 'choice':
      return [...node.alternatives];
    default:
      return [node.next];
  }
}
