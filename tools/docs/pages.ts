/**
 * Pages of documentation whose outputs are made, not typed:
 *
 *     <!-- output: explore -- --protocol rfc-nt-posted -->
 *     (the command and what it prints, in a fence)
 *     <!-- end of output -->
 *
 * `output: saved RUN, VIEW` is of a result in tools/docs/runs, for what takes long (saved.ts). `| from A
 * to B` behind a command leaves out the lines before the one with A and those after the next one with B.
 */
import { readdirSync, readFileSync } from 'node:fs';
import { printedBy, wordsOf } from './run-command.ts';
import { savedView } from './saved.ts';

const ROOT = new URL('../../', import.meta.url);
const OUTPUT = /<!-- output: (.*) -->\n[^]*?<!-- end of output -->/g;
const REPLAY_OF = /^replay -- TOKEN of (.*)$/;

export const fileOf = (page: string): URL => new URL(page, ROOT);

export const textOf = (page: string): string => readFileSync(fileOf(page), 'utf8');

/** README and docs, by their paths in the repository. */
export function pages(): readonly string[] {
  const docs = readdirSync(new URL('docs/', ROOT)).filter((name) => name.endsWith('.md'));
  return ['README.md', ...docs.map((name) => `docs/${name}`)];
}

/** The recipes of the outputs in a page. */
export function outputsIn(text: string): readonly string[] {
  return [...text.matchAll(OUTPUT)].map(([, recipe = '']) => recipe);
}

/** The page with every output made anew. */
export async function rendered(text: string): Promise<string> {
  const made = new Map<string, string>();
  for (const recipe of outputsIn(text)) made.set(recipe, await outputOf(recipe));
  return text.replaceAll(
    OUTPUT,
    (_, recipe: string) =>
      `<!-- output: ${recipe} -->\n\`\`\`\n${made.get(recipe)}\`\`\`\n<!-- end of output -->`,
  );
}

/** What depends on the hour: times, and the room that columns of times take. */
export function masked(text: string): string {
  return text
    .replaceAll(/ *\b(?:\d+m \d+s|\d+(?:\.\d+)? s)\b/g, ' # s')
    .replaceAll(/ +time$/gm, ' time');
}

async function outputOf(recipe: string): Promise<string> {
  const [, run, view] = /^saved (\S+), (.*)$/.exec(recipe) ?? [];
  if (run !== undefined && view !== undefined) return savedView(run, view);
  const [command = '', part] = recipe.split(' | ');
  const line = await withToken(command);
  const shown = command.includes('--') ? line : command;
  return `$ npm run ${shown}\n${partOf(await printedBy(argsOf(line)), part)}`;
}

/** `explore -- --matrix` as the program gets it. */
function argsOf(line: string): string[] {
  const [command = '', ...rest] = wordsOf(line);
  return [command, ...rest.filter((word, i) => !(i === 0 && word === '--'))];
}

/** `replay -- TOKEN of COMMAND`: the first token that the command prints. */
async function withToken(command: string): Promise<string> {
  const [, source] = REPLAY_OF.exec(command) ?? [];
  if (source === undefined) return command;
  const [token] = /\br\d+:\S+/.exec(await printedBy(argsOf(source))) ?? [];
  if (token === undefined) throw new Error(`${source} prints no token`);
  return `replay -- ${token}`;
}

/** The lines from one text to the next, both included. */
function partOf(text: string, part: string | undefined): string {
  if (part === undefined) return text;
  const [, from = '', to = ''] = /^from (.*) to (.*)$/.exec(part) ?? [];
  const lines = text.split('\n');
  const first = lines.findIndex((line) => line.includes(from));
  const last = lines.findIndex((line, i) => i >= first && line.includes(to));
  if (first < 0 || last < 0) throw new Error(`nothing from "${from}" to "${to}" is printed`);
  return [
    ...(first === 0 ? [] : ['…']),
    ...lines.slice(first, last + 1),
    ...(lines.slice(last + 1).every((line) => line === '') ? [] : ['…']),
    '',
  ].join('\n');
}
