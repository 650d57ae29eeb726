/**
 * A protocol file that loaded and then failed: it threw, passed what an operation does not take, or
 * is none. The message names it and the line; exit code 70, as under `stress`.
 */
export class ProtocolFailure extends Error {
  override readonly name = 'ProtocolFailure';
}
