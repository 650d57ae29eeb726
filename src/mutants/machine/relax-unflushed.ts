/**
 * Wrong: a vCPU makes a page writable and does not flush. Its own TLB has the entry that denies the
 * store, finds the page writable each time it faults, and never gets on.
 *
 * Evidence: R_GPPYH; review of a12ab1378a88 (2023-09). Caught by: progress.
 */
import { onThreads } from '../catches.ts';
import { notInModel } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const relaxUnflushed = defineMutant({
  name: 'relax-unflushed',
  what: 'a page is made writable and the TLB that denies it is not flushed',
  evidence: 'R_GPPYH; review of kernel commit a12ab1378a88',
  rule: 'progress',
  twin: 'bbm-early',
  seed: { kind: 'machine', bug: 'relax-unflushed' },
  caughtBy: onThreads(['progress'], { scenario: 'permission-ping-pong' }),
  missedBy: [notInModel('it has no fault handler')],
});
