/** `init`: a protocol to start from, its twin with a bug, and what to run. */
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { cameByPrefix, commandLine, shellWord } from '../../../package/command-line.ts';
import { IS_BUILT, PACKAGE_ROOT } from '../../../package/root.ts';
import { EXIT } from '../../../result/exit-code.ts';
import type { Command, CommandInput } from '../../command.ts';
import { START_FILES, type StartLanguage } from './start-files.ts';
import { userFolder, userPath } from '../../../package/paths.ts';
import { BUILT_IN } from '../../../request/registry.ts';
import type { Terminal } from '../../terminal.ts';
import { UsageError } from '../../../request/usage-error.ts';
import { NO_COLOR } from '../../flags/common.ts';
import { switched } from '../../flags/flag.ts';

const FLAGS = {
  c: switched({ help: 'in C, with the words of the kernel', default: 'TypeScript' }),
  seq: switched({ help: 'as a plain sequence of steps', default: 'TypeScript' }),
  'no-color': NO_COLOR,
};

type Input = CommandInput<typeof FLAGS>;

const NAME = /^[a-z0-9]+(-[a-z0-9]+)*$/;
const BUGGY = '-with-a-bug';

/** Writes two files or none: nothing that is there is replaced. */
function init({ flags, positionals }: Input, terminal: Terminal): typeof EXIT.pass {
  const [name = '', folderText = '.'] = positionals;
  if (!NAME.test(name)) {
    throw new UsageError(
      `init: "${name}" is no name: lower-case words joined by hyphens, such as my-protocol`,
    );
  }
  if (BUILT_IN.protocols.some((protocol) => protocol.name === name)) {
    throw new UsageError(`init: ${name} is a built-in protocol; give yours a name of its own`);
  }
  const language = languageOf(flags);
  const { extension, right, wrong, about } = START_FILES[language];
  const folder = userPath(folderText);
  const files = [
    { path: path.join(folder, `${name}.${extension}`), text: right(name) },
    { path: path.join(folder, `${name}${BUGGY}.${extension}`), text: wrong(`${name}${BUGGY}`) },
  ] as const;
  for (const file of files) {
    if (statSync(file.path, { throwIfNoEntry: false })) {
      throw new UsageError(`init: ${asTyped(file.path)} is there already; nothing was written`);
    }
  }
  try {
    mkdirSync(folder, { recursive: true });
    for (const file of files) writeFileSync(file.path, file.text, { flag: 'wx' });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new UsageError(`init: cannot write to ${folderText}: ${why}`);
  }
  const names = files.map((file) => asTyped(file.path));
  const [mine, buggy] = names.map(shellWord);
  terminal.out(
    [
      `wrote ${names[0]}   ${about}`,
      `wrote ${names[1]}   the same with a bug that is easy to write`,
      '',
      'every outcome under the Arm model, and the shortest schedule that shows the bug:',
      `  ${commandLine(`explore -- --protocol ${mine}`)}`,
      `  ${commandLine(`explore -- --protocol ${buggy}`)}`,
      'which of its steps is needed, and what breaks without it:',
      `  ${commandLine(`explore -- --protocol ${mine} --ablate`)}`,
      'on every CPU that it is meant for:',
      `  ${commandLine(`explore -- --protocol ${mine} --matrix`)}`,
      'real threads, beside a protocol of KVM:',
      `  ${commandLine(`stress -- --protocol ${mine},bbm-early --vcpus 1 --time 20s`)}`,
      ...(cameByPrefix() ? [] : fromElsewhere(userFolder())),
      '',
    ].join('\n'),
  );
  return EXIT.pass;
}

function languageOf(flags: Input['flags']): StartLanguage {
  if (flags.c === true && flags.seq === true) {
    throw new UsageError('--c does not go with --seq: one language at a time');
  }
  if (flags.c === true) return 'c';
  return flags.seq === true ? 'seq' : 'ts';
}

/** `npm run` finds the clone's commands from the clone and below it only. */
export function fromElsewhere(folder: string, isBuilt: boolean = IS_BUILT): string[] {
  const isInside = !path.relative(PACKAGE_ROOT, folder).startsWith('..');
  return isBuilt || isInside
    ? []
    : [`from here each \`npm run\` is npm --prefix ${shellWord(PACKAGE_ROOT)} run`];
}

/** As the user would type it where they stand. */
function asTyped(file: string): string {
  const relative = path.relative(userFolder(), file);
  return relative.startsWith('..') ? file : `./${relative}`;
}

export const command: Command<typeof FLAGS> = {
  positionals: { name: '<name> [DIR]', min: 1, max: 2 },
  about:
    'Writes a protocol to start from and its twin with a bug, into DIR or where you stand, and prints ' +
    'the commands to run. The folder may be anywhere; it needs no package.json. Nothing that is there ' +
    'is replaced.',
  examples: [
    { command: 'init -- my-protocol', why: 'in TypeScript, here' },
    { command: 'init -- my-protocol --c ../protocols', why: "in C, with the kernel's words" },
    { command: 'init -- my-protocol --seq', why: 'as a plain sequence of steps' },
  ],
  flags: FLAGS,
  run: init,
};
