/**
 * The half of map that meets a table where a block fits: three ways of coalescing.
 *
 *   v5.12 (exclusive)   PRE clears the valid bit, flushes the VMID and remembers the entry as
 *                       *anchor*; the walk goes on into the detached table and only puts
 *                       references; POST frees table after table, and at the anchor installs the
 *                       block last. The entry is invalid all that time.
 *   v6.2 (shared)       PRE breaks with LOCKED, makes the block at once and frees the subtree
 *                       after a grace period.
 *   protocol            PRE hands the entry to a protocol under test, which does all of it.
 */
import { type Descriptor, isValid, VALID } from '../arch/descriptor.ts';
import { childLevel } from '../arch/geometry.ts';
import type { Entry } from '../port/cpu.ts';
import { flushVmid } from '../port/sequences.ts';
import { make, tryBreak } from './break-make.ts';
import { childOf, type Stage2 } from './stage2.ts';
import type { Step, Visit, Visitor, WalkOptions } from './walker.ts';

/**
 * Turns the table at `visit` into the block `wanted` and tears the old subtree down. False: lost a
 * race, try again.
 */
export type Coalesce = (visit: Visit, wanted: Descriptor) => boolean;

/** Why nothing was changed and the access should be tried again: KVM's -EAGAIN. */
export type AgainWhy = 'same' | 'permission' | 'locked' | 'raced';

/** What the table half needs of the leaf half. */
export interface MapSteps {
  readonly fits: (visit: Visit) => boolean;
  readonly leafFor: (visit: Visit) => Descriptor;
  readonly clean: (visit: Visit) => void;
  readonly mapLeaf: (visit: Visit) => Step<AgainWhy>;
  readonly coalesce: Coalesce | undefined;
}

export interface TableVisits {
  readonly visitor: Visitor<AgainWhy>;
  readonly options: WalkOptions;
}

export function createTableVisits(s2: Stage2, steps: MapSteps): TableVisits {
  const { coalesce } = steps;
  if (coalesce !== undefined) {
    return early(steps, (v) => coalesce(v, steps.leafFor(v)));
  }
  return s2.shared ? early(steps, (v) => coalesceLocked(s2, steps, v)) : late(s2, steps);
}

/**
 * All in PRE. The subtree may be gone afterwards, so the walker must look at the entry again
 * (a9f0e3d5a089).
 */
function early(steps: MapSteps, run: (visit: Visit) => boolean): TableVisits {
  const pre = (v: Visit): Step<AgainWhy> => (!steps.fits(v) || run(v) ? null : 'raced');
  return { visitor: { pre, leaf: steps.mapLeaf }, options: { reloadAfterPre: true } };
}

function coalesceLocked(s2: Stage2, steps: MapSteps, v: Visit): boolean {
  const child = childOf(s2, v.old, v.level);
  if (!tryBreak(s2, v)) return false;
  steps.clean(v);
  make(s2, v.entry, steps.leafFor(v));
  s2.tables.tearDownAfterGrace(child, childLevel(v.level));
  return true;
}

function late(s2: Stage2, steps: MapSteps): TableVisits {
  const { cpu, tables } = s2;
  let anchor: Entry | null = null;
  const visitor: Visitor<AgainWhy> = {
    pre(v) {
      if (anchor !== null || !steps.fits(v)) return null;
      cpu.write(v.entry, v.old & ~VALID);
      flushVmid(cpu);
      anchor = v.entry;
      return null;
    },
    leaf(v) {
      if (anchor === null) return steps.mapLeaf(v);
      // Unlinked and flushed: no store and no TLBI needed, the page is freed with it.
      if (isValid(v.old)) tables.put(v.entry);
      return null;
    },
    post(v) {
      if (anchor === null) return null;
      tables.freeNow(childOf(s2, v.old, v.level));
      tables.put(v.entry);
      if (v.entry !== anchor) return null;
      anchor = null;
      return steps.mapLeaf({ ...v, old: cpu.read(v.entry) });
    },
  };
  return { visitor, options: {} };
}
