/** What an exploration comes to. Throws if it met a bound: its figures would be the bound's. */
import { type ExploreOptions, exploreProtocol } from '../../src/explore/protocol/index.ts';
import type { Figures } from './growth.ts';

export function exploreFigures(options: ExploreOptions): Figures {
  const { states, executions, stoppedBy } = exploreProtocol(options);
  if (stoppedBy !== null) throw new Error(`the exploration met its bound of ${stoppedBy}`);
  return { states, executions };
}
