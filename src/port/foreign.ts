/**
 * Protocols whose steps are written in another language than the one that runs here, as a plain
 * sequence or compiled C: what messages and figures need to know of their text.
 */
import type { Protocol } from './protocol.ts';

/** What an error that came out of `run` means in the text it was written in. */
export interface ForeignError {
  /** One line. */
  readonly what: string;
  /** `file:line:column`; null where it is not known. */
  readonly where: string | null;
}

export interface SourcePlace {
  /** Null where there is no file: a sequence from the command line. */
  readonly file: string | null;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  /** Tells steps apart that stand in one place, as those that one word stands for. */
  readonly site?: number;
}

export interface ForeignText {
  /** Lines that hold code; null where there is no text. */
  readonly lines: number | null;
  /** Null for an error that is none of the protocol's: it is described as any other. */
  readonly explain: (error: unknown) => ForeignError | null;
  /** Asked from within an operation that `run` called: where in the text that is. */
  readonly place?: () => SourcePlace | null;
  /** Where its first step, or the function of its steps, stands. */
  readonly start?: SourcePlace | null;
  /** Of an instruction of the compiled module, by its offset in bytes in the file. */
  readonly placeAt?: (offset: number) => SourcePlace | null;
}

const texts = new WeakMap<Protocol['run'], ForeignText>();

/** Says of a `run` that it stands for a text in another language. */
export function isForeign(run: Protocol['run'], text: ForeignText): void {
  texts.set(run, text);
}

/** `protocol`, its text too, with a `run` around its own. */
export function runningBy(protocol: Protocol, run: Protocol['run']): Protocol {
  const text = foreignTextOf(protocol);
  if (text !== null) isForeign(run, text);
  return { ...protocol, run };
}

/** Null for a protocol in JavaScript. */
export function foreignTextOf({ run }: Pick<Protocol, 'run'>): ForeignText | null {
  return texts.get(run) ?? null;
}
