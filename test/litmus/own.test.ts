/**
 * Our own small tests, each beside a twin that is synchronised in full: their verdicts, and which of them catches which
 * weakening of the model. The reasons stand in the files.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';
import { ABLATIONS, ARCHITECTURES } from '../../src/explore/model/index.ts';
import { runLitmus } from '../../src/litmus/index.ts';

const FOLDER = fileURLToPath(new URL('own', import.meta.url));
const OPTIONS = { arch: ARCHITECTURES, expectFile: `${FOLDER}/verdicts.tsv` };

const CAUGHT_BY = {
  'tlbi-does-not-wait': ['late-store+shootdown', 'new-then-old+bbm'],
  'dsb-does-not-wait-for-tlbi': [
    'flag-after-shootdown',
    'late-store+shootdown',
    'new-then-old+bbm',
    'unmap-alone+tlbi',
    'unmap-flag+local-tlbi',
  ],
  'isb-no-op': ['map-then-flag+ctrl-isb', 'unmap-alone+tlbi', 'unmap-flag+local-tlbi'],
  'tlbi-removes-nothing': [
    'flag-after-shootdown',
    'late-store+shootdown',
    'new-then-old+bbm',
    'unmap-alone+tlbi',
    'unmap-flag+local-tlbi',
  ],
  'no-translation-coherence': ['new-then-old+bbm'],
  'hardware-update-not-atomic': ['dirty-lost+swp'],
  'dsb-does-not-wait-for-updates': ['dirty-then-flag+dsb', 'flag-update+dsb'],
  tso: ['mp'],
  sc: ['mp', 'sb'],
  'no-tlb': ['flag-after-tlbi', 'unmap-alone', 'unmap-flag'],
} as const satisfies Record<keyof typeof ABLATIONS, readonly string[]>;

describe('our own tests', () => {
  it('give the verdicts their comments argue for', async () => {
    const runs = await runLitmus([FOLDER], OPTIONS);

    expect(runs).toHaveLength(52);
    expect(runs.filter((run) => run.agrees !== true)).toEqual([]);
  });

  it.each(Object.entries(ABLATIONS))('catch the weakening %s', async (name, weakening) => {
    const runs = await runLitmus([FOLDER], { ...OPTIONS, weakening });

    const caught = new Set(runs.filter((run) => run.agrees === false).map((run) => run.name));
    expect([...caught].toSorted()).toEqual(CAUGHT_BY[name as keyof typeof ABLATIONS]);
  });
});
