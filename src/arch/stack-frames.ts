/** Places in the stack of an error. */

/** A loader may have put a query behind the path, which is no part of it. */
const FRAME = /(?:file:\/\/|[\s(])(\/[^\s()?]+)(?:\?[^\s()]*?)?(:\d+:\d+)/g;

/** Of a stack, the innermost first: `/path/mine.ts:12:9`. */
export function framesIn(stack: string): readonly string[] {
  return [...stack.matchAll(FRAME)].map(([, file = '', place = '']) => file + place);
}
