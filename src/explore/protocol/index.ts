/** Protocols against the memory model: see explore.ts. */
export { type ExploreBounds, EXPLORE_BOUNDS } from './bounds.ts';
export {
  type ExploreOptions,
  exploreProtocol,
  ExploreUnsupported,
  ProtocolThrew,
} from './explore.ts';
export { formatSchedule } from './format-schedule.ts';
export {
  type Access,
  type AccessKind,
  describeProgram,
  type GuestProgram,
  guestPrograms,
} from './guest.ts';
