/** What a sentence cites by number is the step of that number beside it, in a search and in its replay. */
import { expect, it } from 'vitest';
import { DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import {
  decodeToken,
  exploreProtocol,
  type GuestProgram,
  replayToken,
} from '../../../src/explore/protocol/index.ts';
import { MUTANTS, subjectOf } from '../../../src/mutants/index.ts';
import { defineProtocol, type Protocol } from '../../../src/port/index.ts';
import { ALL_PROTOCOLS } from '../../../src/protocols/index.ts';
import { runText } from '../../../src/report/text/explore-text.ts';
import { stepNumber } from '../../../src/report/text/schedule-text.ts';
import type { ExploreRun, ExploreStep } from '../../../src/result/explore.ts';

const PROGRAMS: readonly GuestProgram[] = [
  { early: [{ kind: 'load', page: 0 }], late: [{ kind: 'load', page: 0 }] },
];

function mutant(name: string): Protocol {
  const found = MUTANTS.find((each) => each.name === name);
  const protocol = found === undefined ? null : subjectOf(found, 'explore').protocol;
  if (protocol === null) throw new Error(`no mutant ${name} for the explorer`);
  return protocol;
}

function named(name: string): Protocol {
  const protocol = ALL_PROTOCOLS.find((each) => each.name === name);
  if (protocol === undefined) throw new Error(`no protocol is called ${name}`);
  return protocol;
}

interface Citation {
  /** What a sentence says of it, to the left of the number. */
  readonly what: string;
  /** The step of that number. */
  readonly step: string | undefined;
}

/** `TLBI VMALLE1IS (step 4)`, with what stands there. */
function citations(why: string, steps: readonly ExploreStep[]): Citation[] {
  const named = /((?:TLBI|DSB) [^():;]*?) \((?:event|step) (\d+)\)/g;
  return [...why.matchAll(named)].map(([, what = '', number]) => ({
    what,
    step: steps.find((step, i) => stepNumber(step, i) === number)?.detail,
  }));
}

function expectRight(why: string, steps: readonly ExploreStep[]): number {
  const cited = citations(why, steps);
  for (const { what, step } of cited) expect(step).toMatch(new RegExp(`^${what}`));
  return cited.length;
}

const shown = ({ violations }: ExploreRun, by: 'schedule' | 'operations'): number =>
  violations
    .filter((violation) => violation.by === by)
    .reduce((sum, { why, steps }) => sum + expectRight(why, steps), 0);

it.each(['stage1-only-flush', 'leaf-only-flush', 'no-dsb-before-tlbi'])('of %s', (name) => {
  const run = exploreProtocol({
    ...{ protocol: mutant(name), mutant: name, programs: PROGRAMS, vcpus: 2 },
    realGranules: false,
  });
  expect(shown(run, 'operations')).toBeGreaterThan(0);
  expect(shown(run, 'schedule')).toBeGreaterThan(0);
  // And a cause that was told by other numbers is not told again.
  expect(runText(run, (_, text) => text).match(/; cause: /g)).toBeNull();
});

it('of what is left unclean, whose flush comes behind the store', () => {
  const protocol = mutant('gather-stops-at-gap');
  const run = exploreProtocol({ protocol, programs: PROGRAMS, realGranules: false });
  expect(shown(run, 'operations')).toBe(1);
});

it('where steps are left out in between', () => {
  const run = exploreProtocol({ protocol: mutant('hint-from-address'), programs: PROGRAMS });
  const [found] = run.violations;
  const [why, steps] = [found?.why ?? '', found?.steps ?? []];
  expect(steps.length).toBeLessThan(50);
  expect(why).toContain('(event 514)');
  expect(expectRight(why, steps)).toBe(1);
  expect(runText(run, (_, text) => text)).toMatch(/\n    514  TLBI IPAS2E1IS 0x403ff000 ttl=1\n/);
});

it('of what one of two does by itself, and in its replay', () => {
  const protocol = named('bbm-early-locked');
  const weak = defineProtocol({
    ...protocol,
    name: 'weak',
    run: (cpu, t, tables) =>
      protocol.run({ ...cpu, dsb: (kind) => cpu.dsb(kind === 'ish' ? 'ishst' : kind) }, t, tables),
  });
  const against = { protocol: weak, source: { kind: 'file', name: 'weak.ts', text: '' } } as const;
  const run = exploreProtocol({ protocol, against, programs: PROGRAMS, realGranules: false });
  const found = run.violations.find(({ why }) => /^hypervisor 2: .*step/.test(why));
  expect(expectRight(found?.why ?? '', found?.steps ?? [])).toBeGreaterThan(0);
  const token = decodeToken(found?.token ?? '');
  if (token === null) throw new Error('it has a token');
  const again = replayToken(token, protocol, '', DEFAULT_CPU, { protocol: weak, text: '' });
  expect(expectRight(again.violation.why, again.steps)).toBeGreaterThan(0);
});
