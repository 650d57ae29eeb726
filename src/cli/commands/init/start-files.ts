/** What `init` writes, by language: a correct protocol and one with a bug. */

export type StartLanguage = 'ts' | 'c' | 'seq';

interface StartFiles {
  readonly extension: string;
  /** What the first file is, for the line that names it. */
  readonly about: string;
  /** Text of the correct one and of its twin, by name. */
  readonly right: (name: string) => string;
  readonly wrong: (name: string) => string;
}

const RIGHT = 'invalidate, flush the VMID, block, tear down';
const WRONG = 'invalidate, tear down, flush the VMID, block';

const ts = (name: string, summary: string, head: string, steps: string): string => `/**
 * ${head}
 *
 * A protocol is a plain function: it touches table entries only through \`cpu\`, and does the same again
 * when it reads the same. \`t.old\` is the table it begins with, \`t.wanted\` the block to arrive at.
 */
import { childLevel, defineProtocol, flushVmid, VALID } from 'stage2-stress/protocol';

export default defineProtocol({
  name: '${name}',
  kind: 'coalesce', // table to block; 'split' is block to table
  summary: '${summary}',
  origin: 'mine',
  claims: {}, // { neverInvalid: true } if no access may fault meanwhile
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, t.old & ~VALID);
${steps}
    cpu.dsb('ishst');
  },
});
`;

const TS_FLUSH = `    // DSB ISHST; TLBI VMALLS12E1IS; DSB ISH; ISB
    flushVmid(cpu);`;
const TS_BLOCK = `    cpu.writeRelease(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));`;
const TS_FREE = `    tables.tearDown(child, childLevel(t.level));`;

/** As the kernel indents. */
const tabbed = (text: string): string =>
  text.replaceAll(/^(?: {2})+/gm, (blanks) => '\t'.repeat(blanks.length / 2));

const c = (name: string, summary: string, head: string, steps: string): string =>
  tabbed(`/*
 * ${head}
 *
 * Each of the kernel's words is one operation of the simulated machine: include/stage2-stress.h lists
 * them. t->old is the table it begins with, t->new the block to arrive at.
 */
#include "stage2-stress.h"

STAGE2_PROTOCOL {
  .name = "${name}",
  .kind = "coalesce", /* table to block; "split" is block to table */
  .summary = "${summary}",
  .origin = "mine",
  /* .never_invalid = true, if no access may fault meanwhile */
};

static void run(const struct transition *t)
{
  kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

  kvm_set_invalid_pte(t->ptep, t->old);
${steps}
  dsb(ishst);
}
`);

const C_FLUSH = `  /* dsb(ishst); __tlbi(vmalls12e1is); dsb(ish); isb() */
  kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);`;
const C_BLOCK = `  smp_store_release(t->ptep, stage2_merge_state(t->new, childp, t->level + 1));`;
const C_FREE = `  stage2_tear_down(childp, t->level + 1);`;

const seq = (head: string, steps: string): string => `# ${head}
#
# One step a line. The entry holds a table and shall hold a block: str, stlr and cas store to it.

str 0                 # invalid from here on
${steps}
dsb ishst
`;

const SEQ_FLUSH = `dsb ishst
tlbi vmalls12e1is
dsb ish               # the TLBI is complete
isb`;
const SEQ_BLOCK = `merge                 # access flag and dirty state of the pages, into the block
stlr block`;
const SEQ_FREE = `free child            # the old table`;

const GOOD = (name: string): string => `${name}: break-before-make, from a table to a block.`;
const BAD = (name: string): string =>
  `${name}: the table is freed before the flush, while a vCPU may still walk it.`;

export const START_FILES: Readonly<Record<StartLanguage, StartFiles>> = {
  ts: {
    extension: 'ts',
    about: 'break-before-make in TypeScript',
    right: (name) => ts(name, RIGHT, GOOD(name), [TS_FLUSH, TS_BLOCK, TS_FREE].join('\n')),
    wrong: (name) => ts(name, WRONG, BAD(name), [TS_FREE, TS_FLUSH, TS_BLOCK].join('\n')),
  },
  c: {
    extension: 'c',
    about: 'break-before-make in C',
    right: (name) => c(name, RIGHT, GOOD(name), [C_FLUSH, C_BLOCK, C_FREE].join('\n')),
    // What reads the pages' state goes before the teardown; where it frees too early is the bug.
    wrong: (name) => c(name, WRONG, BAD(name), [C_FREE, C_FLUSH, C_BLOCK].join('\n')),
  },
  seq: {
    extension: 'seq',
    about: 'break-before-make as a sequence',
    right: (name) => seq(GOOD(name), [SEQ_FLUSH, SEQ_BLOCK, SEQ_FREE].join('\n')),
    wrong: (name) => seq(BAD(name), [SEQ_FREE, SEQ_FLUSH, SEQ_BLOCK].join('\n')),
  },
};
