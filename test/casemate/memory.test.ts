/** What a long log leaves in memory: what it has written, and nothing of its text. */
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { LogReading } from '../../src/casemate/index.ts';
import { block, PAGES, planted } from './logs.ts';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

function heapMegabytes(): number {
  collect();
  return process.memoryUsage().heapUsed / 1e6;
}

it('entries that nobody flushes do not hold on to the text of their log', () => {
  const reading = new LogReading('long.log', 0);
  const log = planted();
  let { next } = log;
  reading.push(log.text);
  // Remarks, which are skipped: a megabyte beside each event.
  const filler = `!${' '.repeat(60_000)}\n`.repeat(16);
  const store = (address: number, value: bigint): string => {
    const fields = `(mem-order plain) (address 0x${address.toString(16)}) (value 0x${value.toString(16)})`;
    const tail = `(src "some_function_of_${address}+0x10") (task 0xffff0000${address})`;
    return `(mem-write (id ${next++}) (tid 0) ${fields} ${tail})\n`;
  };
  const before = heapMegabytes();
  for (let i = 1; i <= 24; i++) {
    const at = PAGES.low + 8 * i;
    reading.push(filler + store(at, block(i * 2 ** 21)) + store(at, 0n) + filler);
  }
  expect(heapMegabytes() - before).toBeLessThan(15);
  reading.end();
  expect(reading.run(false).notJudged).toContain(
    'entries not flushed yet at the end of the log: 24',
  );
});
