/** `node bench/main.ts [--json FILE]`: the entry until a command of the program runs it. */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { formatJson } from '../src/report/json.ts';
import { EXIT } from '../src/result/exit-code.ts';
import { runBench } from './index.ts';
import { benchText } from './text.ts';

async function main(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({ args: [...argv], options: { json: { type: 'string' } } });
  const interrupt = new AbortController();
  for (const name of ['SIGINT', 'SIGTERM'] as const) process.once(name, () => interrupt.abort());
  const result = await runBench({
    argv,
    signal: interrupt.signal,
    onProgress: (text) => process.stderr.write(`${text}\n`),
  });
  if (values.json !== undefined) writeFileSync(values.json, formatJson(result));
  process.stdout.write(benchText(result, process.stdout.columns ?? 100));
  return result.exitCode;
}

try {
  process.exitCode = await main(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`bench: ${error instanceof Error ? error.message : String(error)}\n`);
  const code = error instanceof TypeError && 'code' in error ? String(error.code) : '';
  process.exitCode = code.startsWith('ERR_PARSE_ARGS') ? EXIT.usage : EXIT.internal;
}
