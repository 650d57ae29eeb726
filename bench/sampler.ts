/**
 * A process that measures one variant of one question: `sampler.ts FILE VARIANT`. The parent sends
 * how many ms to measure and gets a sample; when the parent disconnects, the subject is closed, which
 * may still find that something was wrong.
 */
import type { Subject } from './question.ts';

export type Answer<T> = { readonly sample: T } | { readonly error: string };

/** What a benchmark's file exports, as far as it is needed here. */
interface Openable {
  open(variant: string): Subject<unknown> | Promise<Subject<unknown>>;
}

async function open(file: string, variant: string): Promise<Subject<unknown>> {
  const { question } = (await import(file)) as { question: Openable };
  return question.open(variant);
}

/** Answers the parent until it disconnects. */
function serve(file: string, variant: string): void {
  const subject = open(file, variant);

  async function answer(ms: number): Promise<Answer<unknown>> {
    try {
      return { sample: await (await subject).sample(ms) };
    } catch (error) {
      return { error: error instanceof Error ? (error.stack ?? error.message) : String(error) };
    }
  }

  async function close(): Promise<void> {
    try {
      await (await subject).close();
    } catch (error) {
      process.stderr.write(`${String(error)}\n`);
      process.exitCode = 1;
    }
  }

  process.on('message', (ms: number) => void answer(ms).then((a) => process.send?.(a)));
  process.on('disconnect', () => void close());
}

if (import.meta.main) serve(process.argv[2] ?? '', process.argv[3] ?? '');
