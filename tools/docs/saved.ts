/**
 * Views of results that took long: made from the JSON of a real run (runs/), with its machine and seed. To
 * renew one: npm run stress -- --seed 2021 --json tools/docs/runs/portfolio.json, then npm run docs.
 */
import { readFileSync } from 'node:fs';
import { runTables } from '../../src/report/run-tables.ts';
import { configurationOf } from '../../src/result/compare/configuration.ts';
import { killTable } from '../../src/report/text/kill-table.ts';
import { repeatCommand } from '../../src/report/text/header-text.ts';
import { PLAIN } from '../../src/report/paint.ts';
import { readResult, type ResultFile, type StressFile } from '../../src/result/read.ts';
import type { StressRun } from '../../src/result/stress.ts';
import { COLUMNS } from './run-command.ts';

const VIEWS: Readonly<Record<string, (result: ResultFile) => readonly string[]>> = {
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
