/** From samples to rows, verdict and table: pure, and the only place that compares. */
import { assert } from '../src/arch/assert.ts';
import { significant } from '../src/report/numbers.ts';
import { type Column, renderTable } from '../src/report/table.ts';
import type { BenchRun } from '../src/result/bench.ts';
import type { Question } from './question.ts';
import { median, medianInterval } from './turns.ts';

/** `peer`: samples taken in turn with `ours`, as many; null if there is no peer. */
export function rowOf(
  what: Pick<Question, 'name' | 'unit' | 'aim'>,
  ours: readonly number[],
  peer: readonly number[] | null,
): BenchRun {
  const { name, unit, aim } = what;
  const rate = median(ours);
  if (peer === null) {
    const interval = medianInterval(ours);
    return {
      name,
      unit,
      ours: rate,
      peer,
      ratio: null,
      aim,
      met: null,
      interval,
      laps: ours.length,
    };
  }
  assert(peer.length === ours.length, `${ours.length} samples of ours, ${peer.length} of the peer`);
  const peerRate = median(peer);
  const ratio = rate / peerRate;
  const [lo, hi] = medianInterval(ours.map((sample, lap) => sample / (peer[lap] as number)));
  return {
    name,
    unit,
    ours: rate,
    peer: peerRate,
    ratio,
    aim,
    met: aim === null ? null : ratio >= aim,
    // A ratio of medians need not lie among the ratios of the laps.
    interval: [Math.min(lo, ratio), Math.max(hi, ratio)],
    laps: ours.length,
  };
}

/** What a reader must know beside the figures. A missed aim is a finding, no violation. */
export function reasonsOf(runs: readonly BenchRun[], noPeer: string | null): string[] {
  const reasons = noPeer === null ? [] : [`not compared with the native peer: ${noPeer}`];
  for (const { name, ratio, aim, met } of runs) {
    if (met !== false) continue;
    reasons.push(`${name}: ${significant(ratio ?? 0)} of C, the aim is ${aim}`);
  }
  return reasons;
}

export function tableOf(runs: readonly BenchRun[], columnsMax: number): string {
  const column = (title: string, cell: (run: BenchRun) => string): Column => ({
    group: '',
    title,
    align: 'right',
    cells: runs.map(cell),
  });
  const columns: Column[] = [
    { ...column('benchmark', (r) => r.name), align: 'left' },
    { ...column('unit', (r) => r.unit), align: 'left' },
    column('ours', (r) => millions(r.ours)),
    column('peer', (r) => (r.peer === null ? '-' : millions(r.peer))),
    column('ratio', (r) => (r.ratio === null ? '-' : r.ratio.toFixed(2))),
    column('95 %', ({ ratio, interval: [lo, hi] }) =>
      ratio === null
        ? `${millions(lo)} to ${millions(hi)}`
        : `${lo.toFixed(2)} to ${hi.toFixed(2)}`,
    ),
    column('aim', (r) => (r.aim === null ? '-' : r.aim.toFixed(2))),
    column('met', (r) => (r.met === null ? '-' : r.met ? 'yes' : 'NO')),
  ];
  return `${renderTable(columns, columnsMax).join('\n')}\n`;
}

const millions = (rate: number): string => `${significant(rate / 1e6)}M`;
