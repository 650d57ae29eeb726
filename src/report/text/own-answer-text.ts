/** The answer for figures a user put in, in words. */
import type { OwnAnswer } from '../../answer/own.ts';
import { compact, counted, duration, significant } from '../numbers.ts';
import { alignColumns } from '../table.ts';

export function ownAnswerLines(answer: OwnAnswer): string[] {
  const { windowNs, rate, exitNs, cancels, blockBytes, guest, blocks } = answer;
  const size =
    blockBytes >= 2 ** 30 ? `${blockBytes / 2 ** 30} GiB` : `${blockBytes / 2 ** 20} MiB`;
  const rows: readonly (readonly [string, string])[] = [
    ['hit', `${percent(answer.hitShare)} of coalesces fault at least one vCPU`],
    ['spurious faults', `${significant(answer.faults)} per coalesce`],
    ['vCPU time lost', `${duration(answer.lostNs)} per block`],
    ['', `${duration(answer.perCancelNs)} per cancelled migration`],
    [
      '',
      `${duration(answer.perHourNs)} per hour with ${counted(cancels, 'cancelled migration')}: ` +
        `${percent(answer.shareLost)} of the guest's time`,
    ],
    ['1 % lost at', cancelsText(answer.cancelsForOnePercent)],
  ];
  const exits =
    exitNs === 0
      ? 'the exit itself is taken to cost nothing: say --exit NS'
      : `an exit costs ${duration(exitNs)}`;
  return [
    `With your figures: a window of ${duration(windowNs)}, ${compact(rate)} walks/s per vCPU, ${exits};`,
    `a guest of ${guest.gib} GiB and ${counted(guest.vcpus, 'vCPU')} in ` +
      `${counted(blocks, 'block')} of ${size}`,
    '',
    ...alignColumns(rows).map((line) => `  ${line}`),
    '',
    'By the model 1 - exp(-rate x window): a vCPU meets a window by walking in it, and then waits for',
    'its end. Walks are taken to come at random; a flush that empties the TLB makes them come sooner.',
  ];
}

const few = (n: number): string => (n < 100 ? significant(n) : compact(n));
const percent = (share: number): string => `${significant(100 * share)} %`;

function cancelsText(cancels: number): string {
  return Number.isFinite(cancels)
    ? `${few(cancels)} cancelled migrations per hour`
    : 'no number of cancelled migrations: nothing is lost';
}
