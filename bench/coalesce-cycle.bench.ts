/**
 * How many cycles of a split and a coalesce per second does a real group manage, with one vCPU that
 * faults, repairs and acknowledges all the while? It is what bounds the transitions of a campaign.
 *
 * A whole group through the engine, not a loop of its own: split-eager resets what bbm-early has
 * coalesced, and nothing lies between two transitions. The peer keeps no trace for the checker.
 */
import { DEFAULT_CPU } from '../src/arch/cpu-model.ts';
import { type GroupRequest, runGroup } from '../src/stress/group-run.ts';
import { ROUND_KIND } from '../src/stress/group.ts';
import { createThreadPool } from '../src/stress/pool.ts';
import { type ResultsArea, ROUNDS_KEPT, ROW } from '../src/stress/results-area.ts';
import { answer } from './answer.ts';
import { nsOf, type Question, type Subject } from './question.ts';
import { median } from './turns.ts';

/** As in the peer, CYCLES_PER_CHUNK. */
const CYCLES_PER_ROUND = 256;
const ROUNDS_FIRST = 200;
const ROUNDS_MIN = 20;

const REQUEST: GroupRequest = {
  config: {
    granule: '4k',
    level: 2,
    blocks: 1,
    vcpus: 1,
    transitionsMax: 2 * CYCLES_PER_ROUND + 2,
  },
  scenario: 'adjust-populated',
  items: [{ protocol: { from: 'built-in', name: 'bbm-early' }, cpu: DEFAULT_CPU, bug: null }],
  seed: 1,
  access: 'wasm',
  pattern: 'uniform',
  storesPercent: 50,
  exitEvery: 1024,
  pollsEachAccess: true,
  coldExits: false,
  transitions: CYCLES_PER_ROUND,
  gapNs: 0,
  reorder: false,
  delays: [],
  roundsMax: Number.MAX_SAFE_INTEGER,
  pin: null,
  tokens: 1,
  spins: 2000,
  signs: [],
  stopsAtSign: false,
  budgetMs: null,
};

export const question: Question = {
  name: 'coalesce-cycle',
  asks: 'split-eager and bbm-early in turn beside one vCPU',
  unit: 'cycles/s',
  variants: ['coalesce-cycle'],
  hasPeer: true,
  aim: 0.6,
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
  const pool = createThreadPool();

  async function group(rounds: number): Promise<number> {
    const { signal } = new AbortController();
    const request = { ...REQUEST, roundsMax: rounds };
    const { end, recorded, results } = await runGroup(pool, request, { signal, onTick() {} });
    if (end.kind !== 'done') throw new Error(`the group ended: ${JSON.stringify(end)}`);
    if (recorded.length > 0) throw new Error('bbm-early was accused');
    return cyclesPerSecond(results);
  }

  // Rounds, not time, bound a sample: threads that start late would leave none.
  let rate = await group(ROUNDS_FIRST);
  return {
    async sample(ms) {
      const rounds = Math.round((ms / 1000) * (rate / CYCLES_PER_ROUND));
      rate = await group(Math.max(ROUNDS_MIN, rounds));
      return rate;
    },
    close: () => pool.destroy(),
  };
}

/** The median round, of those in which no thread lost its CPU if there are such. */
function cyclesPerSecond({ rows, control }: ResultsArea): number {
  const kept = Math.min(control[0] ?? 0, ROUNDS_KEPT);
  const undisturbed: number[] = [];
  const all: number[] = [];
  for (let at = 0; at < kept * ROW.fields; at += ROW.fields) {
    if (rows[at + ROW.kind] !== ROUND_KIND.transitions) continue;
    const seconds = (rows[at + ROW.durationNs] as number) / 1e9;
    const rate = (rows[at + ROW.transitions] as number) / seconds;
    all.push(rate);
    if (rows[at + ROW.dropped] === 0) undisturbed.push(rate);
  }
  return median(undisturbed.length > 0 ? undisturbed : all);
}

if (import.meta.main) await answer(question, import.meta.url);
