/**
 * Standard output and standard error when they fail: one line, once, and never a stack. A reader that
 * has seen enough (`list | head`) closes the pipe; that is no reason to lose a result or its exit code.
 */
import { fileProblem } from './files/write-problem.ts';

export interface StreamWatch {
  /** Something that was to be printed is lost, and nobody chose that. */
  readonly hasFailed: boolean;
}

interface Emitter {
  on(event: 'error', listener: (error: Error) => void): unknown;
}

export function watchStreams(
  stdout: Emitter,
  stderr: Emitter,
  say: (line: string) => void,
): StreamWatch {
  const watch = { hasFailed: false };
  let isSaid = false;
  const failed = (error: Error): boolean => {
    const isClosed = 'code' in error && error.code === 'EPIPE';
    if (!isClosed) watch.hasFailed = true;
    return isClosed;
  };
  stdout.on('error', (error) => {
    const why = failed(error)
      ? 'was closed by its reader before all was printed'
      : `could not be written: ${fileProblem(error) ?? error.message}`;
    if (isSaid) return;
    isSaid = true;
    say(`stage2-stress: standard output ${why}\n`);
  });
  // There is nobody left to tell.
  stderr.on('error', failed);
  return watch;
}
