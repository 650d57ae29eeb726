/** Rows of a stress result that can answer the question, each with what the model makes of it. */
import { type BlockLevel, entrySize, geometryOf, type Granule } from '../arch/geometry.ts';
import { bucketsOf, tailOf } from '../result/distribution.ts';
import type { ProtocolCost } from '../result/answer.ts';
import type { Estimate } from '../result/estimate.ts';
import type { StressRun } from '../result/stress.ts';
import { type Exposure, fittedRate, hitProbability } from './hits.ts';
import { type Guest, type Worth, worthOf } from './worth.ts';

/** The vCPUs of the guest are those of the run: what 2 lose is not what 64 would. */
export type GuestMemory = Omit<Guest, 'vcpus'>;

export interface AnswerRow {
  readonly run: StressRun;
  readonly blockBytes: number;
  /** Per coalesced block, all vCPUs together, ns; null where no round counts for times. */
  readonly lostNs: Estimate | null;
  readonly worth: Worth | null;
  /** 99th percentile of episodes, ns; null where there were too few. */
  readonly tailNs: number | null;
  readonly model: ModelFit | null;
  readonly cost: ProtocolCost;
}

/** Share of transitions hit: as the model has it, and the walk rates that it has and would take. */
export interface ModelFit {
  /** From the rate of undisturbed vCPUs. */
  readonly predicted: number;
  readonly observed: Estimate;
  /** Walks per second of one vCPU: undisturbed, and such that the model gives what was observed. */
  readonly walkRate: number;
  readonly fittedRate: Estimate;
}

/**
 * Coalesces of correct or exhibited protocols with nothing put in their way. Vcpus that take turns
 * say nothing of rates: a window finds most of them off their core.
 */
export function answerRows(runs: readonly StressRun[], guest: GuestMemory): readonly AnswerRow[] {
  return runs.flatMap((run) => {
    const { answer } = run;
    const isPlain = run.mutant === null && run.delays === '' && !run.reorder;
    if (answer.kind !== 'coalesce' || !isPlain) return [];
    if (run.scheduling !== 'parallel' || run.transitions === 0) return [];
    // What is wrong has no price.
    if (run.verdict === 'fail') return [];
    const blockBytes = blockSize(run);
    const { lostNs } = answer;
    return [
      {
        run,
        blockBytes,
        lostNs,
        worth:
          lostNs === null
            ? null
            : worthOf(lostNs.value, blockBytes, { ...guest, vcpus: run.vcpus }),
        tailNs: run.episodeNs === null ? null : tailOf(run.episodeNs),
        // Without undisturbed rounds windows and hits are not of the same ones.
        model: lostNs === null ? null : modelFit(run, answer.walkRate),
        cost: answer.cost,
      },
    ];
  });
}

/** A result says granule and level as text and number; it was made by a machine that has them. */
function blockSize({ granule, level }: StressRun): number {
  return entrySize(geometryOf(granule as Granule), level as BlockLevel);
}

function modelFit(run: StressRun, walkRate: Estimate | null): ModelFit | null {
  const exposure = exposureOf(run);
  const { hitShare } = run;
  if (walkRate === null || exposure === null || hitShare === null) return null;
  const rateAt = (share: number): number => fittedRate(exposure, share, run.vcpus);
  return {
    predicted: hitProbability(exposure, walkRate.value, run.vcpus),
    observed: hitShare,
    walkRate: walkRate.value,
    fittedRate: {
      value: rateAt(hitShare.value),
      lo: rateAt(hitShare.lo),
      hi: rateAt(hitShare.hi),
    },
  };
}

/**
 * What can be hit: the time an entry is invalid, and on a CPU that faults on nT the nT time. None of
 * either is nothing to hit; null: they were not measured.
 */
function exposureOf(run: StressRun): Exposure | null {
  const all = run.cpu.nt === 'fault' ? [run.windowNs, run.ntWindowNs] : [run.windowNs];
  const measured = all.filter((times) => times !== null);
  if (measured.length < all.length) return null;
  return measured.filter(({ count }) => count > 0).map(({ histogram }) => bucketsOf(histogram));
}
