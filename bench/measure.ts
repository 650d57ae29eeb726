/** One question from start to end: its variants and the peer in turn, then rows. */
import type { BenchRun } from '../src/result/bench.ts';
import type { NoPeer, Peer } from './peer.ts';
import type { Question } from './question.ts';
import { rowOf } from './rows.ts';
import { type Participant, takeTurns } from './turns.ts';
import { startVariants } from './variant.ts';

export interface Pace {
  /** Samples of each participant. */
  readonly laps: number;
  /** Of one sample. */
  readonly sampleMs: number;
  /** Before the first: until the JIT has nothing more to say. */
  readonly warmUpMs: number;
}

/** Half a minute in all. Of nine laps the second and the eighth hold the median with 96 %. */
export const PACE: Pace = { laps: 9, sampleMs: 150, warmUpMs: 500 };

/** `file`: URL of the question's module. */
export async function measure(
  question: Question,
  file: string,
  peer: Peer | NoPeer,
  pace: Pace,
): Promise<readonly BenchRun[]> {
  const { name, unit, aim, variants, hasPeer } = question;
  const { started, close } = await startVariants(file, variants);
  try {
    for (const variant of started) await variant.sample(pace.warmUpMs);
    const native: Participant | null =
      hasPeer && peer.kind === 'peer' ? { name, sample: (ms) => peer.rate(name, ms) } : null;
    const samples = await takeTurns(
      native === null ? started : [...started, native],
      pace.laps,
      pace.sampleMs,
    );
    const ofPeer = native === null ? null : (samples.at(-1) ?? null);
    return variants.map((variant, i) =>
      rowOf(
        { name: variants.length === 1 ? name : `${name} ${variant}`, unit, aim },
        samples[i] as readonly number[],
        ofPeer,
      ),
    );
  } finally {
    await close();
  }
}
