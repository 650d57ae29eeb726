/**
 * Views of results that took long: made from the JSON of a real run (runs/), with its machine and seed. To
 * renew one: npm run stress -- --seed 2021 --json tools/docs/runs/portfolio.json, then npm run docs.
 */
import { readFileSync } from 'node:fs';
import { answerColumns, answerGroups } from '../../src/report/text/answer-text.ts';
import { runColumns } from '../../src/report/columns/index.ts';
import { runTables } from '../../src/report/run-tables.ts';
import { configurationOf } from '../../src/result/compare/configuration.ts';
import { type Column, renderTable } from '../../src/report/table.ts';
import { killTable } from '../../src/report/text/kill-table.ts';
import { repeatCommand } from '../../src/report/text/header-text.ts';
import { PLAIN } from '../../src/report/paint.ts';
import { readResult, type ResultFile, type StressFile } from '../../src/result/read.ts';
import { GUEST_GIB } from '../../src/answer/worth.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { COLUMNS } from './run-command.ts';

const VIEWS: Readonly<Record<string, (result: ResultFile) => readonly string[]>> = {
  'the comparison': (result) => comparison(stressOf(result)),
  'all columns': (result) => {
    const runs = mainRuns(stressOf(result));
    return runTables(runs, result.machine.cpus, COLUMNS, PLAIN).lines.slice(1);
  },
  'the kill table': (result) => {
    if (result.command !== 'selftest') throw new Error(`a kill table of ${result.command}`);
    return killTable(result.runs, COLUMNS, PLAIN);
  },
};

export function savedView(run: string, view: string): string {
  const file = new URL(`runs/${run}.json`, import.meta.url);
  const result = readResult(readFileSync(file, 'utf8'));
  const make = VIEWS[view];
  if (make === undefined) throw new Error(`there is no view "${view}" of a saved run`);
  const { cpus, model, node } = result.machine;
  const day = result.startedAt.slice(0, 10);
  return [
    `$ ${repeatCommand({ ...result, argv: withoutFiles(result.argv) })}`,
    ...make(result),
    `(${day}, ${cpus} CPUs, ${model}, Node ${node.replace('v', '')})`,
    '',
  ].join('\n');
}

/** Where the result was written to is nobody's business. */
function withoutFiles(argv: readonly string[]): readonly string[] {
  return argv.filter((arg, i) => arg !== '--quiet' && arg !== '--json' && argv[i - 1] !== '--json');
}

function stressOf(result: ResultFile): StressFile {
  if (result.command !== 'stress') throw new Error(`a table of stress of ${result.command}`);
  return result;
}

/** Those of the configuration with the most protocols, which is the first. */
function mainRuns({ runs }: StressFile): readonly StressRun[] {
  const [first] = Map.groupBy(runs, configurationOf).values();
  return first ?? [];
}

const COMPARED = new Set([
  'bbm-late',
  'bbm-early',
  'bbm-early-locked',
  'rfc-nt-posted',
  'rfc-nt-intended',
]);

/** A few protocols and the figures that decide between them. */
function comparison(result: StressFile): readonly string[] {
  const runs = mainRuns(result).filter(({ protocol }) => COMPARED.has(protocol));
  const measured = runColumns(runs);
  const named = (title: string, group = ''): Column => {
    const found = measured.find((c) => c.title === title && c.group.startsWith(group));
    if (found === undefined) throw new Error(`the run has no column ${group} ${title}`);
    return found;
  };
  const [group] = answerGroups(runs, GUEST_GIB);
  const worth = answerColumns(group?.rows ?? []);
  const answered = (title: string): Column => {
    const own = worth.find((column) => column.title === title);
    const cells = runs.map((run) => {
      const at = group?.rows.findIndex((row) => row.run === run) ?? -1;
      return own?.cells[at] ?? '-';
    });
    return { ...(own as Column), group: '', cells };
  };
  return [
    runs[0] === undefined ? '' : configurationOf(runs[0]),
    ...renderTable(
      [
        named('protocol'),
        named('verdict'),
        named('hit'),
        named('p50', 'window'),
        named('p99', 'window'),
        { ...answered('per block'), title: 'lost' },
        answered('1 % at'),
      ],
      COLUMNS,
    ),
  ];
}
