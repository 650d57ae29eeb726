/**
 * How many cycles of a split and a coalesce per second does a real group manage, with one vCPU that
 * faults, repairs and acknowledges all the while? It is what bounds the transitions of a campaign.
 *
 * A whole group through the engine, not a loop of its own: split-eager resets what bbm-early has
 * coalesced, and nothing lies between two transitions. The peer keeps no trace for the checker.
 */
import { CYCLES_PER_ROUND, cycleRates, runCycles } from '../src/stress/campaign/cycle-run.ts';
import { createThreadPool } from '../src/stress/group/pool.ts';
import { answer } from './answer.ts';
import { nsOf, type Question, type Subject } from './question.ts';
import { median } from './turns.ts';

/** V8 has not compiled what threads of a group do first: a campaign's rounds are those behind them. */
const ROUNDS_COLD = 40;
const ROUNDS_MIN = 30;

export const question: Question = {
  name: 'coalesce-cycle',
  asks: 'split-eager and bbm-early in turn beside one vCPU',
  unit: 'cycles/s',
  variants: ['coalesce-cycle'],
  hasPeer: true,
  aim: 0.4,
  open: openCycles,
  conclude: (runs) =>
    runs
      .map(({ ours, peer }) => {
        const text = `coalesce-cycle: ${(nsOf(ours) / 1000).toFixed(2)} µs per cycle`;
        return peer === null ? text : `${text}, ${(nsOf(peer) / 1000).toFixed(2)} µs in C`;
      })
      .join('; '),
};

/** One pool for all samples, as a campaign has one for all groups. */
async function openCycles(): Promise<Subject> {
  const pool = await createThreadPool();
  const { signal } = new AbortController();

  async function group(rounds: number): Promise<number> {
    const roundsMax = ROUNDS_COLD + rounds;
    const { results } = await runCycles(pool, { roundsMax, budgetMs: null }, signal);
    // Those in which a thread lost its CPU are left out, if there are others.
    const rates = cycleRates(results);
    return median(rates.slice(Math.min(ROUNDS_COLD, Math.floor(rates.length / 2))));
  }

  // Rounds, not time, bound a sample: threads that start late would leave none.
  let rate = await group(ROUNDS_MIN);
  return {
    async sample(ms) {
      const rounds = Math.round((ms / 1000) * (rate / CYCLES_PER_ROUND));
      rate = await group(Math.max(ROUNDS_MIN, rounds));
      return rate;
    },
    close: () => pool.destroy(),
  };
}

if (import.meta.main) await answer(question, import.meta.url);
