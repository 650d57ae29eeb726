/** The verdict of a campaign. */
import { describe, expect, it } from 'vitest';
import { gradeCampaign } from '../../../src/stress/campaign/campaign-grade.ts';
import { aResult, aRun } from '../../report/results.ts';

const [control] = aResult().controls as [ReturnType<typeof aResult>['controls'][0]];
const run = aRun({ verdict: 'pass', violations: [], exhibit: null });
const missed = { ...control, caught: false, twinClean: true };

describe('a control that was missed', () => {
  it('makes a pass worthless', () => {
    expect(gradeCampaign([run], [missed], null, false)).toMatchObject({
      verdict: 'inconclusive',
      exitCode: 3,
    });
  });

  it('leaves the rest judged if it stands for one thing only, which is said', () => {
    const race = { ...missed, name: 'race', standsFor: 'not shown: a race' };
    const grade = gradeCampaign(
      [run],
      [{ ...control, caught: true, twinClean: true }, race],
      null,
      false,
    );
    expect(grade).toMatchObject({ verdict: 'pass', exitCode: 0 });
    expect(grade.reasons).toEqual(['not shown: a race; control race was not caught']);
  });
});

describe('rows without a round', () => {
  const idle = aRun({ verdict: 'inconclusive', violations: [], transitions: 0, rounds: 0 });

  it('are one line together', () => {
    const { reasons, exitCode } = gradeCampaign([run, idle, idle], [], null, false);
    expect(exitCode).toBe(3);
    expect(reasons).toHaveLength(1);
    expect(reasons[0]).toContain('no round ended');
  });
});

it('what was asked for by name and had no time is no pass', () => {
  expect(gradeCampaign([run], [], null, false, true)).toMatchObject({ exitCode: 3 });
  expect(gradeCampaign([run], [], null, false)).toMatchObject({ exitCode: 0 });
});
