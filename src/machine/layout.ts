/**
 * The one place with offsets: how the shared memory of a machine is carved up.
 *
 *   +-----------------+ 0
 *   | control words   |  one cache line per word that anybody spins on
 *   | ghost words     |  one line per region
 *   | vCPU blocks     |  8 lines per vCPU
 *   | thread rings    |  last events and evidence, one of each per thread
 *   | TLBI log        |  ring of 8-word records
 *   | transitions     |  one 16-word record per transition of the round
 *   | page metadata   |  pool bookkeeping per table page
 *   | mapped flags    |  one byte per guest page (scenarios with holes)
 *   | dirty bitmap    |  one bit per guest page (scenarios of a migration)
 *   | dirty rings     |  one per vCPU, where its PE has one (hdbss-ring.ts)
 *   | guest memory    |  1 or more lines per guest page; vCPU v owns word v of each
 *   | neighbours'     |  the same for a level-2 block of each of two neighbours (scenario two-vms)
 *   | table pages     |  64-bit descriptors, page-aligned
 *   +-----------------+
 *
 * All offsets named `…W` are indexes into the Int32Array over the whole memory; those named `…B`
 * are bytes.
 */
import { assert } from '../arch/assert.ts';
import {
  type BlockLevel,
  entrySize,
  type Geometry,
  geometryOf,
  type Granule,
  isSmall,
  levelShift,
  pagesPerEntry,
  startTable,
} from '../arch/geometry.ts';
import { PAGES_MAX } from './tlb-entry.ts';
import { META_WORDS } from '../pgtable/page-meta.ts';

export const LINE_WORDS = 16;
export const IPA_BITS = 40;
export const VCPUS_MAX = 64;
/** The VMID of the VM under test: it keeps it, as one that is running does when VMIDs roll over. */
export const VMID = 1;
/** The VMID its neighbours have, one after the other. */
export const NEIGHBOUR_VMID = 2;
/**
 * The one level-2 block a neighbour has is this one, counted from the first region's IPA: its TLB
 * entry then lies in the last slot of any TLB, where no region of the VM under test can evict it.
 */
export const NEIGHBOUR_BLOCK = 15;

export interface MachineConfig {
  readonly granule: Granule;
  /** Level of the entries under transition. */
  readonly level: BlockLevel;
  /** Regions under test, side by side; each is one entry of `level`. */
  readonly blocks: number;
  readonly vcpus: number;
  /** Transitions of one round at most, resets included: sizes the transition records. */
  readonly transitionsMax: number;
  /** A second VM runs on the same vCPU threads (neighbour.ts). */
  readonly hasNeighbours?: boolean;
  /**
   * Blocks move: every region has two places in guest memory. Odd versions lie in the second, and all
   * versions are blocks.
   */
  readonly relocates?: boolean;
  /**
   * The PEs set access flag and dirty state in descriptors (FEAT_HAFDBS), and software leaves it to
   * them: its leaves have DBM, and what it changes in them it changes atomically.
   */
  readonly hafdbs?: boolean;
  /** What they make dirty while stores are logged they append to a ring each (FEAT_HDBSS). */
  readonly hdbss?: boolean;
  /** A second hypervisor's thread changes the same regions (stress/makers). */
  readonly hasSecondMaker?: boolean;
}

/** Control words. Each has its own line; who writes and who reads stands beside it. */
export const CONTROL = {
  /**
   * Anybody sets it to 1, once; everybody polls it in every wait. Publishes: "leave, the run is
   * over".
   */
  stop: 0 * LINE_WORDS,
  /** Hypervisor: the last round whose end was declared. vCPUs poll it between batches. */
  roundEnd: 1 * LINE_WORDS,
  /**
   * Issuers of TLBIs increment it after the log record is written; vCPUs poll it before every
   * access. Publishes the log records below it. Sequentially consistent with `mode` of the vCPU
   * blocks (Dekker: see shootdown.ts).
   */
  tlbiGeneration: 2 * LINE_WORDS,
  /** Start and end barrier of a round (src/sync). All threads. */
  barrier: 3 * LINE_WORDS,
  /** The VM's mmu_lock (src/sync RwLock). Hypervisor and faulting vCPUs. */
  mmuLock: 4 * LINE_WORDS,
  /** Lock and free list of the table page pool. Any thread that holds the mmu_lock. */
  pool: 5 * LINE_WORDS,
  /** Run tokens: next ticket (vCPUs add), tickets served (vCPUs add on release). */
  tokenNext: 6 * LINE_WORDS,
  tokenServed: 7 * LINE_WORDS,
  /** Hypervisor: number of the round now running; vCPUs read it after the start barrier. */
  round: 8 * LINE_WORDS,
  /**
   * Hypervisor: 0 a round with transitions, 1 baseline, 2 end of the run. Published by the start
   * barrier.
   */
  roundKind: 9 * LINE_WORDS,
  /** Issuers waiting in DSB; vCPUs read it after acknowledging, and notify only then. */
  dsbWaiters: 10 * LINE_WORDS,
  /** Issuers of TLBIs add to take a generation; it is published, in order, by tlbiGeneration. */
  tlbiTicket: 11 * LINE_WORDS,
  /** Hypervisor: rounds finished, for the progress line. Main thread reads. */
  roundsDone: 12 * LINE_WORDS,
  /** Hypervisor and vCPUs add, main thread reads: running totals for the progress line. */
  faultsSeen: 13 * LINE_WORDS,
  evidenceSeen: 14 * LINE_WORDS,
  /**
   * Index of the round's plan item (which protocol runs). Hypervisor writes, vCPUs read after the
   * barrier.
   */
  planItem: 15 * LINE_WORDS,
  /**
   * Main thread sets it to 1: no further round, end the group in order. The hypervisor reads it
   * between rounds.
   */
  finish: 16 * LINE_WORDS,
  /**
   * Dirty logging, one of LOGGING. The hypervisor writes it under the mmu_lock; faulting vCPUs read it
   * under the lock, their MMUs without.
   */
  logging: 17 * LINE_WORDS,
  /**
   * Number of the neighbour that may run now, or -1: none may. The hypervisor writes it, and changes
   * it only when no vCPU is in a neighbour; vCPUs read it after they have published that they are
   * (Dekker again).
   */
  neighbour: 18 * LINE_WORDS,
  /**
   * Hypervisor: the stage that vCPUs are to sweep now, round << 2 | 1 to 3, in the scenario that has
   * stages. vCPUs answer in `stageDone`.
   */
  stage: 19 * LINE_WORDS,
  /**
   * Every thread adds 1 when it begins and 1 when it is ready for the first round; the main thread,
   * which watches for threads that hang, reads it.
   */
  started: 20 * LINE_WORDS,
  /**
   * Meetings (meeting.ts): how often the vCPU has come, and which of these the host has answered. The
   * word after each is 1 while somebody sleeps on it.
   */
  meetArrived: 21 * LINE_WORDS,
  meetGone: 22 * LINE_WORDS,
  /** Main thread sets it to 1, once: rounds may begin. The hypervisor sleeps on it when it is ready. */
  go: 23 * LINE_WORDS,
  /**
   * Hypervisor adds 1: every vCPU is to flush its dirty ring before it enters again. vCPUs answer in
   * `ringServed`, or have put their ring down (Dekker again: dirty-rings.ts).
   */
  ringRequest: 24 * LINE_WORDS,
  /**
   * Two makers (stress/makers/contest.ts). First maker: number of the last call, and what is called for, in
   * CONTEST's words before it. The second sleeps on it.
   */
  callMade: 25 * LINE_WORDS,
  /** Second maker: the last call that it is done with, and what came of it. The first sleeps on it. */
  callDone: 26 * LINE_WORDS,
  /** By each maker: the last call for which it has looked at the entry, then the last it has run. */
  firstMaker: 27 * LINE_WORDS,
  secondMaker: 28 * LINE_WORDS,
  words: 29 * LINE_WORDS,
} as const;

/**
 * States of the memslot's dirty logging. `ending`: no store is logged any more, and pages that were
 * write-protected may still be.
 */
export const LOGGING = { off: 0, on: 1, ending: 2 } as const;

/**
 * Words of a vCPU block: line 0 is shared with issuers, the rest belongs to the vCPU until the end
 * barrier.
 */
export const VCPU = {
  /**
   * 1 in the guest, 0 offline. vCPU writes, issuers read. Published before the generation is read
   * on entry.
   */
  mode: 0,
  /** Generation up to which TLBIs are applied. vCPU writes after its TLB is clean, issuers read. */
  ack: 1,
  /**
   * Bumped on acknowledgement and on leaving the guest, so that a waiting issuer can sleep on it.
   */
  event: 2,
  /** Liveness: accesses completed so far, published per batch. Main thread's watchdog reads. */
  heartbeat: 3,
  /** 1 while the vCPU is about to run, or runs, a neighbour. vCPU writes, hypervisor waits for 0. */
  neighbour: 4,
  /** The last stage this vCPU has swept. vCPU writes, hypervisor waits for it. */
  stageDone: 5,
  /** Most exits in a row of one access because its entry was LOCKED, this round. The vCPU's own. */
  longestLoop: 6,
  /**
   * Permission faults of this vCPU, twice each: once it holds the lock, and before it lets go. Only it adds;
   * the host reads (docs/memory-order.md, Permissions given back).
   */
  relaxing: 7,
  /** HDBSSPROD_EL2: entries appended to this vCPU's ring since it was flushed. The vCPU's own. */
  ringIndex: 8,
  /** 1 while the vCPU has its ring loaded, or something in it. vCPU writes, hypervisor waits for 0. */
  ringLoaded: 9,
  /** The last request to flush that is done. vCPU writes, hypervisor waits for it. */
  ringServed: 10,
  /** Bumped after a change of the two before, so that the hypervisor can sleep on it. */
  ringEvent: 11,
  /**
   * Generation up to which interrupts are taken: at least `ack`, and more where TLBIs before one are still
   * to be applied. vCPU writes, issuers read.
   */
  taken: 12,
  issued: LINE_WORDS + 0,
  completed: LINE_WORDS + 1,
  inFlight: LINE_WORDS + 2,
  walks: LINE_WORDS + 3,
  ambiguous: LINE_WORDS + 4,
  preempted: LINE_WORDS + 5,
  neighbourAccesses: LINE_WORDS + 6,
  neighbourWalks: LINE_WORDS + 7,
  /** Transitions this vCPU has made in its fault handler this round. */
  changes: LINE_WORDS + 8,
  /** Number of episode lengths recorded this round, then the lengths in ns. */
  episodes: 2 * LINE_WORDS,
  episodeLengths: 2 * LINE_WORDS + 1,
  /**
   * A line: where 64-bit loads leave their result. Words 2 and 3 for the fault handler's walk, the
   * others for the MMU's (table-walk.ts). Private to the vCPU's thread.
   */
  scratch: 6 * LINE_WORDS,
  /** The same for walks of a neighbour's tables. */
  neighbourScratch: 7 * LINE_WORDS,
  words: 8 * LINE_WORDS,
} as const;
export const EPISODES_MAX = VCPU.scratch - VCPU.episodeLengths;

/**
 * Words of a region's ghost line. The hypervisor writes them, vCPUs read. Word 0 is the ghost word;
 * word `slot + v % 8` is the index of the transition record of the transition from version v,
 * written before the region changes.
 */
export const GHOST = { word: 0, slot: 4, slots: 8 } as const;

/** Words of a transition record. The hypervisor writes the times, vCPUs add fault counts. */
export const TRANSITION = {
  measured: 0,
  windowNs: 1,
  ntWindowNs: 2,
  flushNs: 3,
  lockNs: 4,
  writes: 5,
  tlbis: 6,
  spurious: 7,
  genuine: 8,
  retry: 9,
  nt: 10,
  conflict: 11,
  words: 16,
} as const;

/** A thread's last events: a count, then records. */
export const EVENT_RING = { records: 128, recordWords: 8, words: LINE_WORDS + 128 * 8 } as const;

/**
 * A thread's evidence: how many records are used, a count per plan item and code, then the records.
 * The first few of each (item, code) are kept, so that no protocol's flood hides another's, or
 * another kind. A record is a line of operands and a snapshot of the last events of the thread and
 * of the hypervisor, because rings go on turning.
 */
const SNAPSHOT_EVENTS = 24;
const EVIDENCE_RECORD_WORDS = LINE_WORDS + 2 * SNAPSHOT_EVENTS * EVENT_RING.recordWords;
const EVIDENCE_RECORDS = 192;
const EVIDENCE_COUNTERS = 64 * 16;
export const EVIDENCE_AREA = {
  used: 0,
  /** Items beyond this share counters: a group is never that large. */
  items: 64,
  codes: 16,
  perKey: 4,
  counters: LINE_WORDS,
  firstRecord: LINE_WORDS + EVIDENCE_COUNTERS,
  records: EVIDENCE_RECORDS,
  snapshotEvents: SNAPSHOT_EVENTS,
  recordWords: EVIDENCE_RECORD_WORDS,
  words: LINE_WORDS + EVIDENCE_COUNTERS + EVIDENCE_RECORDS * EVIDENCE_RECORD_WORDS,
} as const;

/** Word of a thread's counter for evidence `code` in plan item `item`. */
export function evidenceCounter(area: number, item: number, code: number): number {
  return area + EVIDENCE_AREA.counters + (item % EVIDENCE_AREA.items) * EVIDENCE_AREA.codes + code;
}
/**
 * A ring's entries, each page << 3 | level << 1 | 1. Hardware's smallest has 512 (4 KiB); fewer here, so that
 * rings run full where there are as many pages.
 */
export const RING_ENTRIES = 64;
export const TLBI_LOG = { records: 1024, recordWords: 8 } as const;

export interface Layout {
  readonly config: MachineConfig;
  readonly pageShift: number;
  readonly entriesPerTable: number;
  /** log2 of entries per table. */
  readonly indexBits: number;
  /** Pages of one region, of all regions. */
  readonly regionPages: number;
  readonly pages: number;
  /** Pages of memory for them: twice as many where blocks move. */
  readonly guestPages: number;
  readonly ipaBase: number;
  readonly guestPaBase: number;
  readonly tablePaBase: number;
  readonly startLevel: number;
  /** Concatenated start tables of the VM under test; a start table of each neighbour follows. */
  readonly startPages: number;
  readonly rootPages: number;
  readonly tablePages: number;
  readonly ghostW: number;
  readonly vcpuW: number;
  readonly eventW: number;
  readonly evidenceW: number;
  readonly graceW: number;
  readonly tlbiLogW: number;
  readonly transitionW: number;
  /** A transition record for faults that cannot be told to belong to one transition. */
  readonly unattributedW: number;
  /** Number, and first word, of the record for faults while no protocol was at work. */
  readonly outsideSlot: number;
  readonly outsideW: number;
  readonly metaW: number;
  readonly mappedB: number;
  /** Bit `page & 31` of word `page >> 5`: stored to since it was last collected. */
  readonly dirtyW: number;
  /** Of RING_ENTRIES words per vCPU; none without rings. */
  readonly ringW: number;
  readonly guestW: number;
  /** Pages of one neighbour's memory, which lies above that of the VM under test; 0 without. */
  readonly neighbourPages: number;
  readonly neighbourW: number;
  /** Words of one guest page's backing: a multiple of a line. */
  readonly guestStrideW: number;
  readonly tablesB: number;
  readonly bytes: number;
}

/** Threads that own rings: the hypervisor is thread 0, vCPU v is thread v + 1, a second maker the last. */
export function threadsOf(config: MachineConfig): number {
  return config.vcpus + 1 + (config.hasSecondMaker === true ? 1 : 0);
}

/** The thread of the second maker. */
export function secondThread(config: MachineConfig): number {
  return config.vcpus + 1;
}

/**
 * Below this many pages every vCPU has a line of its own in each page, so that guests do not share
 * lines falsely.
 */
const OWN_LINE_PAGES_MAX = 16_384;

/** They take turns: while one runs the other is what it must not see. */
export const NEIGHBOURS = 2;

/** Why no machine of this configuration can be built, and what would be right; null if one can. */
export function machineProblem(config: MachineConfig): string | null {
  if (isSmall(config.granule)) {
    return `granule ${config.granule} is for explore; stress takes 4k, 16k or 64k`;
  }
  const places = config.relocates === true ? 2 : 1;
  const pages = pagesPerEntry(geometryOf(config.granule), config.level) * config.blocks * places;
  if (pages > PAGES_MAX) {
    const most = Math.floor(PAGES_MAX / (pages / config.blocks));
    return `${config.blocks} blocks of level ${config.level} are ${pages} pages; at most ${most} blocks fit`;
  }
  return null;
}

/** Index of the first region in its table, where all of them fit in behind it: odd, many bits set. */
const FIRST_INDEX = 0b101_0101;

/**
 * Above 0, so that a lost address is not mistaken for page 0, and with bits set all over: a protocol
 * that puts bits of the address where they do not belong is not to be right by chance.
 */
function ipaBaseOf(g: Geometry, { level, blocks }: MachineConfig): number {
  const first = FIRST_INDEX + blocks <= g.entriesPerTable ? FIRST_INDEX : 0;
  return 4 * entrySize(g, g.blockLevels[0] ?? 2) + first * entrySize(g, level);
}

/** Number of the first region's first page in the IPA space; a small integer. */
export function basePageOf({ ipaBase, pageShift }: Layout): number {
  return (ipaBase / 2 ** pageShift) | 0;
}

export function layoutOf(config: MachineConfig): Layout {
  const g = geometryOf(config.granule);
  assert(
    config.vcpus >= 1 && config.vcpus <= VCPUS_MAX,
    `vcpus ${config.vcpus} is not within 1 to ${VCPUS_MAX}`,
  );
  assert(config.blocks >= 1, 'at least one block');
  const regionPages = pagesPerEntry(g, config.level);
  const pages = regionPages * config.blocks;
  assert(pages <= PAGES_MAX, `${pages} guest pages are more than ${PAGES_MAX}`);
  const start = startTable(g, IPA_BITS);
  const threads = threadsOf(config);
  const neighbours = config.hasNeighbours === true ? NEIGHBOURS : 0;
  const guestPages = config.relocates === true ? 2 * pages : pages;
  const neighbourPages = neighbours === 0 ? 0 : pagesPerEntry(g, 2);
  const rootPages = start.pages + neighbours;
  assert(
    guestPages + neighbours * neighbourPages <= PAGES_MAX,
    'more guest memory than can be named',
  );

  // Two subtrees per region may exist at once (old and new), and deferred frees may hold a few
  // more.
  const subtree = config.level === 1 ? 1 + g.entriesPerTable : 1;
  const tablePages =
    rootPages +
    (start.level < 2 ? neighbours : 0) +
    (start.level < config.level ? config.blocks : 0) +
    subtree * (config.blocks + 3) +
    8;

  const guestStrideW =
    pages * config.vcpus <= OWN_LINE_PAGES_MAX
      ? config.vcpus * LINE_WORDS
      : Math.ceil(config.vcpus / LINE_WORDS) * LINE_WORDS;

  let wordsUsed: number = CONTROL.words;
  const take = (n: number): number => {
    const at = wordsUsed;
    wordsUsed = Math.ceil((wordsUsed + n) / LINE_WORDS) * LINE_WORDS;
    return at;
  };
  const ghostW = take(config.blocks * LINE_WORDS);
  const vcpuW = take(config.vcpus * VCPU.words);
  const eventW = take(threads * EVENT_RING.words);
  const evidenceW = take(threads * EVIDENCE_AREA.words);
  const graceW = take(threads * LINE_WORDS + LINE_WORDS);
  const tlbiLogW = take(TLBI_LOG.records * TLBI_LOG.recordWords);
  // Two records more than there are transitions: faults of no known one, and of none at all.
  const outsideSlot = config.transitionsMax + 1;
  const transitionW = take((config.transitionsMax + 2) * TRANSITION.words);
  const unattributedW = transitionW + config.transitionsMax * TRANSITION.words;
  const outsideW = transitionW + outsideSlot * TRANSITION.words;
  const metaW = take(tablePages * META_WORDS);
  const mappedB = take(Math.ceil(pages / 4)) * 4;
  const dirtyW = take(Math.ceil(pages / 32));
  const ringW = take(config.hdbss === true ? config.vcpus * RING_ENTRIES : 0);
  const guestW = take(guestPages * guestStrideW);
  const neighbourW = take(neighbours * neighbourPages * guestStrideW);
  const tableBytes = 2 ** g.pageShift;
  const tablesB = Math.ceil((wordsUsed * 4) / tableBytes) * tableBytes;
  const bytes = tablesB + tablePages * g.entriesPerTable * 8;

  assert(bytes < 2 ** 32, `a machine of ${bytes} bytes does not fit a 32-bit memory`);

  return {
    config,
    pageShift: g.pageShift,
    entriesPerTable: g.entriesPerTable,
    indexBits: g.bitsPerLevel,
    regionPages,
    pages,
    guestPages,
    ipaBase: ipaBaseOf(g, config),
    // Guest frames and tables lie above 4 GiB, in different 4 GiB units: both halves of a
    // descriptor matter.
    guestPaBase: 2 ** 36,
    tablePaBase: 2 ** 34,
    startLevel: start.level,
    startPages: start.pages,
    rootPages,
    tablePages,
    ghostW,
    vcpuW,
    eventW,
    evidenceW,
    graceW,
    tlbiLogW,
    transitionW,
    unattributedW,
    outsideSlot,
    outsideW,
    metaW,
    mappedB,
    dirtyW,
    ringW,
    guestW,
    neighbourPages,
    neighbourW,
    guestStrideW,
    tablesB,
    bytes,
  };
}

/**
 * First of the words vCPU `vcpu` owns, one in every guest page: a line of its own where there is
 * one for each.
 */
export function guestWordOf(layout: Layout, vcpu: number): number {
  const ownLine = layout.guestStrideW === layout.config.vcpus * LINE_WORDS;
  return layout.guestW + (ownLine ? vcpu * LINE_WORDS : vcpu);
}

/** log2 of the bytes an entry of the machine's transition level maps. */
export function regionShift(layout: Layout): number {
  return levelShift(geometryOf(layout.config.granule), layout.config.level);
}
