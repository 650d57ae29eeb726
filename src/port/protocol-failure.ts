/**
 * The protocol failed: it threw, passed what an operation does not take, does not return, or cannot be
 * explored. Not a bug of the harness: the message names the protocol and the line, and the stack says
 * nothing more. What was thrown is the cause. Exit code 70.
 */
export class ProtocolFailure extends Error {
  override readonly name = 'ProtocolFailure';
}
