/** Figures of no common kind, read from the rounds of one item of a group. */
import { platform } from 'node:os';
import type { BlockName } from '../../result/figures/blocks.ts';
import { trustOf } from '../../result/trust.ts';
import { ROW } from '../results-area.ts';
import { answerOf } from './answer.ts';
import { migrationOf } from './migration.ts';
import type { Reader, RowFacts } from './reader.ts';
import { stagesOf } from './stages.ts';

/** Undefined where the row has none. */
type ReadBlock = (reader: Reader, facts: RowFacts) => unknown;

export const READ_BLOCKS: Readonly<Record<BlockName, ReadBlock>> = {
  sharesOf: ({ judged, kept }) => (judged === kept ? 'undisturbed rounds' : 'all rounds'),
  stages: ({ sum, judged, seed }) => stagesOf(sum, judged, seed),
  migration: ({ sum, judged, speed, seed }) =>
    migrationOf(sum, judged, speed('idle')?.value ?? null, seed),
  trust: ({ sum, kept, time }, { scheduled, collections }) =>
    trustOf({
      rounds: sum(ROW.round),
      roundsKept: kept.rounds.length,
      roundsDropped: sum(ROW.dropped),
      preemptionKnown: platform() === 'linux',
      scheduled,
      unsettled: sum(ROW.unsettled) > 0,
      collections,
      windows: time('window').count,
      episodes: time('episode').count,
    }),
  answer: ({ judged, kept, idleOnTables, seed }, { protocol, traces, vcpus }) =>
    answerOf(protocol, traces, judged === kept ? kept : null, idleOnTables, vcpus, seed),
};
