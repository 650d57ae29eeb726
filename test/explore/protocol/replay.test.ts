/** Every violation of every protocol and mutant can be shown again, by its token alone. */
import { describe, expect, it } from 'vitest';
import { parseCpu } from '../../../src/request/cpu-knobs.ts';
import {
  decodeToken,
  exploreProtocol,
  type Replay,
  ReplayRefused,
  replayToken,
  type ScheduleToken,
  TOKEN_LENGTH_MAX,
} from '../../../src/explore/protocol/index.ts';
import type { CpuModel } from '../../../src/arch/cpu-model.ts';
import { MUTANTS } from '../../../src/mutants/index.ts';
import type { Protocol } from '../../../src/port/index.ts';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import { replayCommand } from '../../../src/report/text/explore-text.ts';
import type { ExploreRun, ExploreStep, ExploreViolation } from '../../../src/result/explore.ts';
import { bbmEarlyWith, builtin } from './fixtures.ts';
import { ProtocolFailure } from '../../../src/port/protocol-failure.ts';

const OTHER_CPUS: readonly Partial<CpuModel>[] = [
  { bbm: [0], multihit: 'amalgamate' },
  { bbm: [1], nt: 'conflict', ets: 'none' },
];
const MUTATED = MUTANTS.flatMap(({ seed }) => (seed.kind === 'protocol' ? [seed.protocol] : []));

function decoded(token: string | null): ScheduleToken {
  const found = decodeToken(token ?? '');
  if (found === null) throw new Error(`${token} is no token`);
  return found;
}

function again(protocol: Protocol, token: ScheduleToken): Replay {
  return replayToken(token, protocol, '', parseCpu(token.cpu));
}

const ACCESSES: ReadonlySet<string> = new Set(['load', 'store', 'fault']);

const textOf = ({ thread, op, detail }: ExploreStep): string => `${thread}: ${op} ${detail}`;

/** What is wrong with the replays of a run's violations. */
function complaints(protocol: Protocol, run: ExploreRun): string[] {
  return run.violations.flatMap((violation) => complaintsOn(protocol, violation));
}

function complaintsOn(protocol: Protocol, violation: ExploreViolation): string[] {
  const { rule, by, steps, token } = violation;
  const found: string[] = [];
  if ((token ?? '').length > TOKEN_LENGTH_MAX) found.push(`${token} is too long`);
  const replay = again(protocol, decoded(token));
  if (replay.violation.rule !== rule || replay.violation.by !== by)
    found.push(`${token} is not ${rule}`);
  const whole = replay.steps.map(textOf);
  // What explore has shown is there, in the same order; barriers have no place of their own.
  let at = -1;
  for (const step of steps.filter(({ op }) => op !== 'dsb' && op !== 'isb')) {
    const next = whole.indexOf(textOf(step), at + 1);
    if (next < 0) found.push(`${token}: no "${textOf(step)}" behind step ${at + 1}`);
    else at = next;
  }
  // What comes of the access that breaks the rule may be shown behind it.
  const last = by === 'operations' ? steps.at(-1) : steps.findLast(({ op }) => ACCESSES.has(op));
  if (last === undefined || whole[replay.broken] !== textOf(last))
    found.push(`${token}: step ${replay.broken}`);
  if (by === 'schedule') {
    const told = countable([...steps, ...(violation.toCome ?? [])]);
    if (told.join() !== countable(replay.steps).join()) found.push(`${token}: not all is to come`);
  }
  return found;
}

/** Operations of the hypervisor that a schedule has once, shown or still to come. */
function countable(steps: readonly ExploreStep[]): string[] {
  const isOnce = ({ thread, op, detail }: ExploreStep): boolean =>
    thread === 'hypervisor' &&
    (['dsb', 'dmb', 'isb', 'unlock', 'compare-exchange'].includes(op) ||
      detail.startsWith('entry = '));
  return steps.filter(isOnce).map(textOf).toSorted();
}

describe('what explore finds', () => {
  it.each(MUTATED)('in $name can be shown again', (protocol) => {
    const run = exploreProtocol({ protocol, vcpus: 2, kinds: ['load'] });
    expect(complaints(protocol, run)).toEqual([]);
  });

  it.each(PROTOCOLS)('in $name can be shown again, on CPUs it is not meant for', (protocol) => {
    const runs = OTHER_CPUS.map((cpu) => exploreProtocol({ protocol, cpu }));
    expect(runs.flatMap((run) => complaints(protocol, run))).toEqual([]);
  });

  it.each(MUTATED)('in $name can be shown again, where walkers update descriptors', (protocol) => {
    const run = exploreProtocol({ protocol, cpu: { hafdbs: true }, kinds: ['store'] });
    expect(complaints(protocol, run)).toEqual([]);
  });

  it.each(MUTATED)('in $name can be shown again, beside a second VM', (protocol) => {
    const run = exploreProtocol({ protocol, scenario: 'two-vms', kinds: ['load'] });
    expect(complaints(protocol, run)).toEqual([]);
  });

  it('with an entry of level 1 can be shown again', () => {
    const protocol = builtin('rfc-nt-posted');
    const run = exploreProtocol({ protocol, level: 1 });
    expect(run.violations).not.toEqual([]);
    expect(complaints(protocol, run)).toEqual([]);
  });
});

describe('a replay', () => {
  const broken = bbmEarlyWith((cpu) => {
    cpu.dsb('ishst');
    cpu.tlbi({ kind: 'vmalls12e1is' });
  });
  const run = exploreProtocol({ protocol: broken, vcpus: 2 });
  const stale = decoded(
    run.violations.find(({ rule }) => rule === 'stale-translation')?.token ?? null,
  );

  it('shows all the hypervisor does, every vCPU, and a reason with a rule for every step', () => {
    const { steps } = again(broken, stale);
    const threads = new Set(steps.map(({ thread }) => thread));
    expect([...threads].toSorted()).toEqual(['hypervisor', 'vcpu 0', 'vcpu 1']);
    const host = steps.filter(({ thread }) => thread === 'hypervisor').map(({ op }) => op);
    expect(host.toSorted()).toEqual(
      [
        'write',
        'dsb',
        'tlbi',
        'tlbi',
        'write-release',
        'write',
        'write',
        'dsb',
        'unlock',
      ].toSorted(),
    );
    for (const step of steps) expect(step.why ?? '').not.toBe('');
    const tlbi = steps.filter(({ op }) => op === 'tlbi').map(({ why }) => why);
    expect(tlbi.some((why) => why?.includes('R_YNJCP'))).toBe(true);
  });

  it('is told where the file is, if the token has no room for all of its path', () => {
    const runOf = (name: string): ExploreRun =>
      exploreProtocol({ protocol: broken, source: { kind: 'file', name, text: '' } });
    const [short, long] = [runOf('./mine.ts'), runOf(`${'folder of mine/'.repeat(20)}mine.ts`)];
    expect(short.violations.map(({ replayFile }) => replayFile)).not.toContainEqual(
      expect.anything(),
    );
    for (const violation of long.violations) {
      expect(replayCommand(violation)).toMatch(
        /^npm run replay -- r1:f:\S+ --protocol '(folder of mine\/){20}mine\.ts'$/,
      );
    }
    expect(long.violations).not.toEqual([]);
  });

  it('is refused where the protocol does something else now', () => {
    expect(() => again(builtin('bbm-early'), stale)).toThrow(ReplayRefused);
    expect(() => replayToken(stale, broken, 'other text', {})).toThrow('has changed since');
  });

  it('is refused where the schedule cannot be', () => {
    if (stale.shows.by !== 'schedule') throw new Error('a schedule shows it');
    const { shows } = stale;
    const others = [
      { ...shows, numbers: shows.numbers.toReversed() },
      { ...shows, numbers: shows.numbers.slice(1) },
      { ...shows, numbers: [...shows.numbers, 0] },
      { ...shows, choice: 1 },
      { ...shows, end: 4000 },
      { ...shows, vcpu: 2 },
      { ...shows, program: { early: [{ kind: 'load', page: 3 }], late: [] } as const },
    ];
    for (const other of others) {
      expect(() => again(broken, { ...stale, shows: other })).toThrow(ReplayRefused);
    }
    expect(() =>
      again(broken, { ...stale, shows: { by: 'operations', rule: 'progress' } }),
    ).toThrow('the model has changed');
  });

  it('of a schedule that breaks nothing is refused', () => {
    if (stale.shows.by !== 'schedule') throw new Error('a schedule shows it');
    const { shows } = stale;
    const ends = Array.from({ length: 12 }, (_, end) => ({ ...stale, shows: { ...shows, end } }));
    const kinds = ends.map((token) => {
      try {
        return again(broken, token).violation.rule;
      } catch (error) {
        return error instanceof ReplayRefused ? 'refused' : 'threw';
      }
    });
    expect(kinds).toContain('refused');
    expect(kinds).toContain('stale-translation');
    expect(kinds).not.toContain('threw');
  });

  it('of a protocol that throws now says so', () => {
    const thrower = {
      ...broken,
      run: () => {
        throw new Error('not today');
      },
    };
    expect(() => again(thrower, stale)).toThrow(ProtocolFailure);
  });
});
