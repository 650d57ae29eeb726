/** docs/bugs.md has a row for every mutant, made from what the mutant says of itself; others count them. */
import { readFileSync, writeFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { ENGINES, type Mutant, MUTANTS } from '../../src/mutants/index.ts';

const FILE = new URL('../../docs/bugs.md', import.meta.url);
const BEGIN = '<!-- table of src/mutants; GOLDEN=write npx vitest run test/mutants writes it -->';
const END = '<!-- end of table -->';

const ALONE = 'Convicted by the operations, where more could be expected, and why nobody sees it:';

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ');

function verdictOf(mutant: Mutant, engine: (typeof ENGINES)[number]): string {
  const caught = mutant.caughtBy.find((c) => c.engine === engine);
  if (caught === undefined) return '';
  return caught.by === 'operations' ? 'caught*' : 'caught';
}

function table(): string {
  const head = ['mutant', 'what is wrong', 'evidence', 'rule', ...ENGINES];
  const rows = MUTANTS.map((mutant) => [
    `\`${mutant.name}\``,
    mutant.what,
    mutant.evidence,
    mutant.rule,
    ...ENGINES.map((engine) => verdictOf(mutant, engine)),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function misses(): string {
  const lines = MUTANTS.flatMap((mutant) =>
    mutant.missedBy.map(({ engine, why }) => `- \`${mutant.name}\` by ${engine}: ${why}`),
  );
  return lines.join('\n');
}

/** By operations alone: engines that have the same to say share a line. */
function unseen(): string {
  return MUTANTS.flatMap(({ name, caughtBy }) => {
    const whys = new Set(caughtBy.flatMap((c) => c.unseen ?? []));
    return [...whys].map((why) => {
      const engines = caughtBy.filter((c) => c.unseen === why).map(({ engine }) => engine);
      return `- \`${name}\` by ${engines.join(', ')}: ${why}`;
    });
  }).join('\n');
}

test('the catalogue of bugs says what the mutants say', () => {
  const text = readFileSync(FILE, 'utf8');
  const from = text.indexOf(BEGIN);
  const to = text.indexOf(END);
  expect(from).toBeGreaterThan(0);
  const made = `${BEGIN}\n\n${table()}\n\nWhat cannot catch what, and why:\n\n${misses()}\n\n${ALONE}\n\n${unseen()}\n\n`;
  if (process.env['GOLDEN'] === 'write') {
    writeFileSync(FILE, text.slice(0, from) + made + text.slice(to));
    return;
  }
  expect(text.slice(from, to)).toBe(made);
});

test.each(['README.md', 'CHANGELOG.md'])('%s says how many there are', (name) => {
  const text = readFileSync(new URL(`../../${name}`, import.meta.url), 'utf8');
  const counts = [...text.matchAll(/(\d+) seeded bugs/g)].map(([, count]) => Number(count));
  expect(counts).toEqual([MUTANTS.length]);
});
