/** Which line of a protocol's source called the operation that is under way. */
import { foreignTextOf, type SourcePlace } from './foreign.ts';
import type { Protocol } from './protocol.ts';
import { protocolFrame } from './thrown.ts';

/** Asked from within an operation of the port. Null where it is not known. */
export function placeNow(protocol: Pick<Protocol, 'run'>): SourcePlace | null {
  const foreign = foreignTextOf(protocol);
  if (foreign !== null) return foreign.place?.() ?? null;
  const frame = protocolFrame(new Error('where').stack ?? '') ?? '';
  const [, file, line, column] = /^(.*):(\d+):(\d+)$/.exec(frame) ?? [];
  return file === undefined ? null : { file, line: Number(line), column: Number(column) };
}
