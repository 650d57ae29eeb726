/**
 * Parsers of single flag values. Each returns the value or throws a `UsageError` that says what
 * would be right; the caller puts the flag's name in front.
 */
import { UsageError } from './usage-error.ts';
import { suggestion } from './did-you-mean.ts';

export function wholeNumber(min: number, max: number): (text: string) => number {
  return (text) => {
    const value = /^\d{1,16}$/.test(text) ? Number(text) : Number.NaN;
    if (value >= min && value <= max) return value;
    throw new UsageError(`"${text}" is not a whole number from ${min} to ${max}`);
  };
}

export function oneOf<T extends string>(words: readonly T[]): (text: string) => T {
  return (text) => {
    const found = words.find((word) => word === text);
    if (found !== undefined) return found;
    throw new UsageError(`"${text}" is not one of ${words.join('|')}`);
  };
}

export function onOff(text: string): boolean {
  return oneOf(['off', 'on'])(text) === 'on';
}

/** Items between commas. An empty one, or one that is there twice, is a slip of the hand. */
export function listOf<T>(item: (text: string) => T): (text: string) => readonly T[] {
  return (text) => {
    const parts = text.split(',');
    for (const [i, part] of parts.entries()) {
      if (part === '') throw new UsageError(`"${text}" has an empty item: write a,b,c`);
      if (parts.indexOf(part) !== i) throw new UsageError(`"${part}" is there twice`);
    }
    return parts.map(item);
  };
}

export function word(text: string): string {
  if (/\s/.test(text)) throw new UsageError(`"${text}" has a blank in it`);
  return text;
}

export function anyText(text: string): string {
  return text;
}

const UNITS_MS: Readonly<Record<string, number>> = { ms: 1, s: 1000, m: 60_000, h: 3_600_000 };

/** `500ms`, `60s`, `1.5m`, `2h` in milliseconds. A bare number has no unit to guess. */
export function duration(minMs: number, maxMs: number): (text: string) => number {
  return (text) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)(ms|s|m|h)$/.exec(text) ?? [];
    if (amount === undefined || unit === undefined) {
      throw new UsageError(`"${text}" is not a time such as 500ms, 60s, 10m or 2h`);
    }
    const ms = Math.round(Number(amount) * (UNITS_MS[unit] as number));
    if (ms >= minMs && ms <= maxMs) return ms;
    throw new UsageError(`${text} is not within ${minMs}ms and ${maxMs / 3_600_000}h`);
  };
}

const UNITS_BYTES: Readonly<Record<string, number>> = { m: 2 ** 20, g: 2 ** 30 };

/** `256m`, `1.5g` in bytes; letters as of Node's and the JVM's flags, so of 1,024. */
export function memorySize(minBytes: number, maxBytes: number): (text: string) => number {
  return (text) => {
    const [, amount, unit] = /^(\d+(?:\.\d+)?)([mg])$/.exec(text) ?? [];
    if (amount === undefined || unit === undefined) {
      throw new UsageError(`"${text}" is not an amount of memory such as 256m or 4g`);
    }
    const bytes = Math.round(Number(amount) * (UNITS_BYTES[unit] as number));
    if (bytes >= minBytes && bytes <= maxBytes) return bytes;
    throw new UsageError(`${text} is not within ${minBytes / 2 ** 20}m and ${maxBytes / 2 ** 30}g`);
  };
}

/** `key=value`, both there. `example` shows what would be right. */
export function keyValue(text: string, example: string): readonly [string, string] {
  const equals = text.indexOf('=');
  if (equals > 0 && equals < text.length - 1)
    return [text.slice(0, equals), text.slice(equals + 1)];
  throw new UsageError(`"${text}" is not key=value, such as ${example}`);
}

/** One of `names`, for words users make up less often than they mistype them. */
export function nameOf<T extends string>(what: string, names: readonly T[]): (text: string) => T {
  return (text) => {
    const found = names.find((name) => name === text);
    if (found !== undefined) return found;
    throw new UsageError(`there is no ${what} "${text}" ${suggestion(text, names)}`);
  };
}
