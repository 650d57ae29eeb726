/**
 * What is wrong with a request, in words that know its fields and no command line: the library shows
 * them as they are (`repeats 5 share rounds 3`), the command line says its flags in their place
 * (`--repeats 5 share --rounds 3`).
 */
import { UsageError } from './usage-error.ts';

/** A field of a request, and what it holds where that is said with it. */
export interface Mention {
  readonly field: string;
  readonly value?: string | number;
}

type Part = string | Mention;

export class RequestRefused extends UsageError {
  readonly parts: readonly Part[];

  constructor(parts: readonly Part[]) {
    super(sentence(parts, fieldText));
    this.parts = parts;
  }

  /** The sentence with each field as `name` has it. */
  said(name: (mention: Mention) => string): string {
    return sentence(this.parts, name);
  }
}

function sentence(parts: readonly Part[], name: (mention: Mention) => string): string {
  return parts.map((part) => (typeof part === 'string' ? part : name(part))).join('');
}

function fieldText({ field, value }: Mention): string {
  return value === undefined ? field : `${field} ${value}`;
}

export function the(field: string, value?: string | number): Mention {
  return value === undefined ? { field } : { field, value };
}

/**
 * refusal`${the('repeats', 5)} share …`: what to throw, or to say more with. The sentence may go on in a
 * line of its own.
 */
export function refusal(
  texts: TemplateStringsArray,
  ...values: readonly (Mention | RequestRefused | string | number)[]
): RequestRefused {
  const parts = texts.flatMap((broken, i): Part[] => {
    const text = broken.replaceAll(/\s*\n\s*/g, ' ');
    const value = values[i];
    if (value === undefined) return [text];
    if (value instanceof RequestRefused) return [text, ...value.parts];
    return [text, typeof value === 'object' ? value : String(value)];
  });
  return new RequestRefused(parts);
}

/** Puts the field in front of what `action` finds wrong with it. */
export function about<T>(field: string, action: () => T): T {
  try {
    return action();
  } catch (error) {
    if (error instanceof RequestRefused) throw refusal`${the(field)}: ${error}`;
    throw error instanceof UsageError ? refusal`${the(field)}: ${error.message}` : error;
  }
}
