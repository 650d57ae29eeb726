/** docs/ablation.md has the table of every built-in protocol, made from searches. */
import { readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, test } from 'vitest';
import { PROTOCOLS } from '../../src/protocols/index.ts';
import { changeText, neededText } from '../../src/report/text/ablation-text.ts';
import { ablated, cpusOf } from './tables.ts';

const FILE = new URL('../../docs/ablation.md', import.meta.url);
const beginOf = (name: string): string => `<!-- table of ${name} -->`;
const END = '<!-- end of table -->';

const cell = (text: string): string => text.replaceAll('|', '\\|');

function tableOf(name: string): string {
  const protocol = PROTOCOLS.find((each) => each.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  const cpus = cpusOf(protocol);
  const rows = ablated(protocol, cpus).map((row) => [
    String(row.step),
    `\`${row.operation}\``,
    changeText(row),
    neededText(row, cpus.length),
  ]);
  const line = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`;
  const head = ['step', 'operation', 'change', 'needed?'];
  return [
    `On ${cpus.map((cpu) => `\`${cpu}\``).join(', ')}:`,
    '',
    ...[line(head), line(head.map(() => '---')), ...rows.map(line)],
  ].join('\n');
}

describe('GOLDEN=write npx vitest run test/ablation writes the tables', () => {
  test.each(PROTOCOLS.map(({ name }) => name))('%s', { timeout: 600_000 }, (name) => {
    const text = readFileSync(FILE, 'utf8');
    const from = text.indexOf(beginOf(name));
    const to = text.indexOf(END, from);
    expect(from).toBeGreaterThan(0);
    const made = `${beginOf(name)}\n\n${tableOf(name)}\n\n`;
    if (process.env['GOLDEN'] === 'write') {
      writeFileSync(FILE, text.slice(0, from) + made + text.slice(to));
      return;
    }
    expect(text.slice(from, to)).toBe(made);
  });
});
