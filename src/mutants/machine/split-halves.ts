/**
 * Wrong: a descriptor is stored as two 32-bit halves. A walker between them reads one that nobody
 * wrote.
 *
 * The twin has no window: vCPUs walk all through it. Without a TLB they do so at every access.
 *
 * Evidence: DDI 0487 B2.2.1; 34 % of reads were torn when a table was changed that way in a loop.
 * Caught by: torn-descriptor, by `stress` alone.
 */
import { onThreads } from '../catches.ts';
import { notThisMachine } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const splitHalves = defineMutant({
  name: 'split-halves',
  what: 'descriptors are stored as two 32-bit halves',
  evidence: 'DDI 0487 B2.2.1 (single-copy atomicity)',
  rule: 'torn-descriptor',
  twin: 'rfc-nt-intended',
  seed: { kind: 'machine', bug: 'split-halves' },
  caughtBy: onThreads(['torn-descriptor'], {
    cpu: { tlb: 0, walkcache: false },
  }),
  missedBy: [notThisMachine()],
});
