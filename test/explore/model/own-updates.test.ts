/** An own update that was seen, while the order of other writes of the entry is still open. */
import { expect, it } from 'vitest';
import { statesOf } from '../../litmus/states.ts';

const CLEAN = '(oa:PA(x), db:0, dbm:1)';

/** Who dirties x loads its entry twice, and stores a flag if that was dirty first and clean then. */
function program(first: 'dirties' | 'other'): string {
  const dirties = [
    ...['STR W0,[X1]', 'LDR X6,[X3]', 'LDR X7,[X3]', 'TST X6,#128', 'B.NE L0'],
    ...['TST X7,#128', 'B.EQ L0', 'STR W0,[X4]', 'L0:'],
  ];
  const other = ['STR X9,[X3]'];
  const columns = first === 'dirties' ? [dirties, other] : [other, dirties];
  const who = first === 'dirties' ? 0 : 1;
  const init = [0, 1].map((p) => `${p}:X0=1; ${p}:X1=x; ${p}:X3=PTE(x); ${p}:X4=f;`).join(' ');
  const rows = Array.from(
    { length: dirties.length },
    (_, i) => `${columns.map((column) => column[i] ?? '').join(' | ')} ;`,
  );
  return [
    ...['AArch64 T', `TTHM=P${who}:HD`],
    `{ pte_x=${CLEAN}; ${init} ${1 - who}:X9=(oa:PA(z)); pte_z=(oa:PA(z)); }`,
    ...['P0 | P1 ;', ...rows, 'locations [f;]', 'exists (true)'],
  ].join('\n');
}

/**
 * The other write stands before the update in an order that is still open, and it need not: what the update is
 * taken for must not count as a write that comes later than the first value. With the other thread first the
 * search would give up what leads to the flag.
 */
it.each(['dirties', 'other'] as const)('does not bind later loads, %s first', (first) => {
  expect(statesOf(program(first), 'ets2')).toEqual(['[f]=0;', '[f]=1;']);
});
