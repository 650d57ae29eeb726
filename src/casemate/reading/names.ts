/**
 * Places and tasks as strings of their own. A piece cut from a text keeps the whole text in memory
 * for as long as it is kept itself, and a log's text comes by the megabyte: an entry that is never
 * flushed would hold on to one for its place's name.
 */

/** Of a kernel there are some hundred; whoever makes up a new one each time gets a new table. */
const NAMES_MAX = 65_536;

const names = new Map<string, string>();

/** The same text, sharing nothing with what it was cut from. */
export function ownName(text: string): string {
  const known = names.get(text);
  if (known !== undefined) return known;
  if (names.size >= NAMES_MAX) names.clear();
  const own = Buffer.from(text, 'utf8').toString('utf8');
  names.set(own, own);
  return own;
}
