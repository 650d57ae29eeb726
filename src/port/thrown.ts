/** One line for an error that came out of a protocol: whose it is, what, and where in its file. */
import path from 'node:path';
import { framesIn } from '../arch/stack-frames.ts';
import { foreignTextOf } from './foreign.ts';
import type { Protocol } from './protocol.ts';

const ROOT = path.resolve(import.meta.dirname, '../..');
const folder = (...names: readonly string[]): string => path.join(ROOT, ...names) + path.sep;
/** Frames from here are what a protocol called, or what called it, */
const OURS = [folder('src'), folder('workers'), `${path.sep}node_modules${path.sep}`];
/** but for those of the built-in ones. */
const PROTOCOLS = [folder('src', 'protocols'), folder('src', 'mutants')];

/** The innermost frame that is a protocol's: in a user's file, or in one of the built-in ones. */
export function protocolFrame(stack: string): string | null {
  const isOurs = (frame: string): boolean =>
    OURS.some((part) => frame.includes(part)) && !PROTOCOLS.some((part) => frame.includes(part));
  const frames = framesIn(stack);
  return frames.find((frame) => !isOurs(frame)) ?? null;
}

/** `protocol mine threw: no DSB is called "sy" (/home/me/mine.ts:12:9)` */
export function thrownBy(protocol: Pick<Protocol, 'name' | 'run'>, error: unknown): string {
  const { name } = protocol;
  const foreign = foreignTextOf(protocol)?.explain(error);
  if (foreign)
    return `protocol ${name} threw: ${foreign.what} (${foreign.where ?? 'no place known'})`;
  // What is no error has no stack; ours would say where it was caught.
  const { message, stack = '' } =
    error instanceof Error ? error : { message: String(error), stack: '' };
  const text = message.replace(/^assertion failed: /, '').replaceAll(/\s*[\r\n]+\s*/g, ' ');
  return `protocol ${name} threw: ${text} (${protocolFrame(stack) ?? 'no place known'})`;
}
