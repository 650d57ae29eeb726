/** The program: `node --import ./src/cli/node-guard.js src/cli/main.ts <command> [flags]`. */
import { EXIT, type ExitCode } from '../result/exit-code.ts';
import { exitCodeAfter } from './files/delivery.ts';
import { dispatch } from './dispatch.ts';
import { internalErrorLine } from '../report/internal-error.ts';
import { watchStreams } from './streams.ts';
import { processTerminal } from './terminal.ts';

let ended = false;

const streams = watchStreams(process.stdout, process.stderr, (line) => process.stderr.write(line));
process.on('uncaughtException', (error) => {
  ended = true;
  process.stderr.write(internalErrorLine(error));
  process.exit(EXIT.internal);
});

// Until a command says otherwise: if every thread dies and nothing is left to wait for, Node just
// ends.
process.exitCode = EXIT.internal;
process.on('exit', (code) => {
  if (streams.hasFailed) process.exitCode = exitCodeAfter(code as ExitCode, true);
  if (ended || (code !== EXIT.internal && code !== EXIT.pass)) return;
  const why =
    code === EXIT.pass
      ? 'the process was ended before there was a result (does a protocol call process.exit?)'
      : 'nothing is left to wait for, and no result';
  process.stderr.write(`stage2-stress: internal error: ${why}\n`);
  process.exitCode = EXIT.internal;
});

/** Each is over when all that was to be printed has been, or never will be. */
const PRINTED = [process.stdout, process.stderr].map((stream) => {
  // Now: what others print may be sent elsewhere later (terminal.ts).
  const write = stream.write.bind(stream);
  return async (): Promise<void> => {
    if (!stream.writable) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    write('', () => resolve());
    await promise;
  };
});

const args = process.argv.slice(2);
void run();

async function run(): Promise<void> {
  process.exitCode = await dispatch(args, processTerminal(args.includes('--no-color')));
  ended = true;
  // A reader may take its time: a pager, or a loop in a shell.
  await Promise.all(PRINTED.map((print) => print()));
  // A process that just ends gives its memory back page by page, which takes a second where ten others
  // want two CPUs; and a thread that does not end would keep it.
  process.exit();
}
