/** What the question "is it worth it" is answered from, per row. */
import type { StressRun } from './stress.ts';

export type AnswerFigures = StressRun['answer'];
export type ProtocolCost = AnswerFigures['cost'];
