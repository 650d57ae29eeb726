/** Figures of no common kind, read from the rounds of one item of a group. */
import { platform } from 'node:os';
import type { BlockName } from '../../result/figures/blocks.ts';
import { trustOf } from '../../result/trust.ts';
import { ROW } from '../results/results-area.ts';
import { answerOf } from './answer.ts';
import { migrationOf } from './migration.ts';
import type { Reader, RowFacts } from './reader.ts';
import { stagesOf } from './stages.ts';

/** Undefined where the row has none. */
type ReadBlock = (reader: Reader, facts: RowFacts) => unknown;

export const READ_BLOCKS: Readonly<Record<BlockName, ReadBlock>> = {
  sharesOf: ({ judged, kept }) => (judged === kept ? 'undisturbed rounds' : 'all rounds'),
  stages: ({ sum, judged, seed }) => stagesOf(sum, judged, seed),
  migration: ({ sum, judged, disturbed, speed, seed }) =>
    migrationOf(sum, disturbed === null ? judged : null, speed('idle')?.value ?? null, seed),
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
  answer: ({ judged, kept, idleOnTables, disturbed, seed }, { protocol, traces, vcpus }) => {
    const quiet = judged === kept && disturbed === null ? kept : null;
    return answerOf(protocol, traces, quiet, disturbed === null ? idleOnTables : null, vcpus, seed);
  },
};
