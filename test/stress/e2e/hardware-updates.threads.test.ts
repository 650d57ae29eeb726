/**
 * `stress --cpu hafdbs=on` end to end: walkers that set access flag and dirty state make no correct
 * protocol guilty of anything, in any scenario.
 */
import { describe, expect, it } from 'vitest';
import { PROTOCOLS } from '../../../src/protocols/index.ts';
import { mayPass, SCENARIOS } from '../../../src/scenarios/index.ts';
import { PROTOCOL, rowOf, stress } from './stress.ts';

const CORRECT = PROTOCOLS.filter((p) => p.exhibit === undefined);
const able = CORRECT.filter((p) => SCENARIOS.every((scenario) => mayPass(scenario, p)));

describe('on a CPU that updates descriptors', () => {
  it('every scenario is passed', async () => {
    const { code, result } = await stress(
      ...['--cpu', 'hafdbs=on', '--protocol', able.map((p) => p.name).join(',')],
      ...['--scenario', SCENARIOS.map((s) => s.name).join(','), '--vcpus', '1', '--rounds', '2'],
    );
    expect(able.length).toBeGreaterThan(3);
    expect(result.runs.map((run) => [run.scenario, run.protocol, run.violations])).toEqual(
      SCENARIOS.flatMap((s) => able.map((p) => [s.name, p.name, []])),
    );
    expect(result.runs.map((run) => run.cpu.hafdbs)).toEqual(result.runs.map(() => 'on'));
    expect(code).toBe(0);
  });

  it('every correct protocol passes the migrations, with speculation', async () => {
    const names = CORRECT.map((p) => p.name);
    const { code, result } = await stress(
      ...['--cpu', 'hafdbs=on,spec=on', '--protocol', names.join(',')],
      ...['--scenario', 'migration-complete,migration-cancel', '--vcpus', '1,2', '--rounds', '4'],
    );
    const guilty = result.runs.filter((run) => run.violations.length > 0 || run.accesses.lost > 0);
    expect(guilty).toEqual([]);
    expect(result.runs).toHaveLength(4 * names.length);
    expect(code).toBe(0);
  });

  it('who comes after a protocol that splits badly is not accused of its tables', async () => {
    const { result } = await stress(
      ...['--protocol', `${PROTOCOL('split-no-access')},split-eager,bbm-early`, '--vcpus', '1'],
      ...[
        '--scenario',
        'migration-complete',
        '--cpu',
        'hafdbs=on',
        '--rounds',
        '20',
        '--transitions',
        '8',
      ],
      ...['--seed', '7'],
    );
    expect(rowOf(result, 'split-no-access').violations).not.toEqual([]);
    expect(rowOf(result, 'split-eager').violations).toEqual([]);
    expect(rowOf(result, 'bbm-early').violations).toEqual([]);
  });

  it('a clean block that forgets its pages is found, with the page, the word and what led to it', async () => {
    const { code, result } = await stress(
      ...['--mutant', 'dirty-not-merged', '--cpu', 'hafdbs=on', '--vcpus', '1'],
      ...['--scenario', 'migration-complete', '--rounds', '60'],
    );
    const [violation] = result.runs.flatMap((run) => run.violations);
    expect(violation).toMatchObject({ rule: 'lost-dirty', vcpu: 0 });
    expect(violation?.why).toMatch(/in the word of vCPU 0 at IPA 0x[0-9a-f]+, where memory holds/);
    expect(violation?.round).toBeGreaterThan(0);
    expect(violation?.events.map((event) => event.text)).toContain('TLBI VMALLS12E1IS');
    expect(code).toBe(1);
  });
});
