/**
 * Pages lose and regain their write permission all the time: a range is write-protected and flushed,
 * stores to it fault and make it writable again, page by page, and what is left is coalesced.
 */
import { ALL_MAPPED, type Scenario } from './scenario.ts';

export const permissionPingPong: Scenario = Object.freeze<Scenario>({
  name: 'permission-ping-pong',
  summary: 'pages write-protected and made writable by stores, in turn, before each coalesce',
  ...ALL_MAPPED,
  work: { kind: 'disturbed', by: 'permissions' },
  takes: 'protect',
});
