/**
 * One run of a protocol by itself in each real granule, at addresses with many different bits, over
 * pages that are not alike: what a search over tables of two entries at one address cannot show. An
 * operand in the wrong unit, a hint made of address bits, a range that is cut, a page beyond the
 * second, a block that takes after its first page.
 *
 * Nobody else is there, so only the operations are judged, by the checker's automaton, and the books
 * of the table pages.
 */
import { GUEST_VMID } from '../../../arch/context.ts';
import { BBM_LEVELS, type BbmLevel } from '../../../arch/feat-bbm.ts';
import { type Granule, geometryOf } from '../../../arch/geometry.ts';
import { judgeTrace } from '../../../checker/index.ts';
import type { ChangeName, Protocol } from '../../../port/index.ts';
import type { ExploreViolation } from '../../../result/explore.ts';
import { BoundReached } from '../machine/bounds.ts';
import { hypervisorScript, traceOf } from '../run/hypervisor.ts';
import { MemoryMap } from '../machine/memory-map.ts';
import { operationSteps } from './operation-steps.ts';
import { Recording } from '../run/recording.ts';
import { TableMemory } from '../run/table-memory.ts';
import { underOneLimit, withTimeLimit } from '../run/time-limit.ts';
import { pathOf } from '../run/unroll.ts';

/** Regions of level 2: low and high ones, of odd and even index, the last one of a table, of 40 bits. */
const PLACES: readonly { readonly granule: Granule; readonly ipas: readonly number[] }[] = [
  { granule: '4k', ipas: [0x4020_0000, 0x40_0040_0000, 0xff_ffe0_0000] },
  { granule: '16k', ipas: [0x4200_0000, 0xff_fc00_0000] },
  { granule: '64k', ipas: [0x6000_0000] },
];

/**
 * Who does more than so many things goes from page to page, and is not tried where pages are most. To free
 * a table is one, though it touches every entry.
 */
const PAGEWISE = 1500;

/** Enough for every entry of a table a few times over. */
const OPERATIONS_MAX = 200_000;
const TABLES = 6;
const WITHIN_MS = 2000;

export interface Surveyed {
  readonly violations: readonly ExploreViolation[];
  readonly notes: readonly string[];
}

let known = new WeakMap<Protocol, Map<string, Surveyed>>();

/** For the next exploration, by which its author may have changed what it looks at. */
export function forgetSurveys(): void {
  known = new WeakMap();
}

/** What a protocol does wrong in the real granules. The same question is answered once. */
export function surveyOf(
  protocol: Protocol,
  change: ChangeName,
  bbm: BbmLevel,
  hafdbs: boolean,
): Surveyed {
  const of = known.get(protocol) ?? new Map<string, Surveyed>();
  known.set(protocol, of);
  const keyOf = (level: BbmLevel): string => `${change} ${level} ${hafdbs}`;
  const found = of.get(keyOf(bbm));
  if (found !== undefined) return found;
  const surveyed = underOneLimit(() => survey(protocol, change, bbm, hafdbs));
  for (const [level, own] of surveyed) of.set(keyOf(level), own);
  return surveyed.get(bbm) ?? NOTHING;
}

const NOTHING: Surveyed = { violations: [], notes: [] };

/**
 * The same without what it does wrong in the tables of a search, too: of two protocols at once that is
 * judged by what both of them do.
 */
export function surveyBeyondSearch(
  protocol: Protocol,
  change: ChangeName,
  bbm: BbmLevel,
  hafdbs: boolean,
): Surveyed {
  const { violations, notes } = surveyOf(protocol, change, bbm, hafdbs);
  if (violations.length === 0) return { violations, notes };
  const { vmid = GUEST_VMID } = protocol;
  const map = new MemoryMap(change, 2, TABLES, { hafdbs, vmid });
  const run = underOneLimit(() => runAlone(protocol, map, bbm));
  if (typeof run === 'string') return { violations: [], notes };
  const small = judgeAlone(protocol, map, bbm, run, 'in small');
  const isNew = ({ rule }: ExploreViolation): boolean => !small.some((v) => v.rule === rule);
  return { violations: violations.filter(isNew), notes };
}

/** On the CPU that is asked for; and on all, if it does not look which one it has. */
function survey(
  protocol: Protocol,
  change: ChangeName,
  asked: BbmLevel,
  hafdbs: boolean,
): ReadonlyMap<BbmLevel, Surveyed> {
  const open = new Set<BbmLevel>([asked, ...BBM_LEVELS]);
  const done = new Map<BbmLevel, Surveyed>();
  const notes: string[] = [];
  let most = 0;
  for (const { granule, ipas } of PLACES) {
    for (const ipa of granule === '64k' && most > PAGEWISE ? [] : ipas) {
      const map = mapOf(change, hafdbs, granule, ipa, protocol.vmid);
      const where = `in the ${granule.toUpperCase()} granule, at IPA 0x${ipa.toString(16)}`;
      const run = runAlone(protocol, map, asked);
      const isTold = typeof run === 'string';
      if (isTold || run.looksAtBbm) keepOnly(asked, open, done);
      if (isTold) {
        notes.push(`${where}, it was not tried: ${run}`);
        continue;
      }
      most = Math.max(most, run.trace.length);
      for (const bbm of open) {
        const violations = judgeAlone(protocol, map, bbm, run, where).slice(0, 1);
        if (violations.length === 0) continue;
        done.set(bbm, { violations, notes: [...notes] });
        open.delete(bbm);
      }
      if (!open.has(asked)) return done;
    }
  }
  for (const bbm of open) done.set(bbm, { violations: [], notes: notes.slice(0, 1) });
  return done;
}

function keepOnly(asked: BbmLevel, ...of: (Set<BbmLevel> | Map<BbmLevel, Surveyed>)[]): void {
  for (const levels of of)
    for (const bbm of [...levels.keys()]) if (bbm !== asked) levels.delete(bbm);
}

/** By what they are of: all protocols find the same tables. */
const maps = new Map<string, MemoryMap>();

function mapOf(
  change: ChangeName,
  hafdbs: boolean,
  granule: Granule,
  ipa: number,
  vmid = GUEST_VMID,
): MemoryMap {
  const key = `${change} ${hafdbs} ${granule} ${ipa} ${vmid}`;
  const geometry = geometryOf(granule);
  const map =
    maps.get(key) ?? new MemoryMap(change, 2, TABLES, { hafdbs, geometry, ipa, mixed: true, vmid });
  maps.set(key, map);
  return map;
}

/** Why there is no run to judge, or the run. */
function runAlone(protocol: Protocol, map: MemoryMap, bbm: BbmLevel): Recording | string {
  const script = hypervisorScript(protocol, map, bbm);
  try {
    return withTimeLimit(
      WITHIN_MS,
      () =>
        new Recording(
          new TableMemory({
            entriesPerTable: map.geometry.entriesPerTable,
            table: (table) => map.tableBefore(table),
            beside: (location) => map.besideTables(location),
          }),
          (location, _, recording) => recording.peek(location),
          OPERATIONS_MAX,
          script,
        ),
    );
  } catch (error) {
    if (error instanceof BoundReached) return `it needs ${error.message}`;
    return error instanceof Error ? error.message : String(error);
  }
}

function judgeAlone(
  protocol: Protocol,
  map: MemoryMap,
  bbm: BbmLevel,
  recording: Recording,
  where: string,
): ExploreViolation[] {
  const path = pathOf(recording, []);
  const trace = traceOf(map, path, protocol);
  const { violations } = judgeTrace(trace, bbm, false, map.hafdbs);
  const found = [
    ...violations.map(({ rule, why, event }) => ({ rule, why, event })),
    ...path.findings.map(({ rule, why }) => ({ rule, why, event: null })),
  ];
  return found.map(({ rule, why, event }) => ({
    rule,
    why: `${where}: ${why}`,
    by: 'operations',
    steps: operationSteps(map, path, event),
    token: null,
  }));
}
