/** A benchmark file as a program: measures its question alone and prints what it comes to. */
import { measure, PACE } from './measure.ts';
import { buildPeer } from './peer.ts';
import type { Question } from './question.ts';
import { reasonsOf, tableOf } from './rows.ts';

const COLUMNS = 100;

/** `file`: the benchmark's own URL. */
export async function answer(question: Question, file: string): Promise<void> {
  const peer = await buildPeer();
  try {
    const runs = await measure(question, file, peer, PACE);
    const noPeer = question.hasPeer && peer.kind === 'none' ? peer.why : null;
    const lines = [question.asks, '', tableOf(runs, COLUMNS), question.conclude(runs)];
    process.stdout.write(`${[...lines, ...reasonsOf(runs, noPeer)].join('\n')}\n`);
  } finally {
    if (peer.kind === 'peer') await peer.remove();
  }
}
