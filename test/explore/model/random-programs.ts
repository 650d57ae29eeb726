/** Random litmus programs of two threads, for properties of the search. */
import fc from 'fast-check';

const INIT =
  '{ x=0; y=5; pte_z=(oa:PA(x)); 0:X0=1; 0:X1=x; 0:X2=y; 0:X3=PTE(x); 0:X4=(oa:PA(y)); 0:X6=(oa:PA(x), valid:0); ' +
  '1:X0=2; 1:X1=x; 1:X2=y; 1:X3=PTE(x); 1:X4=(oa:PA(y)); 1:X6=(oa:PA(x), valid:0); }';

const INSTRUCTIONS = [
  'STR W0,[X1]',
  'STR W0,[X2]',
  'STLR W0,[X2]',
  'STR X4,[X3]',
  'STR X6,[X3]',
  'LDR W5,[X1]',
  'LDR W5,[X2]',
  'LDAR W5,[X2]',
  'LDR X7,[X3]',
  'SWPAL W0,W5,[X2]',
  'EOR W8,W5,W5',
  'LDR W5,[X1,W8,SXTW]',
  'STR W0,[X1,W8,SXTW]',
  'DMB ISH',
  'DMB LD',
  'DMB ST',
  'DSB ISH',
  'ISB',
  'TLBI VMALLE1IS',
  'TLBI VMALLE1',
];

/** What has an effect together only. */
const SEQUENCES = [
  ['DSB ISH', 'TLBI VMALLE1IS', 'DSB ISH'],
  ['STR X6,[X3]', 'DSB ISH', 'TLBI VMALLE1IS', 'DSB ISH'],
  ['LDR W5,[X2]', 'DSB ISH', 'ISB'],
];

const columnOf = (sequences: readonly (readonly string[])[]): fc.Arbitrary<string[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 5, arbitrary: fc.constantFrom(...INSTRUCTIONS.map((line) => [line])) },
        { weight: 1, arbitrary: fc.constantFrom(...sequences) },
      ),
      { minLength: 1, maxLength: 4 },
    )
    .map((parts) => parts.flat());

export const column = columnOf(SEQUENCES);

/** With exclusive accesses among them. */
export const columnWithExclusives = columnOf([
  ...SEQUENCES,
  ['LDXR W5,[X2]', 'STXR W9,W0,[X2]'],
  ['LDAXR W5,[X2]', 'STR W0,[X2]', 'STXR W9,W0,[X2]'],
  ['LDXR W5,[X1]', 'STLXR W9,W0,[X1]'],
]);

export function litmusSource(p0: readonly string[], p1: readonly string[]): string {
  const height = Math.max(p0.length, p1.length);
  const rows = Array.from({ length: height }, (_, i) => `${p0[i] ?? ''} | ${p1[i] ?? ''} ;`);
  const shown = 'locations [0:X5; 0:X7; 1:X5; 1:X7; x; y; PTE(x); fault(P0,x); fault(P1,x);]';
  return ['AArch64 random', INIT, 'P0 | P1 ;', ...rows, shown, 'exists (true)'].join('\n');
}
