/** `init`: what it writes runs as printed, in a folder outside the clone that has no package.json. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { fromElsewhere } from '../../src/cli/commands/init/command.ts';
import { START_FILES } from '../../src/cli/commands/init/start-files.ts';
import { exploreProtocol } from '../../src/explore/protocol/index.ts';
import { loadC } from '../../src/native/index.ts';
import { PACKAGE_ROOT } from '../../src/package/root.ts';
import type { Protocol } from '../../src/port/index.ts';
import { parseSequence, sequenceProtocol } from '../../src/sequence/index.ts';
import { folderWith, noCompiler } from '../native/compiled.ts';
import { emptyFolder, program, typed } from './program.ts';

describe('init', () => {
  it('in TypeScript: both files run where they lie, with the verdicts promised', async () => {
    const folder = emptyFolder();
    const seen = program(['init', 'mine', 'sub/folder'], folder);
    expect([seen.code, seen.err]).toEqual([0, '']);
    const commands = [...seen.out.matchAll(/npm run explore -- (.*)/g)].map(([, args = '']) =>
      args.split(' '),
    );
    expect(commands[0]).toEqual(['--protocol', './sub/folder/mine.ts']);
    expect(commands[2]).toEqual(['--protocol', './sub/folder/mine.ts', '--ablate']);
    expect(seen.out).toContain(`from here each \`npm run\` is npm --prefix ${PACKAGE_ROOT} run\n`);
    // In the clone, below it, and of a package, whose commands are npx's, there is nothing to say.
    expect(fromElsewhere(PACKAGE_ROOT)).toEqual([]);
    expect(fromElsewhere(path.join(PACKAGE_ROOT, 'docs'))).toEqual([]);
    expect(fromElsewhere(folder, true)).toEqual([]);
    const [right, wrong] = await Promise.all(
      commands.slice(0, 2).map((args) => typed(['explore', ...args, '--quiet'], folder)),
    );
    expect([right?.code, right?.err]).toEqual([0, '']);
    expect([wrong?.code, wrong?.err]).toEqual([1, '']);
    expect(wrong?.out).toContain('VIOLATION freed-table');
  });

  it('prints paths as a shell takes them', async () => {
    const { out } = await typed(['init', 'mine', "my dir's"]);
    expect(out).toContain("wrote ./my dir's/mine.ts   ");
    expect(out).toContain(String.raw`explore -- --protocol './my dir'\''s/mine.ts' --ablate`);
  });

  it('as a sequence: a safe one, and one whose table is freed too early', () => {
    const { right, wrong } = START_FILES.seq;
    const verdictOf = (text: string): string =>
      exploreProtocol({ protocol: sequenceProtocol(parseSequence(text)) }).verdict;
    expect(verdictOf(right('mine'))).toBe('safe');
    expect(verdictOf(wrong('mine'))).toBe('violated');
  });

  it.skipIf(noCompiler !== null)('in C: the same', async () => {
    const { right, wrong } = START_FILES.c;
    const folder = folderWith({ 'right.c': right('mine'), 'wrong.c': wrong('mine-with-a-bug') });
    const runs = [];
    for (const name of ['right.c', 'wrong.c']) {
      const { protocol, warnings } = await loadC(path.join(folder, name));
      expect(warnings).toEqual([]);
      runs.push(exploreProtocol({ protocol: protocol as Protocol }));
    }
    expect(runs.map(({ verdict }) => verdict)).toEqual(['safe', 'violated']);
    expect(runs[1]?.violations.map(({ rule }) => rule)).toContain('freed-table');
  });

  it('replaces nothing, and takes names that a protocol may have', async () => {
    const folder = emptyFolder();
    writeFileSync(path.join(folder, 'mine-with-a-bug.c'), 'mine');
    const there = await typed(['init', 'mine', '--c'], folder);
    expect(there.err).toBe(
      'stage2-stress: init: ./mine-with-a-bug.c is there already; nothing was written\n',
    );
    expect([there.code, there.files]).toEqual([2, ['mine-with-a-bug.c']]);
    expect(readFileSync(path.join(folder, 'mine-with-a-bug.c'), 'utf8')).toBe('mine');
    for (const [args, says] of [
      [['init', 'My Protocol'], 'is no name: lower-case words joined by hyphens'],
      [['init', 'bbm-late'], 'bbm-late is a built-in protocol'],
      [['init', 'mine', '--c', '--seq'], '--c does not go with --seq'],
      [['init'], 'init needs <name> [DIR]'],
    ] as const) {
      const seen = await typed(args);
      expect(seen.err).toContain(says);
      expect([seen.code, seen.out, seen.files]).toEqual([2, '', []]);
    }
  });
});

describe('a TypeScript file anywhere', () => {
  it('that imports what this package does not have is told what it has', async () => {
    const folder = emptyFolder();
    mkdirSync(path.join(folder, 'deep'));
    writeFileSync(
      path.join(folder, 'deep/mine.ts'),
      "import { x } from 'stage2-stress/port';\nexport default x;\n",
    );
    const seen = await typed(['explore', '--protocol', './deep/mine.ts'], folder);
    expect(seen.err).toBe(
      "stage2-stress: ./deep/mine.ts: there is no 'stage2-stress/port'; a protocol imports " +
        "from 'stage2-stress/protocol'\n",
    );
    expect(seen.code).toBe(2);
  });
});
