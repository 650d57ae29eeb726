/** Ctrl-C in the middle of a log, and the line that says how far it is. */
import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { PassThrough } from 'node:stream';
import type { WriteStream } from 'node:tty';
import { expect, it } from 'vitest';
import { checkTrace, FLAGS } from '../../src/cli/commands/check-trace/command.ts';
import { parseCommandLine } from '../../src/cli/parse.ts';
import { block, PAGES, planted } from '../casemate/logs.ts';
import { memoryTerminal } from './memory-terminal.ts';
import { emptyFolder } from './program.ts';

/** Longer than a piece that is read at once: something is left when the first line is drawn. */
const REMARKS = `!${' '.repeat(60_000)}\n`.repeat(50);

/** A terminal whose progress line is looked at each time it is drawn. */
function watched(look: (line: string) => void) {
  const stream = Object.assign(new PassThrough(), { columns: 200 });
  const lines: string[] = [];
  stream.on('data', (part: Buffer) => {
    const text = String(part);
    if (!text.includes('events')) return;
    lines.push(text);
    look(text);
  });
  return { lines, terminal: { ...memoryTerminal(), progress: stream as unknown as WriteStream } };
}

function logs(): { bad: string; good: string } {
  const folder = emptyFolder();
  const [bad, good] = [path.join(folder, 'bad.log'), path.join(folder, 'good.log')];
  const log = planted().write(PAGES.low, 0n).write(PAGES.low, block(0x8000_0000));
  const { next } = log;
  const rest = planted().text.replaceAll(/\(id (\d+)\)/g, (_, id) => `(id ${next + Number(id)})`);
  writeFileSync(bad, log.text + REMARKS + rest);
  writeFileSync(good, planted().text);
  return { bad, good };
}

it('Ctrl-C ends the reading: what was read is judged, what was not is said', async () => {
  const { bad, good } = logs();
  const { terminal, lines } = watched(() => void process.emit('SIGINT', 'SIGINT'));
  const result = await checkTrace(parseCommandLine('check-trace', FLAGS, [bad, good]), terminal);
  expect(lines).toHaveLength(1);
  expect(terminal.printed.err).toContain('SIGINT: reporting what was judged so far');
  // The second log was not begun, and is not said to be clean.
  expect(result.runs).toMatchObject([
    { file: bad, verdict: 'violated', events: planted().next + 1 },
  ]);
  expect(result.runs[0]?.notJudged[0]).toMatch(/^stopped after \d+ events: what follows was not/);
  // A violation is one however little was read.
  expect(result).toMatchObject({ interrupted: true, verdict: 'fail', exitCode: 1 });
});

it('without a violation the exit code is that of Ctrl-C', async () => {
  const { bad } = logs();
  const { terminal } = watched(() => void process.emit('SIGINT', 'SIGINT'));
  writeFileSync(bad, planted().text + REMARKS);
  const result = await checkTrace(parseCommandLine('check-trace', FLAGS, [bad]), terminal);
  expect(result).toMatchObject({ exitCode: 130, runs: [{ verdict: 'not-judged' }] });
});

it('the line says how much of the file, how many events and causes, and which file', async () => {
  const { bad } = logs();
  const { terminal, lines } = watched(() => {});
  await checkTrace(parseCommandLine('check-trace', FLAGS, [bad, '--quiet']), terminal);
  expect(lines).toEqual([]);
  await checkTrace(parseCommandLine('check-trace', FLAGS, [bad]), terminal);
  expect(lines[0]).toMatch(/^\d+ % {2}\d+ events {2}1 causes of violations {2}.*bad\.log$/);
});
