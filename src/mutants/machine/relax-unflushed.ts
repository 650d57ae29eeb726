/**
 * Wrong: a vCPU makes a page writable and does not flush. Its own TLB has the entry that denies the
 * store, finds the page writable each time it faults, and never gets on.
 *
 * Evidence: R_GPPYH; review of a12ab1378a88 (2023-09). Caught by: progress.
 */
import { defineProtocol } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

export const relaxUnflushed = defineMutant({
  name: 'relax-unflushed',
  what: 'a page is made writable and the TLB that denies it is not flushed',
  evidence: 'R_GPPYH; review of kernel commit a12ab1378a88',
  rule: 'progress',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'relax-unflushed' },
  explored: {
    twin: 'relax-local',
    protocol: defineProtocol({
      name: 'relax-unflushed',
      kind: 'protect',
      form: 'relax',
      summary: 'relax-local without its flush',
      origin: 'seeded bug',
      claims: { neverInvalid: true },
      lock: 'shared',
      run(cpu, t) {
        cpu.compareExchange(t.entry, t.old, t.wanted);
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [
    ...onThreads(['progress'], { scenario: 'permission-ping-pong' }),
    inModel(['progress']),
  ],
  missedBy: [],
});
