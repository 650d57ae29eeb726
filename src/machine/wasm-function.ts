/**
 * One WebAssembly function over a shared memory, from its instructions: for the few operations that
 * JavaScript has no word for. Loads that must be 64 bits wide, atomic and free of allocation, and whole
 * table pages at a time.
 */

/** Unsigned LEB128. */
export function leb(n: number): number[] {
  const bytes: number[] = [];
  do {
    const more = n > 0x7f;
    bytes.push((n & 0x7f) | (more ? 0x80 : 0));
    n >>>= 7;
  } while (n !== 0);
  return bytes;
}

/** Signed LEB128, as the operands of `i32.const` and `i64.const` are written. */
export function signedLeb(value: number | bigint): number[] {
  const bytes: number[] = [];
  for (let rest = BigInt(value); ;) {
    const byte = Number(rest & 0x7fn);
    rest >>= 7n;
    if ((rest === 0n && (byte & 0x40) === 0) || (rest === -1n && (byte & 0x40) !== 0)) {
      return [...bytes, byte];
    }
    bytes.push(byte | 0x80);
  }
}

const name = (s: string): number[] => [...leb(s.length), ...Array.from(s, (c) => c.charCodeAt(0))];
const section = (id: number, body: number[]): number[] => [id, ...leb(body.length), ...body];

export const I32 = 0x7f;
export const I64 = 0x7e;
export const V128 = 0x7b;

/**
 * `parameters` i32 parameters, one i32 result. `locals` is the type of each further local, `code`
 * the instructions up to and without the final `end`.
 */
export function wasmFunction(
  memory: WebAssembly.Memory,
  parameters: number,
  locals: readonly number[],
  code: readonly number[],
): (...args: number[]) => number {
  const types = Array.from({ length: parameters }, () => I32);
  const declared = [...leb(locals.length), ...locals.flatMap((type) => [1, type])];
  const body = [...declared, ...code, 0x0b];
  const bytes = new Uint8Array([
    ...[0x00, 0x61, 0x73, 0x6d, 0x01, 0x00, 0x00, 0x00],
    ...section(1, [0x01, 0x60, ...leb(parameters), ...types, 0x01, I32]),
    ...section(2, [0x01, ...name('m'), ...name('memory'), 0x02, 0x03, 0x00, ...leb(65_536)]),
    ...section(3, [0x01, 0x00]),
    ...section(7, [0x01, ...name('run'), 0x00, 0x00]),
    ...section(10, [0x01, ...leb(body.length), ...body]),
  ]);
  const instance = new WebAssembly.Instance(new WebAssembly.Module(bytes), { m: { memory } });
  return instance.exports['run'] as (...args: number[]) => number;
}
