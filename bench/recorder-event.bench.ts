/**
 * What does evidence cost? Every walk, fault and flush leaves one event in the thread's ring; there
 * is no switch for that, because without it a violation could not be explained.
 */
import { createArena } from '../src/machine/arena.ts';
import { createRecorder, EVENT } from '../src/machine/recorder.ts';
import { answer } from './answer.ts';
import { CHUNK } from './mixes.ts';
import { nsOf, type Question, type Subject } from './question.ts';
import { rateOf } from './rate.ts';

export const question: Question = {
  name: 'recorder-event',
  asks: 'one event into the ring of a thread',
  unit: 'events/s',
  variants: ['recorder-event'],
  hasPeer: false,
  aim: null,
  open: openRecorder,
  conclude: (runs) => runs.map((r) => `recorder-event: ${nsOf(r.ours).toFixed(1)} ns`).join('; '),
};

function openRecorder(): Subject {
  const arena = createArena({ granule: '4k', level: 2, blocks: 1, vcpus: 1, transitionsMax: 4 });
  const recorder = createRecorder(arena, 1);
  function events(): void {
    for (let i = 0; i < CHUNK; i++) recorder.event(EVENT.walk, i, 3, i);
  }
  return { sample: (ms) => rateOf(events, CHUNK, ms), close: () => {} };
}

if (import.meta.main) await answer(question, import.meta.url);
