/** C files for tests, and where a compiler is to be had. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll } from 'vitest';
import { findCompiler } from '../../src/native/compiler.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');

// Compiled once for all tests and runs, where node_modules is, not where the user's own are.
export const CACHE = path.join(ROOT, 'node_modules/.cache');
process.env['XDG_CACHE_HOME'] = CACHE;

/** Null where there is one; else the sentence that says how to get one. */
export const noCompiler: string | null = await findCompiler().then(
  () => null,
  (error: Error) => error.message,
);
if (noCompiler !== null) console.warn(`tests of C are skipped: ${noCompiler}`);

export const HEAD = `#include "stage2-stress.h"
STAGE2_PROTOCOL { .name = "mine", .kind = "coalesce", .summary = "s", .origin = "a test" };
`;
/** A correct protocol with `first` before its steps; that is on line 8. */
export const runWith = (first: string, above = ''): string => `${HEAD}${above}
static void run(const struct transition *t)
{
	kvm_pte_t *childp = kvm_pte_follow(t->old, t->mm_ops);

	${first}
	kvm_set_invalid_pte(t->ptep, t->old);
	kvm_call_hyp(__kvm_tlb_flush_vmid, t->mmu);
	smp_store_release(t->ptep, stage2_merge_state(t->new, childp, t->level + 1));
	stage2_tear_down(childp, t->level + 1);
	dsb(ishst);
}
`;

const folders: string[] = [];
afterAll(() => folders.forEach((folder) => rmSync(folder, { recursive: true, force: true })));

export function folderWith(files: Readonly<Record<string, string | Uint8Array>>): string {
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-c-test-'));
  folders.push(folder);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(folder, name), text);
  return folder;
}
