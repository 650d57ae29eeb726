/** Operations of a protocol in a promise that it left behind: refused there, where nobody waits. */
import { ProtocolThrew } from '../explore/protocol/index.ts';
import { BadArgument } from '../port/checked-port.ts';

export interface LateOperations {
  /** Throws what was refused since the last look, as the protocol's own failure. */
  readonly check: () => void;
  readonly dispose: () => void;
}

export function watchLateOperations(): LateOperations {
  let found: BadArgument | null = null;
  const onRejection = (error: unknown): void => {
    if (!(error instanceof BadArgument)) throw error;
    found ??= error;
  };
  process.on('unhandledRejection', onRejection);
  return {
    check() {
      const error = found;
      found = null;
      if (error !== null) throw new ProtocolThrew(error.message, { cause: error });
    },
    dispose: () => void process.off('unhandledRejection', onRejection),
  };
}
