/** What clang and wasm-ld write, as lines for a user: their file, their line, one sentence. */
import { DMB_KINDS, DSB_KINDS } from '../port/cpu.ts';
import { TLBI_KINDS } from '../arch/tlbi.ts';
import { tooMuchMemory } from './compiler.ts';
import type { SourceFile } from './source-tree.ts';

export interface Diagnostic {
  readonly severity: 'error' | 'warning';
  /** `file:line:column`; null where the tool names none. */
  readonly where: string | null;
  readonly what: string;
}

const CLANG_LINE = /^(?<where>\/.*?:\d+:\d+): (?<severity>fatal error|error|warning): (?<what>.*)$/;
const TOOL_LINE =
  /^(?:[\w./-]*(?:clang|wasm-ld|LLVM)[\w.-]*): (?<severity>error|warning): (?<what>.*)$/;

export function diagnosticsIn(output: string): readonly Diagnostic[] {
  return output.split('\n').flatMap((line): Diagnostic[] => {
    const ofSource = CLANG_LINE.exec(line)?.groups;
    const { severity, what, where = null } = ofSource ?? TOOL_LINE.exec(line)?.groups ?? {};
    if (severity === undefined || what === undefined) return [];
    return [{ severity: severity === 'warning' ? 'warning' : 'error', where, what }];
  });
}

/** `file:line:column: what`, of each warning. */
export function warningsIn(output: string): readonly string[] {
  return diagnosticsIn(output).flatMap(({ severity, where, what }) =>
    severity === 'warning' && where !== null ? [`${where}: ${what}`] : [],
  );
}

/** Why there is no module: the first error, and how many more there are. */
export function errorIn(output: string, file: string, tree: readonly SourceFile[]): string {
  const errors = diagnosticsIn(output).filter(({ severity }) => severity === 'error');
  // A macro may have a word twice.
  const counted = errors.filter(
    ({ what, where }, i) =>
      !/^(?:linker command failed|too many errors)/.test(what) &&
      errors.findIndex((other) => other.where === where && other.what === what) === i,
  );
  const [first] = counted;
  if (first !== undefined && !includesHeader(tree)) return withoutHeader(file);
  if (first === undefined) {
    const said = output.trim().split('\n').at(-1) ?? '';
    return `${file}: the compiler failed${said === '' ? ' and does not say why' : `: ${said}`}`;
  }
  const more = counted.length - 1;
  const rest = more === 0 ? '' : ` (and ${more} more error${more === 1 ? '' : 's'})`;
  return `${inOurWords(first, file, tree)}${rest}`;
}

function inOurWords(
  { where, what }: Diagnostic,
  file: string,
  tree: readonly SourceFile[],
): string {
  if (where !== null) return `${where}: ${wordOf(what)}`;
  const missing = /undefined symbol: (?<name>\S+)/.exec(what)?.groups?.['name'];
  if (missing === 'run')
    return `${file}: it has no function \`static void run(const struct transition *t)\``;
  if (missing !== undefined) {
    const place = placeOf(missing, tree) ?? file;
    const why = 'a protocol has no library but stage2-stress.h';
    return `${place}: ${missing} is declared and nowhere defined; ${why}`;
  }
  if (/symbol exported via --export not found: stage2_protocol/.test(what)) {
    return `${file}: it has no STAGE2_PROTOCOL { .name = …, .kind = …, .summary = …, .origin = … };`;
  }
  const needed = /maximum memory too small, (?<bytes>\d+) bytes needed/.exec(what)?.groups?.[
    'bytes'
  ];
  const tooLarge = /memory too large|exceeds|too large/.test(what);
  if (needed !== undefined) {
    return `${file}: ${tooMuchMemory(`${Number(needed).toLocaleString('en')} bytes`)}`;
  }
  return `${file}: ${tooLarge ? tooMuchMemory('too much') : what}`;
}

/** Without it nearly every line is an error, and the first says nothing of the cause. */
function includesHeader(tree: readonly SourceFile[]): boolean {
  return tree.some(({ text }) => /^\s*#\s*include\s*["<][^">]*stage2-stress\.h[">]/m.test(text));
}

function withoutHeader(file: string): string {
  return `${file}: it does not #include "stage2-stress.h"`;
}

/** In words that say what would be right, where clang's do not. */
function wordOf(what: string): string {
  // Versions of clang word it differently, some as an error of C99.
  const [, name] =
    /^(?:call to undeclared|implicit declaration of) function '(\w+)'/.exec(what) ?? [];
  if (name !== undefined) {
    return `call to undeclared function '${name}'; a protocol has no library but stage2-stress.h`;
  }
  // Words that the header makes of a kind that is none.
  const [, family, kind] = /'__s2s_(dsb|dmb|tlbi)_(\w*)'/.exec(what) ?? [];
  if (family === 'dsb') return `no DSB is called ${kind}; there are ${DSB_KINDS.join(', ')}`;
  if (family === 'dmb') return `no DMB is called ${kind}; there are ${DMB_KINDS.join(', ')}`;
  if (family === 'tlbi') return `no TLBI is called ${kind}; there are ${TLBI_KINDS.join(', ')}`;
  // It is an error; which warning it would be elsewhere is nobody's to change.
  return what.replace(/ \[-W[^\]]*\]$/, '');
}

/** Where a name is first used in the text: `file:line:column`. */
export function placeOf(name: string, tree: readonly SourceFile[]): string | null {
  const uses = tree.flatMap(({ path, text }) =>
    text.split('\n').flatMap((line, i) => {
      const column = line.search(new RegExp(`\\b${name}\\b`));
      const isDeclared = /^\s*(?:extern\b|[\w\s*]+\([^;]*\);\s*$)/.test(line) && !/^\s/.test(line);
      return column < 0 ? [] : [{ place: `${path}:${i + 1}:${column + 1}`, isDeclared }];
    }),
  );
  return (uses.find((use) => !use.isDeclared) ?? uses[0])?.place ?? null;
}
