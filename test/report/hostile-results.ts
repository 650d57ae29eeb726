/** Results in which every text a user or a machine can put there is hostile. */
import type { ResultFile } from '../../src/result/read.ts';
import {
  aGrowthResult,
  anExploreResult,
  aSelftestResult,
  SERIES,
  VIOLATED_RUN,
} from './other-results.ts';
import { aResult, aRun, aViolation } from './results.ts';

export function hostileResults(text: string): readonly ResultFile[] {
  const header = {
    reasons: [text],
    argv: ['--protocol', text],
    version: text,
    startedAt: text,
    machine: { ...aResult().machine, model: text, arch: text, kernel: text, notes: [text] },
  };
  const violation = aViolation({
    why: text,
    ipa: text,
    exploreCommand: text,
    events: [{ thread: text, generation: 1, sequence: 1, text }],
  });
  const run = aRun({ protocol: text, scenario: text, delays: text, notes: [text] });
  const [kill] = aSelftestResult().runs;
  const [steps] = VIOLATED_RUN.violations;
  return [
    aResult({
      ...header,
      verdict: 'fail',
      exitCode: 1,
      controls: [{ ...aResult().controls[0], name: text, detail: text } as never],
      runs: [
        { ...run, verdict: 'fail', violations: [violation] },
        { ...run, protocol: 'other', exhibit: text, violations: [violation] },
        { ...run, mutant: text },
      ],
    }),
    anExploreResult({
      ...header,
      runs: [
        {
          ...VIOLATED_RUN,
          protocol: text,
          outcomes: [{ id: text, count: null, grade: 'forbidden', why: text }],
          violations: [
            {
              ...steps,
              why: text,
              token: text,
              steps: [{ thread: text, op: text, detail: text }],
            } as never,
          ],
        },
      ],
    }),
    {
      ...aGrowthResult([
        {
          ...SERIES,
          name: text,
          asks: text,
          x: text,
          y: text,
          conclusion: text,
          points: SERIES.points.map((point) => ({ ...point, label: text })),
          aim: { what: text, met: true },
        },
      ]),
      ...header,
    },
    aSelftestResult({
      ...header,
      runs: [{ ...kill, mutant: text, rule: text, column: text, why: text } as never],
    }),
  ];
}
