/**
 * Every single-step deletion and weakening of every legal sequence, at every BBM level it is legal
 * at: caught with the sentence that names it, or listed as harmless with the reason.
 */
import type { BbmLevel } from '../../src/arch/feat-bbm.ts';
import { describe, expect, it } from 'vitest';
import { judgeTrace } from '../../src/checker/automaton.ts';
import { HARMLESS, harmless } from './harmless.ts';
import { legalSequences, type Sequence } from './legal-sequences.ts';
import { mutationsOf } from './mutations.ts';
import { type Place, PLACE, traceOf, words } from './trace-builder.ts';

/** A floor, so that the generator cannot fall silent. */
const MUTATIONS_MIN = 200;

const PLACES: readonly Place[] = [
  PLACE,
  { ...PLACE, level: 1, tablePa: 0x2_0000_0000 },
  { ...PLACE, granule: '64k', ipa: 0xe000_0000, pa: 0x2_0000_0000 },
  { ...PLACE, granule: 'tiny', ipa: 0x4000, pa: 0x8000 },
];

interface Outcome {
  readonly label: string;
  readonly said: string;
}

/** Mutations that should be caught and are not, or not with the sentence that names them. */
function missed(sequence: Sequence, place: Place, bbm: BbmLevel): Outcome[] {
  return judgeAll(sequence, place, bbm)
    .filter(({ label, said, says }) => !harmless(sequence.name, label, bbm) && !says.test(said))
    .map(({ label, said }) => ({ label, said }));
}

/** Mutations that are listed as harmless and are accused. */
function accused(sequence: Sequence, place: Place, bbm: BbmLevel): Outcome[] {
  return judgeAll(sequence, place, bbm)
    .filter(({ label, said }) => harmless(sequence.name, label, bbm) && said !== '')
    .map(({ label, said }) => ({ label, said }));
}

function judgeAll(
  sequence: Sequence,
  place: Place,
  bbm: BbmLevel,
): (Outcome & { readonly says: RegExp })[] {
  return mutationsOf(sequence, words(place).g, place).map(({ label, says, steps }) => {
    const { violations } = judgeTrace(traceOf(sequence.kind, steps, place), bbm);
    return { label, says, said: violations.map((violation) => violation.why).join('\n') };
  });
}

const cases = PLACES.flatMap((place) =>
  legalSequences(place).flatMap((sequence) =>
    sequence.legalAt.map((bbm) => {
      const where = `${place.granule} level ${place.level}`;
      return { name: `${sequence.name}, ${where}, BBM level ${bbm}`, sequence, place, bbm };
    }),
  ),
);

describe.each(cases)('$name', ({ sequence, place, bbm }) => {
  it('is caught in every way it can go wrong', () => {
    expect(missed(sequence, place, bbm)).toEqual([]);
  });

  it('is not accused of what is harmless', () => {
    expect(accused(sequence, place, bbm)).toEqual([]);
  });
});

it('there are as many mutations as there were', () => {
  const { g } = words();
  const total = legalSequences().flatMap((s) => mutationsOf(s, g, PLACE)).length;
  expect(total).toBeGreaterThan(MUTATIONS_MIN);
});

it('every harmless entry is needed', () => {
  const { g } = words();
  const used = new Set(
    legalSequences().flatMap((s) =>
      s.legalAt.flatMap((bbm) =>
        mutationsOf(s, g, PLACE).map((mutation) => harmless(s.name, mutation.label, bbm)),
      ),
    ),
  );
  expect(HARMLESS.filter((entry) => !used.has(entry))).toEqual([]);
});
