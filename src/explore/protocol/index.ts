/** Protocols against the memory model: see explore.ts. */
export { type ExploreBounds, EXPLORE_BOUNDS } from './machine/bounds.ts';
export { installChanceGuards, processorMs } from './run/chance.ts';
export { conclude } from './conclude.ts';
export { exploreProtocol, exploreShare } from './explore.ts';
export { glanceAt } from './glance.ts';
export {
  type Access,
  type AccessKind,
  describeProgram,
  type GuestProgram,
  guestPrograms,
} from './machine/guest.ts';
export { foundBefore, keepFound } from './same-search.ts';
export { TimeLimit } from './run/time-limit.ts';
export {
  type ExploreProgress,
  type Found,
  INTERRUPTED,
  searchesOf,
  type Share,
  wholeShare,
} from './share.ts';
export {
  type Against,
  type ExploreOptions,
  ExploreUnsupported,
  fingerprintOfStart,
  forgetRuns,
  programsFor,
  startExploration,
  type Started,
} from './start.ts';
export { type Replay, ReplayRefused, replayToken } from './replay.ts';
export { decodeToken, type ProtocolSource, type ScheduleToken, TOKEN_LENGTH_MAX } from './token.ts';
