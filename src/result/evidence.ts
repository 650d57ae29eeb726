/**
 * What the engines hand to the checker: observations, never verdicts. Workers record them as
 * numbers in shared memory, the engine decodes them into these, the checker judges. Addresses are
 * bytes.
 */
import type { Descriptor } from '../arch/descriptor.ts';
import type { Level } from '../arch/geometry.ts';

/** Where a translation came from. */
export type Via = 'combined' | 'stage2' | 'walk';

/** Who and when: null where no single vCPU or round is concerned. */
interface Where {
  readonly vcpu: number | null;
  readonly round: number | null;
  readonly ipa: number | null;
}

/**
 * Versions of a region the ghost state allowed for one access: from the oldest allowed when it
 * started to the newest allowed when it ended. `stable n` allows n; `changing n to n+1` allows
 * both.
 */
export interface AllowedVersions {
  readonly oldest: number;
  readonly newest: number;
}

/**
 * What was done with a table page that is not in use: freed, or handed to a grace period, once more;
 * or get_page or put_page of one of its entries. The numbers beside it are states of the page.
 */
export type Misuse = 'freed-twice' | 'counted-while-free';

export type Evidence =
  /**
   * The translation's version tag (four bits, version modulo 16) is not one the ghost state
   * allowed.
   */
  | (Where & {
      readonly kind: 'version';
      readonly tag: number;
      readonly allowed: AllowedVersions;
      readonly via: Via;
      readonly level: Level;
    })
  /** The output address is not that of any version of the mapping. */
  | (Where & {
      readonly kind: 'address';
      readonly found: number;
      readonly expected: number;
      readonly via: Via;
      readonly level: Level;
    })
  /** A permission no version of the mapping has. */
  | (Where & {
      readonly kind: 'permission';
      readonly found: string;
      readonly expected: string;
      readonly via: Via;
    })
  /** A load (or the comparison at the end) found something other than this vCPU's last store. */
  | (Where & {
      readonly kind: 'value';
      readonly found: number;
      readonly expected: number;
      readonly when: 'load' | 'end';
    })
  /** The two halves of a descriptor do not belong together. */
  | (Where & { readonly kind: 'torn'; readonly descriptor: Descriptor; readonly level: Level })
  /**
   * A table page was read after it was freed: poison was seen, or its generation is not the
   * expected one. `update`: by a hardware walker that was about to set AF or dirty state in it.
   */
  | (Where & {
      readonly kind: 'freed';
      readonly reader: 'hardware' | 'software' | 'update';
      readonly table: number;
      readonly expectedGeneration: number;
      readonly foundGeneration: number;
      readonly poisoned: boolean;
      /**
       * Absent: it was read. Else what software found of entry `entry` of the page, and the generations say
       * nothing: it was written while the page was free, or what it points to is no table page.
       */
      readonly found?: { readonly entry: number; readonly is: 'written-while-free' | 'no-table' };
    })
  /** Two TLB entries matched. `aborted`: the PE raised a conflict abort. */
  | (Where & {
      readonly kind: 'conflict';
      readonly aborted: boolean;
      readonly levels: readonly [Level, Level];
    })
  /** An access faulted although its IPA was mapped before and after the transition. */
  | (Where & { readonly kind: 'spurious'; readonly descriptor: Descriptor })
  /** At the end: `tables` pages neither free nor reachable from the root. */
  | (Where & { readonly kind: 'leak'; readonly tables: number })
  /** At the end: a table page's count is not 1 + its valid entries. */
  | (Where & {
      readonly kind: 'refcount';
      readonly table: number;
      readonly found: number;
      readonly expected: number;
      /** Absent: the two numbers are counts. Else what was done with a page that is not in use. */
      readonly misuse?: Misuse;
    })
  /**
   * One access faulted `faults` times although software found its mapping good each time: it would
   * never have ended.
   */
  | (Where & { readonly kind: 'livelock'; readonly faults: number })
  /** A migration is complete, and its copy of vCPU `vcpu`'s word in the page is not what memory holds. */
  | (Where & { readonly kind: 'dirty'; readonly copied: number; readonly inMemory: number })
  /** The second VM was sent to memory of the VM that had its VMID before. */
  | (Where & { readonly kind: 'foreign'; readonly found: number; readonly expected: number })
  /** The second VM's TLB entry is gone, and nothing but the first VM was flushed. */
  | (Where & { readonly kind: 'neighbour' })
  /** A thread did not finish its accesses within the bound after the hypervisor stopped. */
  | (Where & { readonly kind: 'progress'; readonly waitedMs: number });

/** Sums over a run that must balance. */
export interface Accounting {
  readonly issued: number;
  readonly completed: number;
  readonly inFlight: number;
}
