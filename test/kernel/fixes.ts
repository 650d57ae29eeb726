/**
 * Fixes of the kernel's history as edits: each takes the fix back from a tree that has it, or brings it
 * to one that lacks it. An edit finds its place by names alone.
 */
import { PGTABLE } from './trees.ts';

export const BRINGS = 'edit brings it';

export interface Fix {
  readonly commit: string;
  readonly what: string;
  /** Which function shows it, and what it breaks without the fix. */
  readonly offer: string;
  readonly rule: string;
  readonly file: string;
  /** Of its flushes. Default: VHE's. */
  readonly flavour?: 'nvhe';
  /** By what the text looks like: the first that changes something is it. */
  readonly edits: readonly {
    readonly does: 'edit takes it back' | typeof BRINGS;
    readonly change: (text: string) => string;
  }[];
}

/** Within one function of the file. */
export const inside =
  (name: string, from: RegExp, to: string) =>
  (text: string): string =>
    text.replace(new RegExp(`^(?:static )?\\w+ ${name}\\([^;{]*\\{.*?^\\}`, 'ms'), (body) =>
      body.replace(from, to),
    );

const NVHE_TLB = 'arch/arm64/kvm/hyp/nvhe/tlb.c';

export const FIXES: readonly Fix[] = [
  {
    commit: '7e1b2329c205',
    what: "a DSB ISH waits for walks of the host before the VM's VMID is loaded (v6.4)",
    offer: 'map',
    rule: 'wrong-output-address',
    file: NVHE_TLB,
    flavour: 'nvhe',
    edits: [
      {
        does: 'edit takes it back',
        change: inside('enter_vmid_context', /\bdsb\(ish\)/, 'dsb(ishst)'),
      },
      {
        does: BRINGS,
        change: (text) =>
          text.includes('__tlb_switch_to_guest') ? text.replaceAll('dsb(ishst)', 'dsb(ish)') : text,
      },
    ],
  },
  {
    commit: '36e008323926',
    what: 'no level hint when a table is zapped (v6.9)',
    offer: 'unmap-table',
    rule: 'freed-table',
    file: PGTABLE,
    edits: [
      {
        does: 'edit takes it back',
        change: inside('stage2_unmap_put_pte', /\bTLBI_TTL_UNKNOWN\b/, 'ctx->level'),
      },
      {
        does: 'edit takes it back',
        change: inside('stage2_put_pte', /if \(kvm_pte_table\([^;]*?\)\)\s*level = 0;/, ''),
      },
      {
        does: BRINGS,
        change: inside(
          'stage2_unmap_walker',
          /(vmid_ipa,[^;]*), level\)/,
          '$1, childp ? 0 : level)',
        ),
      },
    ],
  },
  {
    commit: '5c646b7e1d8b',
    what: 'a reference is put where a leaf takes the place of a leaf (v5.10)',
    offer: 'remap',
    rule: 'refcount',
    file: PGTABLE,
    edits: [
      {
        does: 'edit takes it back',
        change: inside('stage2_try_break_pte', /mm_ops->put_page\([^;]*;/, ';'),
      },
      {
        does: 'edit takes it back',
        change: inside('stage2_put_pte', /mm_ops->put_page\([^;]*;/, ';'),
      },
      {
        does: 'edit takes it back',
        change: inside('stage2_map_walker_try_leaf', /\bput_page\([^;]*;/, ';'),
      },
    ],
  },
];
