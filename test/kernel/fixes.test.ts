/** Fixes of the kernel's history on trees at hand: convicted without the fix, clean with it. */
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, test } from 'vitest';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { loadKernel } from '../../src/kernel/index.ts';
import { BRINGS, FIXES, type Fix } from './fixes.ts';
import { editedCopy, keepOutOfHere, noTree, REAL_TREES, type RealTree } from './real-trees.ts';

const DOCUMENT = readFileSync(new URL('../../docs/kernels.md', import.meta.url), 'utf8');
keepOutOfHere();

const nameOf = ({ offer, flavour }: Fix): string =>
  `kernel:${offer}${flavour === undefined ? '' : `,${flavour}`}`;

async function rulesOf(folder: string, name: string): Promise<readonly string[]> {
  const { protocol } = await loadKernel(path.join(folder, name));
  return exploreProtocol({ protocol, kinds: ['load'] }).violations.map(({ rule }) => rule);
}

/** What was done to the tree, and a copy of it; null: its text has nothing of the fix. */
function editOf(tree: RealTree, { file, edits }: Fix): { does: string; copy: string } | null {
  for (const { does, change } of edits) {
    const copy = editedCopy(tree, file, change);
    if (copy !== null) return { does, copy };
  }
  return null;
}

const CASES = REAL_TREES.flatMap((tree) =>
  FIXES.flatMap((fix) => {
    const edit = noTree === null ? editOf(tree, fix) : null;
    return edit === null ? [] : [{ tree, fix, edit, commit: fix.commit, version: tree.version }];
  }),
);

describe.skipIf(noTree !== null)('a fix taken back or brought, as docs/kernels.md has it', () => {
  test.each(CASES)('$commit in v$version', { timeout: 600_000 }, async ({ tree, fix, edit }) => {
    const { commit, rule } = fix;
    const name = nameOf(fix);
    const [asIs, edited] = [await rulesOf(tree.folder, name), await rulesOf(edit.copy, name)];
    const [without, having] = edit.does === BRINGS ? [asIs, edited] : [edited, asIs];
    expect(having).toEqual([]);
    expect(without).toContain(rule);
    const row = `| ${commit} | v${tree.version}, ${edit.does} | \`${name}\` | ${rule} | safe |`;
    // Of a tree that the document does not have there is no row.
    expect(DOCUMENT.includes(`v${tree.version} `) ? DOCUMENT : row).toContain(row);
  });

  test('every tree at hand has something of each fix', () => {
    expect(CASES).toHaveLength(REAL_TREES.length * FIXES.length);
  });
});

test('edits of trees that nobody has find nothing to change', () => {
  for (const { edits } of FIXES)
    for (const { change } of edits) expect(change('int x;')).toBe('int x;');
});
