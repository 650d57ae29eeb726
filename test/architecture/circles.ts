/**
 * Circles: files that import each other in a loop. Whoever reads one has to know all of it, and a test
 * of one loads the rest.
 */
import type { Import } from './imports.ts';

/** What each file imports, of the files that there are. */
export function graphOf(imports: readonly Import[]): ReadonlyMap<string, ReadonlySet<string>> {
  const graph = new Map<string, Set<string>>();
  for (const { from, target } of imports) {
    if (target !== null) graph.set(from, (graph.get(from) ?? new Set()).add(target));
  }
  return graph;
}

/** The files of each circle, sorted: strongly connected components of two or more, after Tarjan. */
export function circlesOf(graph: ReadonlyMap<string, ReadonlySet<string>>): string[][] {
  const order = new Map<string, number>();
  const least = new Map<string, number>();
  const open: string[] = [];
  const circles: string[][] = [];
  const visit = (file: string): number => {
    const mine = order.size;
    order.set(file, mine);
    open.push(file);
    let low = mine;
    for (const next of graph.get(file) ?? []) {
      if (!order.has(next)) low = Math.min(low, visit(next));
      else if (open.includes(next))
        low = Math.min(low, least.get(next) ?? (order.get(next) as number));
    }
    least.set(file, low);
    if (low === mine) {
      const circle = open.splice(open.indexOf(file));
      if (circle.length > 1 || graph.get(file)?.has(file) === true) circles.push(circle.sort());
    }
    return low;
  };
  for (const file of graph.keys()) if (!order.has(file)) visit(file);
  return circles.sort(([a = ''], [b = '']) => a.localeCompare(b));
}
