/*
 * The native peer: src/machine once more in C11, to know what TypeScript costs.
 *
 * Same access mix (xorshift32), same poll of the TLBI generation before every access, same TLBs, walk
 * cache and walk, same checks on the guest word and on the version, same shootdown; functions bear
 * the names they have there. What is a plain access in TypeScript is a relaxed atomic here, what is
 * `Atomics` is sequentially consistent, so both compile to the same instructions on x86 and Arm.
 *
 * Left out: evidence (whatever would be some is a bug of this program and ends it), the trace log
 * and the software store buffer of the hypervisor's port, sleeping (a long spin yields instead of
 * waiting on a futex), several regions, levels other than 2, and every scenario with holes.
 *
 *   peer rate  NAME MS      one JSON line {"name", "rate"}: median over chunks, per second
 *   peer count NAME N       one JSON line of counts after N accesses: equal to ours, or one is wrong
 *
 * NAME: tlb-hit, walk-3-level, mixed (accesses), and for `rate` also coalesce-cycle (cycles of a
 * split and a coalesce, one vCPU). The mixes are those of bench/mixes.ts.
 */
#define _POSIX_C_SOURCE 200809L
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- Layout: one region of 2 MiB, 4K granule, IPA size 40 bits, as layoutOf() makes it ---- */

enum {
  PAGES = 512,
  ENTRIES = 512,
  INDEX_BITS = 9,
  START_LEVEL = 1,
  ROOT_PAGES = 2,
  TABLE_PAGES = 15,
  BLOCK_LEVEL = 2,
  IPA_BASE_PAGE = 1 << 20,
  VMID = 1,
  LINE_BYTES = 64,
  LINE_WORDS = 16,
  BATCH = 128,
  EXIT_EVERY = 1024,
  SPINS = 2000,
  TLBI_RECORDS = 1024,
  RECORDS_SAFE = TLBI_RECORDS - 64 - 1,
  TRANSITIONS_MAX = 1024,
  EVENT_RECORDS = 128,
  EPISODES_MAX = 63,
};

#define GUEST_PA_BASE (1ull << 36)
#define TABLE_PA_BASE (1ull << 34)
#define LINE _Alignas(LINE_BYTES)

typedef _Atomic int32_t word;

/* Plain accesses of TypeScript, and its Atomics. */
#define plain(p) atomic_load_explicit((p), memory_order_relaxed)
#define put(p, v) atomic_store_explicit((p), (v), memory_order_relaxed)
#define load(p) atomic_load(p)
#define store(p, v) atomic_store((p), (v))

/* Who writes and who reads each of these: src/machine/layout.ts. */
static LINE word stop;
static LINE word round_end;
static LINE word tlbi_generation;
static LINE word tlbi_ticket;
static struct { LINE word state; word queue; } mmu_lock;
static LINE word dsb_waiters;
static LINE word faults_seen;
static LINE _Atomic uint64_t free_head;
static struct { LINE word mode; word ack, event, heartbeat; } vcpu_line;
static struct { LINE word ghost; word slot[8]; } region;
static LINE word guest[PAGES * LINE_WORDS];
static LINE _Atomic uint64_t tables[TABLE_PAGES * ENTRIES];

static struct { word refcount, state, generation, next, thread, unused[3]; } meta[TABLE_PAGES];
enum { PAGE_FREE, PAGE_ALLOCATED, PAGE_ROOT, PAGE_PENDING, PAGE_FREEING };

struct tlbi_record { word kind, vmid, from, to, ttl, unused[3]; };
static struct tlbi_record tlbi_log[TLBI_RECORDS];

struct transition_record {
  word measured, window_ns, nt_window_ns, flush_ns, lock_ns, writes, tlbis, invalid_stores;
  word spurious, genuine, retry, nt, conflict, unused[3];
};
static struct transition_record transitions[TRANSITIONS_MAX];

static uint64_t clock_ns(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void fail(const char *what) {
  fprintf(stderr, "peer: %s\n", what);
  exit(1);
}

static inline void pause_cpu(void) {
#if defined(__x86_64__) || defined(__i386__)
  __builtin_ia32_pause();
#elif defined(__aarch64__)
  __asm__ volatile("yield");
#endif
}

/* ---- Last events of a thread (recorder.ts) ---- */

enum event {
  EV_WALK = 1, EV_FAULT, EV_HANDLED, EV_TLBI_APPLIED, EV_ENTER, EV_LEAVE, EV_WRITE = 8,
  EV_DSB = 10, EV_TLBI = 12, EV_START, EV_END, EV_FREE, EV_SETTLED = 17,
};

struct ring {
  LINE int32_t sequence;
  LINE int32_t records[EVENT_RECORDS][8];
};
static struct ring hypervisor_events, vcpu_events;

static inline void event(struct ring *ring, enum event code, int32_t a, int32_t b, int32_t c) {
  int32_t sequence = ring->sequence++;
  int32_t *at = ring->records[sequence & (EVENT_RECORDS - 1)];
  at[0] = sequence;
  at[1] = plain(&tlbi_generation);
  at[2] = code;
  at[3] = a;
  at[4] = b;
  at[5] = c;
}

/* ---- Descriptors (arch/descriptor.ts) ---- */

enum { VALID = 1, TYPE = 2, READ = 0x40, WRITE = 0x80, AF = 1 << 10, NT = 1 << 16 };
#define LOCKED (1ull << 10)
#define SW_SHIFT 55
#define LEAF_BITS (VALID | 0x3cull | READ | WRITE | 0x300 | AF | (2ull << 53))
#define LEAF_HIGH_MASK (~(0x0780ffffu))
#define LEAF_LOW_MASK 0x33cu
#define LEAF_HIGH ((uint32_t)(LEAF_BITS >> 32) & LEAF_HIGH_MASK)
#define LEAF_LOW ((uint32_t)LEAF_BITS & LEAF_LOW_MASK)
#define TABLE_HIGH ((uint32_t)(TABLE_PA_BASE >> 32))
#define TAG_MASK_HIGH 0x07800000u
#define POISON 0xdead7ab1dead7ab0ull

static uint64_t block_at(int32_t version) {
  return LEAF_BITS | GUEST_PA_BASE | ((uint64_t)(version & 15) << SW_SHIFT);
}

static uint64_t descriptor_for(int32_t table) {
  uint64_t tag = (uint64_t)(load(&meta[table].generation) & 15);
  return VALID | TYPE | (TABLE_PA_BASE + (uint64_t)table * 4096) | (tag << SW_SHIFT);
}

static int32_t follow(uint64_t d) {
  return (int32_t)(((d & 0xfffffffff000ull) - TABLE_PA_BASE) >> 12);
}

/* ---- TLBs (tlb.ts, tlb-entry.ts) ---- */

enum { EMPTY_KEY = -1, KEY_SHIFT = 22, VM = VMID << KEY_SHIFT, FLAG_W = 1, FLAG_R = 2 };
enum { MISS = -16, MULTIHIT = -17, F_TRANSLATION = -1, F_NT = -2, F_PERMISSION = -4, F_AF = -5 };
enum { TLB_MAX = 512, BLOCKS = 16, WALK_ENTRIES = 16, SHIFT1 = 2 * INDEX_BITS, SHIFT2 = INDEX_BITS };

struct bank {
  int32_t level, shift, mask;
  int32_t keys[TLB_MAX], data[TLB_MAX];
};
/* Page entries, blocks of level 2, blocks of level 1. */
struct tlb { int32_t size; struct bank pages, blocks2, blocks1; };
static struct tlb combined, stage2;

static inline int32_t tag_of(int32_t data) { return (data >> 6) & 15; }
static inline int32_t level_of(int32_t data) { return (data >> 4) & 3; }

static void bank_setup(struct bank *bank, int32_t level, int32_t entries) {
  bank->level = level;
  bank->shift = INDEX_BITS * (3 - level);
  bank->mask = (entries < 1 ? 1 : entries) - 1;
  memset(bank->keys, 0xff, sizeof bank->keys);
}

static void tlb_setup(struct tlb *tlb, int32_t size) {
  tlb->size = size;
  bank_setup(&tlb->pages, 3, size);
  bank_setup(&tlb->blocks2, 2, size < BLOCKS ? size : BLOCKS);
  bank_setup(&tlb->blocks1, 1, size < BLOCKS ? size : BLOCKS);
}

static inline int32_t tlb_lookup(const struct tlb *tlb, int32_t page) {
  int32_t p = page & tlb->pages.mask;
  int32_t b2 = page >> SHIFT2, i2 = b2 & tlb->blocks2.mask;
  int32_t b1 = page >> SHIFT1, i1 = b1 & tlb->blocks1.mask;
  bool in_pages = tlb->pages.keys[p] == (VM | page);
  bool in2 = tlb->blocks2.keys[i2] == (VM | b2);
  bool in1 = tlb->blocks1.keys[i1] == (VM | b1);
  if (in_pages) return in2 || in1 ? MULTIHIT : tlb->pages.data[p];
  if (in2) return in1 ? MULTIHIT : tlb->blocks2.data[i2] + ((page & ((1 << SHIFT2) - 1)) << 10);
  if (in1) return tlb->blocks1.data[i1] + ((page & ((1 << SHIFT1) - 1)) << 10);
  return MISS;
}

static void tlb_insert(struct tlb *tlb, int32_t page, int32_t level, int32_t data) {
  if (tlb->size == 0) return;
  struct bank *bank = level == 3 ? &tlb->pages : level == 2 ? &tlb->blocks2 : &tlb->blocks1;
  int32_t n = page >> bank->shift;
  bank->keys[n & bank->mask] = VM | n;
  bank->data[n & bank->mask] = data - ((page & ((1 << bank->shift) - 1)) << 10);
}

static void bank_invalidate(struct bank *bank, int32_t from, int32_t to) {
  int32_t first = from >> bank->shift, last = (to - 1) >> bank->shift;
  if (from <= 0 && to >= PAGES) {
    memset(bank->keys, 0xff, sizeof bank->keys[0] * (size_t)(bank->mask + 1));
  } else if (last - first < bank->mask) {
    for (int32_t n = first; n <= last; n++) {
      if (bank->keys[n & bank->mask] == (VM | n)) bank->keys[n & bank->mask] = EMPTY_KEY;
    }
  } else {
    for (int32_t slot = 0; slot <= bank->mask; slot++) {
      int32_t key = bank->keys[slot];
      if (key != EMPTY_KEY && key >= (VM | first) && key <= (VM | last)) bank->keys[slot] = EMPTY_KEY;
    }
  }
}

/* `level` 0 is every leaf level. */
static void tlb_invalidate(struct tlb *tlb, int32_t from, int32_t to, int32_t level) {
  if (level == 0 || level == 3) bank_invalidate(&tlb->pages, from, to);
  if (level == 0 || level == 2) bank_invalidate(&tlb->blocks2, from, to);
  if (level == 0 || level == 1) bank_invalidate(&tlb->blocks1, from, to);
}

/* ---- Walk cache (walk-cache.ts): data is table << 4 | generation tag ---- */

static struct { bool enabled; int32_t keys[3 * WALK_ENTRIES], data[3 * WALK_ENTRIES]; } walk_cache;

static inline int32_t walk_cache_lookup(int32_t page, int32_t level) {
  int32_t n = page >> (INDEX_BITS * (3 - level));
  int32_t slot = level * WALK_ENTRIES + (n & (WALK_ENTRIES - 1));
  return walk_cache.keys[slot] == (VM | n) ? walk_cache.data[slot] : -1;
}

static inline void walk_cache_insert(int32_t page, int32_t level, int32_t table, int32_t tag) {
  if (!walk_cache.enabled) return;
  int32_t n = page >> (INDEX_BITS * (3 - level));
  int32_t slot = level * WALK_ENTRIES + (n & (WALK_ENTRIES - 1));
  walk_cache.keys[slot] = VM | n;
  walk_cache.data[slot] = (table << 4) | tag;
}

static void walk_cache_invalidate(int32_t from, int32_t to, int32_t ttl) {
  for (int32_t level = 0; level < 3; level++) {
    if (ttl != 0 && level >= ttl) continue;
    int32_t shift = INDEX_BITS * (3 - level);
    for (int32_t i = level * WALK_ENTRIES; i < (level + 1) * WALK_ENTRIES; i++) {
      int32_t key = walk_cache.keys[i];
      if (key == EMPTY_KEY || key >> KEY_SHIFT != VMID) continue;
      int32_t n = key & ((1 << KEY_SHIFT) - 1);
      if (n >= from >> shift && n <= (to - 1) >> shift) walk_cache.keys[i] = EMPTY_KEY;
    }
  }
}

/* ---- TLBI and DSB (shootdown.ts, tlbi-codec.ts) ---- */

enum tlbi_kind { VMALLS12E1IS, VMALLE1IS, IPAS2E1IS };
static int32_t issued_generation;
static bool outstanding;
static int32_t seen;

static void tlbi(enum tlbi_kind kind, int32_t from, int32_t to, int32_t ttl) {
  int32_t generation = atomic_fetch_add(&tlbi_ticket, 1) + 1;
  struct tlbi_record *record = &tlbi_log[generation & (TLBI_RECORDS - 1)];
  put(&record->kind, kind);
  put(&record->vmid, VMID);
  put(&record->from, from);
  put(&record->to, to);
  put(&record->ttl, ttl);
  while (load(&tlbi_generation) != generation - 1) pause_cpu();
  issued_generation = generation;
  outstanding = true;
  store(&tlbi_generation, generation);
}

static bool is_pending(void) {
  return load(&vcpu_line.mode) == 1 && load(&vcpu_line.ack) - issued_generation < 0;
}

static void dsb_ish(void) {
  if (!outstanding) return;
  for (int32_t spin = 0; is_pending(); spin++) {
    if (spin >= SPINS) sched_yield();
  }
  outstanding = false;
}

static void apply_tlbi(const struct tlbi_record *r) {
  int32_t kind = plain(&r->kind), from = plain(&r->from), to = plain(&r->to), ttl = plain(&r->ttl);
  if (kind == IPAS2E1IS) {
    if (to <= from) return;
    tlb_invalidate(&stage2, from, to, ttl);
    walk_cache_invalidate(from, to, ttl);
    return;
  }
  tlb_invalidate(&combined, from, to, 0);
  if (kind == VMALLE1IS) return;
  tlb_invalidate(&stage2, from, to, 0);
  walk_cache_invalidate(from, to, 0);
}

static void wake(void) {
  atomic_fetch_add(&vcpu_line.event, 1);
  if (load(&dsb_waiters) != 0) fail("nobody sleeps here");
}

static void empty_all(void) {
  tlb_invalidate(&combined, 0, PAGES, 0);
  tlb_invalidate(&stage2, 0, PAGES, 0);
  memset(walk_cache.keys, 0xff, sizeof walk_cache.keys);
}

static void apply_pending(void) {
  int32_t generation = load(&tlbi_generation);
  if (generation == seen) return;
  int32_t records = generation - seen;
  /* Nobody waits for a vCPU that is out of the guest: the log may have run round it. */
  if (records >= RECORDS_SAFE) {
    empty_all();
  } else {
    for (int32_t g = seen + 1; g - generation <= 0; g++) {
      apply_tlbi(&tlbi_log[g & (TLBI_RECORDS - 1)]);
    }
    if (load(&tlbi_generation) - seen >= RECORDS_SAFE) empty_all();
  }
  seen = generation;
  event(&vcpu_events, EV_TLBI_APPLIED, generation, records, 0);
  store(&vcpu_line.ack, generation);
  wake();
}

static void enter(void) {
  event(&vcpu_events, EV_ENTER, 0, 0, 0);
  store(&vcpu_line.mode, 1);
  if (load(&tlbi_generation) != seen) apply_pending();
}

static void leave(void) {
  event(&vcpu_events, EV_LEAVE, 0, 0, 0);
  store(&vcpu_line.mode, 0);
  wake();
}

/* ---- Ghost word (ghost.ts): version << 2 | state ---- */

enum { STABLE, CHANGING, SETTLED };

static bool is_allowed(int32_t tag, int32_t before, int32_t after) {
  int32_t oldest = (before >> 2) + ((before >> 1) & 1);
  int32_t newest = (after >> 2) + ((after & 3) == STABLE ? 0 : 1);
  return ((tag - oldest) & 15) <= newest - oldest;
}

static int32_t transition_of(int32_t before, int32_t after) {
  int32_t last = (after & 3) == STABLE ? (after >> 2) - 1 : after >> 2;
  return before >> 2 > last ? before >> 2 : last;
}

/* ---- MMU (mmu.ts) ---- */

enum via { VIA_COMBINED, VIA_STAGE2, VIA_WALK };
static struct { int32_t via, level; uint32_t low, high; int32_t walks; } last;

static inline int64_t frame_of(uint32_t low, uint32_t high) {
  return (int64_t)((low >> 12) | (high & 0xffff) << 20);
}

static int32_t leaf(int32_t page, uint32_t low, uint32_t high, int32_t level) {
  int32_t span = 1 << (INDEX_BITS * (3 - level));
  if ((high & LEAF_HIGH_MASK) != LEAF_HIGH || (low & LEAF_LOW_MASK) != LEAF_LOW) fail("torn leaf");
  if ((low & AF) == 0) return F_AF;
  int32_t first = (int32_t)(frame_of(low, high) - (int64_t)(GUEST_PA_BASE >> 12)) & -span;
  if (first != (page & -span)) fail("wrong output address");
  int32_t tag = (int32_t)(high >> (SW_SHIFT - 32)) & 15;
  int32_t flags = (low & WRITE ? FLAG_W : 0) | (low & READ ? FLAG_R : 0);
  int32_t data = ((first + (page & (span - 1))) << 10) | (tag << 6) | (level << 4) | flags;
  if (level < 3 && (low & NT) != 0) return data;
  tlb_insert(&stage2, page, level, data);
  tlb_insert(&combined, page, level, data);
  return data;
}

static int32_t walk(int32_t page) {
  int32_t ipa_page = page + IPA_BASE_PAGE;
  int32_t level = START_LEVEL, table = 0, tag = -1;
  last.walks++;
  /* One walk in eight starts at the root. */
  if ((last.walks & 7) != 0) {
    for (int32_t cached_level = 2; cached_level >= START_LEVEL; cached_level--) {
      int32_t cached = walk_cache_lookup(page, cached_level);
      if (cached < 0) continue;
      level = cached_level + 1;
      table = cached >> 4;
      tag = cached & 15;
      break;
    }
  }
  for (;;) {
    int32_t number = ipa_page >> (INDEX_BITS * (3 - level));
    int32_t index = level == START_LEVEL ? number : number & (ENTRIES - 1);
    uint64_t d = load(&tables[table * ENTRIES + index]);
    uint32_t low = (uint32_t)d, high = (uint32_t)(d >> 32);
    last.level = level;
    last.low = low;
    last.high = high;
    if (tag >= 0) {
      if ((plain(&meta[table].generation) & 15) != tag || d == POISON) fail("walk of a freed table");
    }
    if ((low & VALID) == 0) return F_TRANSLATION;
    if (level == 3) return low & TYPE ? leaf(page, low, high, 3) : F_TRANSLATION;
    if ((low & TYPE) == 0) return leaf(page, low, high, level);
    if ((high & ~TAG_MASK_HIGH) != TABLE_HIGH) fail("torn table descriptor");
    int64_t next = frame_of(low, high) - (int64_t)(TABLE_PA_BASE >> 12);
    if (next < 0 || next >= TABLE_PAGES) fail("walk left the tables");
    table = (int32_t)next;
    tag = (int32_t)(high >> (SW_SHIFT - 32)) & 15;
    walk_cache_insert(page, level, table, tag);
    level++;
  }
}

static int32_t translate(int32_t page, int32_t before) {
  int32_t data = tlb_lookup(&combined, page);
  last.via = VIA_COMBINED;
  if (data == MISS) {
    data = tlb_lookup(&stage2, page);
    last.via = VIA_STAGE2;
    if (data >= 0) tlb_insert(&combined, page, level_of(data), data);
  }
  if (data == MISS) {
    data = walk(page);
    last.via = VIA_WALK;
  }
  if (data == MULTIHIT) fail("two TLB entries match");
  if (data < 0) return data;
  if (!is_allowed(tag_of(data), before, load(&region.ghost))) fail("stale translation");
  if (data >> 10 != page && last.via != VIA_WALK) fail("wrong address in a TLB");
  return data;
}

/*
 * ---- Lock (sync/rw-lock.ts, write side): who waits at the head of the queue keeps others off ----
 *
 * Two threads, so nobody sleeps: whoever waits spins, then yields.
 */

enum { WRITER_HOLDS = 1 << 30, WRITER_WAITS = 1 << 29 };

static inline void spin_or_yield(int32_t spin) {
  if (spin < SPINS) pause_cpu();
  else sched_yield();
}

static bool exchanged(_Atomic int32_t *word, int32_t from, int32_t to) {
  return atomic_compare_exchange_strong(word, &from, to);
}

static void enter_queue(void) {
  if (exchanged(&mmu_lock.queue, 0, 1)) return;
  for (int32_t spin = 0; load(&mmu_lock.queue) != 0 || !exchanged(&mmu_lock.queue, 0, 1); spin++) {
    spin_or_yield(spin);
  }
}

static void write_lock(void) {
  if (exchanged(&mmu_lock.state, 0, WRITER_HOLDS)) return;
  enter_queue();
  atomic_fetch_or(&mmu_lock.state, WRITER_WAITS);
  for (int32_t spin = 0; load(&mmu_lock.state) != WRITER_WAITS; spin++) spin_or_yield(spin);
  if (!exchanged(&mmu_lock.state, WRITER_WAITS, WRITER_HOLDS)) fail("the head of the queue was overtaken");
  atomic_exchange(&mmu_lock.queue, 0);
}

static void write_unlock(void) {
  if ((atomic_fetch_sub(&mmu_lock.state, WRITER_HOLDS) & WRITER_HOLDS) == 0) fail("lock not held");
}

/* ---- Faults (vcpu/fault/aborts.ts, fault-exit.ts) ---- */

enum { HANDLED_SPURIOUS, HANDLED_AGAIN = 3 };
static struct { int32_t episodes, lengths[EPISODES_MAX], spurious, entries; } vcpu_private;
static uint64_t episode_since;

/* Software's own walk: the mapping must be good again once the lock is ours. */
static int32_t look(int32_t page, bool is_store) {
  int32_t table = 0;
  for (int32_t level = START_LEVEL; level <= 3; level++) {
    int32_t number = (page + IPA_BASE_PAGE) >> (INDEX_BITS * (3 - level));
    int32_t index = level == START_LEVEL ? number : number & (ENTRIES - 1);
    uint64_t d = load(&tables[table * ENTRIES + index]);
    if ((d & VALID) == 0) break;
    if (level < 3 && (d & TYPE) != 0) {
      table = follow(d);
      continue;
    }
    uint64_t needed = (is_store ? READ | WRITE : READ) | AF;
    if ((d & needed) == needed) return HANDLED_SPURIOUS;
  }
  fail("a hole under the lock");
  return HANDLED_AGAIN;
}

static void fault(int32_t page, bool is_store, int32_t code, int32_t before) {
  int32_t after = load(&region.ghost);
  event(&vcpu_events, EV_FAULT, page, code, last.level);
  int32_t version = transition_of(before, after);
  struct transition_record *record = &transitions[plain(&region.slot[version & 7])];
  leave();
  uint64_t since = clock_ns();
  write_lock();
  int32_t outcome = look(page, is_store);
  write_unlock();
  event(&vcpu_events, EV_HANDLED, page, outcome, 0);
  atomic_fetch_add(&record->spurious, 1);
  vcpu_private.spurious++;
  atomic_fetch_add(&faults_seen, 1);
  if (plain(&record->measured) == 1) episode_since = since;
  enter();
}

static void record_episode(void) {
  int32_t n = vcpu_private.episodes++;
  if (n < EPISODES_MAX) vcpu_private.lengths[n] = (int32_t)(clock_ns() - episode_since);
}

static int32_t resolve(int32_t page, bool is_store) {
  episode_since = 0;
  for (;;) {
    if (plain(&tlbi_generation) != seen) apply_pending();
    int32_t before = load(&region.ghost);
    int32_t data = translate(page, before);
    if (last.via == VIA_WALK) event(&vcpu_events, EV_WALK, page, last.level, data);
    if (data >= 0 && is_store && (data & FLAG_W) == 0) data = F_PERMISSION;
    if (data >= 0) {
      if (episode_since != 0) record_episode();
      return data;
    }
    fault(page, is_store, data, before);
  }
}

/* ---- The guest's accesses (vcpu/accesses.ts) ---- */

/*
 * How many pages there are is no constant of the loop: else the compiler sees that one region has one
 * block, and moves the look-ups of block entries out of it.
 */
static volatile int32_t page_mask = PAGES - 1;
static int32_t shadow[PAGES];
static uint32_t random_state = 1;
static int32_t sequence;
static int32_t store_threshold;
static int64_t completed;

static void batch(int32_t count) {
  uint32_t state = random_state;
  int32_t stored = sequence;
  const int32_t mask = page_mask;
  if (plain(&tlbi_generation) != seen) apply_pending();
  for (int32_t at = 0; at < count; at++) {
    if (plain(&tlbi_generation) != seen) apply_pending();
    state ^= state << 13;
    state ^= state >> 17;
    state ^= state << 5;
    int32_t page = (int32_t)(state >> 5) & mask;
    bool is_store = (int32_t)(state >> 24) < store_threshold;
    int32_t data = tlb_lookup(&combined, page);
    if (data < 0 || (is_store && (data & FLAG_W) == 0)) data = resolve(page, is_store);
    word *mine = &guest[(data >> 10) * LINE_WORDS];
    if (is_store) {
      stored++;
      put(mine, stored);
      shadow[page] = stored;
    } else if (plain(mine) != shadow[page]) {
      fail("lost access");
    }
    int32_t ghost = plain(&region.ghost);
    int32_t newer = (tag_of(data) - (ghost >> 2) - ((ghost >> 1) & 1)) & 15;
    if (newer > (ghost & 1) && !is_allowed(tag_of(data), ghost, load(&region.ghost))) fail("stale access");
  }
  random_state = state;
  sequence = stored;
  completed += count;
  put(&vcpu_line.heartbeat, plain(&vcpu_line.heartbeat) + count);
}

static void run_accesses(int64_t count) {
  enter();
  for (int64_t left = count; left > 0; left -= BATCH) batch(left < BATCH ? (int32_t)left : BATCH);
  leave();
}

static void *vcpu_thread(void *unused) {
  (void)unused;
  int32_t since_exit = 0;
  enter();
  while (load(&round_end) == 0 && load(&stop) == 0) {
    batch(BATCH);
    since_exit += BATCH;
    if (since_exit < EXIT_EVERY) continue;
    since_exit = 0;
    leave();
    enter();
  }
  leave();
  return NULL;
}

/* ---- Page pool and subtrees (page-pool.ts, subtree.ts) ---- */

static int32_t pool_pop(void) {
  for (;;) {
    uint64_t before = load(&free_head);
    int32_t page = (int32_t)(uint32_t)before - 1;
    if (page < 0) fail("no table page left");
    uint64_t after = ((before >> 32) + 1) << 32 | (uint32_t)load(&meta[page].next);
    if (atomic_compare_exchange_strong(&free_head, &before, after)) return page;
  }
}

static void pool_push(int32_t page) {
  for (;;) {
    uint64_t before = load(&free_head);
    store(&meta[page].next, (int32_t)(uint32_t)before);
    uint64_t after = ((before >> 32) + 1) << 32 | (uint32_t)(page + 1);
    if (atomic_compare_exchange_strong(&free_head, &before, after)) return;
  }
}

/* Unlinked pages are nobody else's: they are filled without atomics. */
static uint64_t *unlinked(int32_t table) { return (uint64_t *)(void *)&tables[table * ENTRIES]; }

static int32_t pool_allocate(void) {
  int32_t page = pool_pop();
  int32_t expected = PAGE_FREE;
  if (!atomic_compare_exchange_strong(&meta[page].state, &expected, PAGE_ALLOCATED)) fail("not free");
  const uint64_t *entries = unlinked(page);
  for (int32_t i = 0; i < ENTRIES; i++) {
    if (entries[i] != POISON) fail("store to a free page");
  }
  store(&meta[page].refcount, 1);
  store(&meta[page].thread, 0);
  return page;
}

static void pool_free(int32_t page, int32_t count) {
  int32_t expected = PAGE_ALLOCATED;
  if (!atomic_compare_exchange_strong(&meta[page].state, &expected, PAGE_FREEING)) fail("double free");
  if (atomic_exchange(&meta[page].refcount, 0) != count) fail("wrong count");
  uint64_t *entries = unlinked(page);
  for (int32_t i = 0; i < ENTRIES; i++) entries[i] = POISON;
  atomic_fetch_add(&meta[page].generation, 1);
  store(&meta[page].thread, 0);
  store(&meta[page].state, PAGE_FREE);
  pool_push(page);
}

static int32_t build_subtree(int32_t version) {
  static uint64_t scratch[ENTRIES];
  int32_t table = pool_allocate();
  uint64_t d = (LEAF_BITS | TYPE | GUEST_PA_BASE) | ((uint64_t)(version & 15) << SW_SHIFT);
  for (int32_t i = 0; i < ENTRIES; i++, d += 4096) scratch[i] = d;
  memcpy(unlinked(table), scratch, sizeof scratch);
  store(&meta[table].refcount, 1 + ENTRIES);
  return table;
}

static void tear_down(int32_t table) {
  if (load(&meta[table].state) != PAGE_ALLOCATED) fail("not a table of ours");
  const uint64_t *entries = unlinked(table);
  int32_t valid = 0;
  for (int32_t i = 0; i < ENTRIES; i++) valid += (int32_t)(entries[i] & VALID);
  pool_free(table, 1 + valid);
}

/* ---- The hypervisor's port, protocols and transitions ---- */

static _Atomic uint64_t *region_entry;
static struct { uint64_t invalid_since; int32_t window_ns, writes, tlbis, invalid_stores; } figures;

static void port_write(uint64_t d) {
  if ((d & VALID) == 0 && figures.invalid_since == 0) figures.invalid_since = clock_ns();
  store(region_entry, d);
  if ((d & VALID) == 0) {
    figures.invalid_stores++;
  } else if (figures.invalid_since != 0) {
    figures.window_ns += (int32_t)(clock_ns() - figures.invalid_since);
    figures.invalid_since = 0;
  }
  figures.writes++;
  event(&hypervisor_events, EV_WRITE, 0, (int32_t)d, (int32_t)(d >> 32));
}

static void port_dsb(bool ish, bool settles) {
  if (ish) dsb_ish();
  event(&hypervisor_events, EV_DSB, ish, 0, 0);
  if (!settles) return;
  store(&region.ghost, (plain(&region.ghost) & ~3) | SETTLED);
  event(&hypervisor_events, EV_SETTLED, 0, 0, 0);
}

static void port_tlbi(enum tlbi_kind kind, int32_t from, int32_t to, int32_t ttl) {
  figures.tlbis++;
  event(&hypervisor_events, EV_TLBI, kind, from, ttl);
  tlbi(kind, from, to, ttl);
}

static void bbm_early(uint64_t old, uint64_t wanted) {
  int32_t child = follow(old);
  port_write(old & ~(uint64_t)VALID);
  port_dsb(false, false);
  port_tlbi(VMALLS12E1IS, 0, PAGES, 0);
  port_dsb(true, true);
  port_write(wanted);
  tear_down(child);
  event(&hypervisor_events, EV_FREE, 1, 1, 0);
  port_dsb(false, false);
}

static void split_eager(int32_t version, int32_t parent) {
  int32_t table = build_subtree(version);
  port_write(LOCKED);
  port_dsb(false, false);
  port_tlbi(IPAS2E1IS, 0, 1, BLOCK_LEVEL);
  port_dsb(true, false);
  port_tlbi(VMALLE1IS, 0, PAGES, 0);
  port_dsb(true, true);
  if (atomic_fetch_sub(&meta[parent].refcount, 1) < 2) fail("over-put");
  atomic_fetch_add(&meta[parent].refcount, 1);
  port_write(descriptor_for(table));
  port_dsb(false, false);
}

/* One transition under the lock, with its record (stress/thread/transition-runner.ts). */
static void transition(int32_t slot, bool measured, int32_t parent) {
  struct transition_record *record = &transitions[slot];
  memset((void *)record, 0, sizeof *record);
  put(&record->measured, measured);
  write_lock();
  uint64_t locked = clock_ns();
  int32_t version = plain(&region.ghost) >> 2;
  uint64_t old = load(region_entry);
  put(&region.slot[version & 7], slot);
  store(&region.ghost, version << 2 | CHANGING);
  event(&hypervisor_events, EV_START, version, measured, 0);
  memset(&figures, 0, sizeof figures);
  if (measured) bbm_early(old, block_at(version + 1));
  else split_eager(version + 1, parent);
  store(&region.ghost, (version + 1) << 2 | STABLE);
  write_unlock();
  put(&record->lock_ns, (int32_t)(clock_ns() - locked));
  event(&hypervisor_events, EV_END, version + 1, 0, 0);
  put(&record->window_ns, figures.window_ns);
  put(&record->writes, figures.writes);
  put(&record->tlbis, figures.tlbis);
  put(&record->invalid_stores, figures.invalid_stores);
}

/* ---- Set-up: root tables, one level-2 table, the region in table state ---- */

struct mix { const char *name; int32_t tlb; bool walk_cache; int32_t stores_percent; };
static const struct mix MIXES[] = {
  {"tlb-hit", 512, true, 0},
  {"walk-3-level", 0, false, 0},
  {"mixed", 256, true, 50},
  {"coalesce-cycle", 256, true, 50},
};

static int32_t setup(const struct mix *mix) {
  for (int32_t page = TABLE_PAGES - 1; page >= ROOT_PAGES; page--) {
    for (int32_t i = 0; i < ENTRIES; i++) unlinked(page)[i] = POISON;
    pool_push(page);
  }
  for (int32_t page = 0; page < ROOT_PAGES; page++) put(&meta[page].state, PAGE_ROOT);
  int32_t parent = pool_allocate();
  memset(unlinked(parent), 0, sizeof(uint64_t) * ENTRIES);
  put(&tables[IPA_BASE_PAGE >> (2 * INDEX_BITS)], descriptor_for(parent));
  region_entry = &tables[parent * ENTRIES + ((IPA_BASE_PAGE >> INDEX_BITS) & (ENTRIES - 1))];
  store(region_entry, descriptor_for(build_subtree(0)));
  atomic_fetch_add(&meta[parent].refcount, 1);

  tlb_setup(&combined, mix->tlb);
  tlb_setup(&stage2, mix->tlb);
  walk_cache.enabled = mix->walk_cache;
  memset(walk_cache.keys, 0xff, sizeof walk_cache.keys);
  store_threshold = (mix->stores_percent * 256 + 50) / 100;
  return parent;
}

/* ---- Measuring: median of equal chunks ---- */

enum { CHUNK = 100000, CYCLES_PER_CHUNK = 256, CHUNKS_MAX = 1 << 16, WARM_UP_NS = 50000000 };

static int compare(const void *a, const void *b) {
  uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
  return (x > y) - (x < y);
}

static void run_chunk(bool cycles, int32_t parent) {
  if (!cycles) {
    run_accesses(CHUNK);
    return;
  }
  for (int32_t i = 0; i < CYCLES_PER_CHUNK; i++) {
    transition(2 * i, true, parent);
    transition(2 * i + 1, false, parent);
  }
}

static double median_rate(uint64_t ms, bool cycles, int32_t parent) {
  static uint64_t took[CHUNKS_MAX];
  int32_t n = 0;
  uint64_t warm = clock_ns() + WARM_UP_NS;
  while (clock_ns() < warm) run_chunk(cycles, parent);
  uint64_t end = clock_ns() + ms * 1000000u;
  for (uint64_t from = clock_ns(); from < end && n < CHUNKS_MAX;) {
    run_chunk(cycles, parent);
    uint64_t to = clock_ns();
    took[n++] = to - from;
    from = to;
  }
  if (n == 0) fail("nothing was measured");
  qsort(took, (size_t)n, sizeof took[0], compare);
  return (cycles ? CYCLES_PER_CHUNK : CHUNK) * 1e9 / (double)took[n / 2];
}

static double coalesce_rate(uint64_t ms, int32_t parent) {
  pthread_t thread;
  if (pthread_create(&thread, NULL, vcpu_thread, NULL) != 0) fail("no thread");
  while (load(&vcpu_line.mode) == 0) sched_yield();
  double rate = median_rate(ms, true, parent);
  store(&round_end, 1);
  pthread_join(thread, NULL);
  for (int32_t page = 0; page < PAGES; page++) {
    if (plain(&guest[page * LINE_WORDS]) != shadow[page]) fail("lost store");
  }
  return rate;
}

/* 31-based hash of all guest words, as in src/stress/thread/vcpu-alone.ts. */
static uint32_t checksum(void) {
  uint32_t hash = 0;
  for (int32_t page = 0; page < PAGES; page++) hash = hash * 31 + (uint32_t)plain(&guest[page * LINE_WORDS]);
  return hash;
}

int main(int argc, char **argv) {
  if (argc != 4) fail("usage: peer rate NAME MS | peer count NAME N");
  const struct mix *mix = NULL;
  for (size_t i = 0; i < sizeof MIXES / sizeof MIXES[0]; i++) {
    if (strcmp(argv[2], MIXES[i].name) == 0) mix = &MIXES[i];
  }
  if (mix == NULL) fail("no such benchmark");
  uint64_t amount = strtoull(argv[3], NULL, 10);
  int32_t parent = setup(mix);
  bool cycles = strcmp(mix->name, "coalesce-cycle") == 0;
  if (strcmp(argv[1], "rate") == 0) {
    double rate = cycles ? coalesce_rate(amount, parent) : median_rate(amount, false, parent);
    printf("{\"name\":\"%s\",\"rate\":%.0f}\n", mix->name, rate);
  } else if (strcmp(argv[1], "count") == 0 && !cycles) {
    run_accesses((int64_t)amount);
    printf("{\"accesses\":%lld,\"walks\":%d,\"stores\":%d,\"checksum\":%u}\n", (long long)completed,
           last.walks, sequence, checksum());
  } else {
    fail("no such mode");
  }
  return 0;
}
