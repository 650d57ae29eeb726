import { describe, expect, test } from 'vitest';
import { doctorText } from '../../src/report/text/doctor-text.ts';
import type { DoctorFacts, DoctorResult } from '../../src/result/doctor.ts';
import { but, GOOD } from '../doctor/facts.ts';

function resultOf(facts: DoctorFacts, reasons: readonly string[] = []): DoctorResult {
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'doctor',
    verdict: reasons.length === 0 ? 'pass' : 'inconclusive',
    exitCode: reasons.length === 0 ? 0 : 4,
    reasons,
    argv: [],
    version: '0.1.0',
    machine: {
      cpus: 4,
      model: 'Kunpeng 920',
      arch: 'arm64',
      node: 'v24.21.0',
      v8: '13.6',
      kernel: 'Linux 6.18',
      notes: [],
    },
    startedAt: '2026-01-01T00:00:00.000Z',
    elapsedMs: 8_200,
    facts,
    cannotShow: ['First thing.', 'Second thing.'],
  };
}

test('a good machine', () => {
  expect(doctorText(resultOf(GOOD))).toMatchInlineSnapshot(`
    "machine   Kunpeng 920, arm64, kernel Linux 6.18
    cores     4 usable of 8, allowed 0,1,2,3, no quota seen, no two share a core, load 0.1, 0 % stolen
    pinning   works: a thread was seen on CPU 0, then 1 and nowhere else
    clock     performance.now() steps by 40.0 ns and takes 45.0; hrtime takes 52.0; source tsc
    engine    Node v24.21.0, V8 13.6; a guest access takes 5.00 ns once the loop is compiled, after 90,000 accesses, and 250 interpreted: 50.0 times
    ordering  store buffering seen with plain accesses: 120 of 1,000,000 (0.012 %); with Atomics: 0 of 500,000
    tearing   plain 64-bit moves do not tear: 0 of 9,000,000; stored as two halves: 3,000,000 of 9,000,000 (33.3 %)
    run       400,000 cycles of split and coalesce in 1.0 s; 4 garbage collections in the hypervisor's thread, 0 in the vCPU's, the longest 2.00 ms
    memory    8,192 MiB of 16,384 MiB to be had; the portfolio needs 300 MiB

    What no run on this machine can show
      - First thing.
      - Second thing.

    stress can run here (looked for 8.2 s); exit 0
    "
  `);
});

describe('what is different is said', () => {
  test.each<[string, DoctorFacts]>([
    ['quota 1.50', but('cores', { quota: 1.5 })],
    ['share a core: 0+1 2+3', but('cores', { siblings: [[0, 1], [2, 3]] })], // prettier-ignore
    ['hyperthreads not told', but('cores', { siblings: null })],
    ['virtual machine', but('cores', { virtual: true })],
    ['failed for CPU 1', but('pins', { verified: [0], failed: [1] })],
    ['not tried: no /proc', but('pins', { verified: [], why: 'no /proc' })],
    ['not measured: bad option', but('tiers', { optimisedNs: null, why: 'bad option' })],
    ['not tried: two threads cannot', { ...GOOD, ordering: null }],
    ['store buffering NOT seen', but('ordering', { storeBuffering: { seen: 0, trials: 5 } })],
    ['plain 64-bit moves TEAR', but('ordering', { torn: { seen: 1, trials: 5 } })],
    ['FAILED: no threads', { ...GOOD, collections: { failed: 'no threads' } }],
    ['control group 512 MiB at most', but('memory', { limitBytes: 2 ** 29 })],
  ])('%s', (text, facts) => {
    expect(doctorText(resultOf(facts))).toContain(text);
  });
});

test('a machine where stress cannot run', () => {
  const text = doctorText(resultOf(GOOD, ['1 CPU can be used']));
  expect(text).toContain('reason: 1 CPU can be used');
  expect(text).toContain('stress cannot run here (looked for 8.2 s); exit 4: not possible');
});
