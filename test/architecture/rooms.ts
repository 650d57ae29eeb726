/**
 * Who may import whom (docs/architecture.md). A room is a folder of src, workers or bench; each may import itself,
 * node: modules, and the rooms named here. The order is a direction: no room may name one that
 * names it.
 */
import type { Import } from './imports.ts';

export const ROOMS: Readonly<Record<string, readonly string[]>> = {
  arch: [],
  package: [],
  port: listed('arch'),
  protocols: listed('arch port'),
  mutants: listed('arch port protocols'),
  sequence: listed('arch port'),
  native: listed('package arch port'),
  kernel: listed('package arch port native'),
  loaders: listed('package native sequence kernel'),
  sync: [],
  result: listed('package arch'),
  ablation: listed('arch port result'),
  pgtable: listed('arch port sync result'),
  machine: listed('arch port pgtable sync'),
  scenarios: listed('arch'),
  checker: listed('arch port result'),
  stress: listed(
    'package arch port sequence loaders pgtable protocols mutants machine sync scenarios checker result',
  ),
  explore: listed('arch port pgtable protocols mutants checker result scenarios'),
  litmus: listed('arch port explore result'),
  preflight: listed('package arch port pgtable protocols machine scenarios stress explore result'),
  selftest: listed('arch port mutants protocols machine scenarios checker stress explore result'),
  casemate: listed('arch port checker result'),
  tracer: listed('package'),
  doctor: listed('package arch machine stress result'),
  answer: listed('arch result'),
  report: listed('package arch result answer checker'),
  request: listed(
    'package arch port protocols mutants sequence native kernel loaders scenarios machine stress explore result',
  ),
  exploration: listed(
    'package arch port sequence loaders ablation explore preflight stress request report result',
  ),
  cli: listed(
    'package arch port protocols mutants sequence native loaders ablation sync result pgtable machine',
    'scenarios checker stress explore litmus selftest casemate tracer preflight report answer',
    'doctor bench workers kernel',
    'request exploration',
  ),
  bench: listed(
    'package arch port protocols pgtable machine scenarios stress explore litmus report result',
  ),
  library: listed('arch port preflight protocols mutants request exploration result stress'),
  workers: listed(
    'arch port preflight loaders machine stress sync scenarios pgtable result doctor exploration request',
  ),
};

function listed(...names: string[]): readonly string[] {
  return names.flatMap((line) => line.split(' '));
}

/** Outside the rooms: may import any room but cli, and nobody in a room may import them. */
export const OUTSIDE = ['examples'];

/** The room a path belongs to; null for a file outside any folder that may have sources. */
export function roomOf(path: string): string | null {
  const [top = '', room, file] = path.split('/');
  if (top === 'workers' || top === 'bench') return room === undefined ? null : top;
  if (top === 'src') return file === undefined ? null : (room ?? null);
  return null;
}

/**
 * Rooms within a room, each above those that it may import; '' is the folder itself. Types count as well.
 */
export const INNER: Readonly<Record<string, readonly string[]>> = {
  'src/casemate': ['reading', 'tables', 'rules', 'grouping', 'judging', ''],
  'src/explore/protocol': ['machine', 'run', 'judge', 'schedule', ''],
  'src/machine': ['', 'tlb', 'dirty', 'walk', 'vcpu', 'hypervisor'],
  // What threads share, and what they do; then who runs them, reads their figures and plans a campaign.
  'src/stress': listed(
    'statistics results process plan regions changes makers workloads thread',
    'group figures campaign',
  ),
};

/** Of one folder of `INNER`: one line per import of a room above. */
export function judgeInner(
  folder: string,
  order: readonly string[],
  imports: readonly Import[],
): string[] {
  const heightOf = (path: string): number => {
    if (!path.startsWith(`${folder}/`)) return -1;
    const [first = '', ...rest] = path.slice(folder.length + 1).split('/');
    return order.indexOf(rest.length === 0 ? '' : first);
  };
  const inside = imports.filter(({ from }) => from.startsWith(`${folder}/`));
  return inside.flatMap(({ from, line, target }) => {
    if (heightOf(from) < 0) return [`${from}:1: no room of ${folder} holds this file`];
    return heightOf(target ?? '') > heightOf(from)
      ? [`${from}:${line}: a room above: ${target}`]
      : [];
  });
}

/** One line per import that goes against the table, and per file in no listed room. */
export function judgeImports(paths: readonly string[], imports: readonly Import[]): string[] {
  return [...paths.flatMap(judgePath), ...imports.flatMap(judgeImport)];
}

function judgePath(path: string): string[] {
  const room = roomOf(path);
  if (OUTSIDE.includes(path.split('/')[0] ?? '')) return [];
  return room !== null && room in ROOMS ? [] : [`${path}:1: no room of the table holds this file`];
}

function judgeImport({ from, line, specifier, target }: Import): string[] {
  if (target === null) return [];
  const at = `${from}:${line}:`;
  const fromRoom = roomOf(from);
  const toRoom = roomOf(target);
  if (fromRoom === null) return toRoom === 'cli' ? [`${at} only src/cli imports src/cli`] : [];
  if (toRoom === null) return [`${at} ${fromRoom} imports '${specifier}', which is in no room`];
  if (toRoom === fromRoom || ROOMS[fromRoom]?.includes(toRoom)) return [];
  return [`${at} ${fromRoom} must not import ${toRoom} ('${specifier}')`];
}

/** Names of the rooms on a cycle, in order, or null. Edges are room to room. */
export function findCycle(edges: ReadonlyMap<string, ReadonlySet<string>>): string[] | null {
  const done = new Set<string>();
  const visit = (room: string, path: readonly string[]): string[] | null => {
    if (path.includes(room)) return [...path.slice(path.indexOf(room)), room];
    if (done.has(room)) return null;
    for (const next of edges.get(room) ?? []) {
      const cycle = visit(next, [...path, room]);
      if (cycle !== null) return cycle;
    }
    done.add(room);
    return null;
  };
  for (const room of edges.keys()) {
    const cycle = visit(room, []);
    if (cycle !== null) return cycle;
  }
  return null;
}

export function edgesOf(imports: readonly Import[]): Map<string, Set<string>> {
  const edges = new Map<string, Set<string>>();
  for (const { from, target } of imports) {
    const fromRoom = roomOf(from);
    const toRoom = target === null ? null : roomOf(target);
    if (fromRoom === null || toRoom === null || fromRoom === toRoom) continue;
    edges.set(fromRoom, (edges.get(fromRoom) ?? new Set()).add(toRoom));
  }
  return edges;
}

/** Files that import a package, by name or by a path inside it. */
export function importersOf(name: string, imports: readonly Import[]): string[] {
  const files = imports.filter((i) => i.specifier === name || i.specifier.startsWith(`${name}/`));
  return [...new Set(files.map((i) => i.from))];
}
