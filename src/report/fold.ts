/**
 * Lines that are too long for a terminal, broken between words: what follows stands under the column in
 * which the text of the line begins. Tables fold by columns before they come here (table.ts). A command
 * stays one that can be copied: its lines end with a backslash.
 *
 *     note: second TLBI after clearing nT missing;       replay: npm run replay -- \
 *       what lingers is slow, not wrong (R_GPPYH)           r1:p:rfc-nt-posted:4b0a3d71
 */
import { stripVTControlCharacters } from 'node:util';

const COMMAND = /(?:npm (?:--prefix (?:'[^']*'|\S+) )?run|npx stage2-stress) \S/;
const CONTINUED = ' \\';

export function fold(text: string, columns: number): string {
  return text
    .split('\n')
    .flatMap((line) => foldLine(line, columns))
    .join('\n');
}

export function foldLine(line: string, columns: number): string[] {
  if (width(line) <= columns) return [line];
  const at = COMMAND.exec(line)?.index;
  // A sentence may name a command; a line that is one ends with it.
  const isCommand = at !== undefined && !/[.;:]$/.test(line) && !line.slice(0, at).includes('. ');
  return isCommand ? foldCommand(line, at, columns) : foldWords(line, columns);
}

const width = (text: string): number => stripVTControlCharacters(text).length;

/**
 * Where the text begins: behind the last gap between columns that leaves it half of the line. Of text
 * without columns the lines that follow stand two in.
 */
function headOf(line: string, columns: number): { readonly head: string; readonly hang: number } {
  const heads = [...line.matchAll(/(?<=\S) {2,}(?=\S)/g)].map(({ index, 0: gap }) =>
    line.slice(0, index + gap.length),
  );
  const head = heads.findLast((each) => width(each) <= columns / 2);
  const indent = /^\s*/.exec(line)?.[0] ?? '';
  return head === undefined
    ? { head: indent, hang: Math.min(indent.length + 2, columns / 2) }
    : { head, hang: width(head) };
}

function foldWords(line: string, columns: number): string[] {
  const { head, hang } = headOf(line, columns);
  const [first = '', ...rest] = line.slice(head.length).split(/ +/);
  const lines: string[] = [];
  let now = head + first;
  for (const word of rest) {
    if (width(`${now} ${word}`) <= columns) now += ` ${word}`;
    else {
      lines.push(now);
      now = ' '.repeat(hang) + word;
    }
  }
  return [...lines, now];
}

/**
 * Broken between arguments, or steps of a quoted sequence, where a new line is as good as a blank. A
 * word that is wider than the line is broken where the shell joins it again.
 */
function foldCommand(line: string, at: number, columns: number): string[] {
  const indent = line.length - line.trimStart().length + 2;
  const [head = { text: '', gap: '' }, ...rest] = argumentsOf(line.slice(at));
  const before = line.slice(0, at);
  // Where what says what it is for leaves no room for it, it begins on its own line.
  const isTight = width(before + head.text) > columns - CONTINUED.length && before.trim() !== '';
  const lines = isTight ? foldWords(before.trimEnd(), columns) : [];
  let now = (isTight ? ' '.repeat(indent) : before) + head.text;
  for (const { text, gap } of rest) {
    if (width(`${now} ${text}`) <= columns - CONTINUED.length) now += ` ${text}`;
    else {
      lines.push(now + gap);
      // Further left rather than broken.
      now = ' '.repeat(Math.max(0, Math.min(indent, columns - width(text)))) + text;
    }
  }
  return [...lines, now].flatMap((each) => pieces(each, columns));
}

/** Arguments, and steps of quoted ones, each with what a line that ends before it ends with. */
function argumentsOf(command: string): { readonly text: string; readonly gap: string }[] {
  const all = command.match(/(?:\\.|"[^"]*"|'[^']*'|\S)+/g) ?? [];
  return all.flatMap((argument) =>
    argument.split(/(?<=[;{]) (?=\S)/).map((text, i) => ({ text, gap: i === 0 ? CONTINUED : '' })),
  );
}

/** Between single quotes a shell joins nothing: there they end before the break and begin again behind it. */
function pieces(line: string, columns: number): string[] {
  if (width(line) <= columns) return [line];
  const cut = placeToCut(line, columns - 1);
  const isQuoted = isInQuotes(line.slice(0, cut));
  const at = isQuoted ? placeToCut(line, columns - 2) : cut;
  const isStill = isQuoted && isInQuotes(line.slice(0, at));
  const rest = (isStill ? "'" : '') + line.slice(at);
  return [`${line.slice(0, at)}${isStill ? "'" : ''}\\`, ...pieces(rest, columns)];
}

/** Not behind a backslash, nor behind a quote that is opened only there. */
function placeToCut(line: string, most: number): number {
  const isTorn = /[\\']/.test(line[most - 1] ?? '');
  return isTorn && most > 2 ? placeToCut(line, most - 1) : most;
}

/** Single ones: within double ones a shell joins lines. */
function isInQuotes(text: string): boolean {
  let open = '';
  for (let i = 0; i < text.length; i++) {
    const char = text[i] ?? '';
    if (char === '\\' && open !== "'") i++;
    else if (open === char) open = '';
    else if (open === '' && /['"]/.test(char)) open = char;
  }
  return open === "'";
}
