/**
 * Why a step may still be there though no search needed it. What is said here are limits of the model and
 * of the configuration, and what the architecture has such a step for.
 */
import { assertNever } from '../arch/assert.ts';
import type { Protocol } from '../port/index.ts';
import type { Variant } from './variants.ts';

export function whyStillThere(
  { step, change, to }: Pick<Variant, 'step' | 'change' | 'to'>,
  { lock = 'exclusive' }: Pick<Protocol, 'lock'>,
): string {
  const { call, isLast } = step;
  if (change === 'moved' && call.op !== 'tlbi') {
    return 'a walker between the two stores finds what is right in this order as well';
  }
  switch (call.op) {
    case 'ipi':
      return 'a TLBI and its DSB are enough where no erratum is';
    case 'isb':
      return 'for what the issuing PE itself fetches and translates next; it runs no guest here';
    case 'writeVttbr':
    case 'writeTge':
      return 'no TLBI of this protocol goes by it: it is for what runs next on this PE';
    case 'dsb':
      if (isLast) {
        return 'it makes the last store visible sooner; the release of the lock orders it anyway';
      }
      return 'another barrier or the release of the lock does its part in this order of steps';
    case 'dmb':
      return 'another barrier or a release orders the same stores';
    case 'tlbi':
      if (change === 'weakened' && to?.includes('ipas2') === true) {
        return 'one entry maps all of the region here, or the flush of stage 1 takes the rest';
      }
      return 'another invalidation covers it, or what stays is slow and not wrong (R_GPPYH)';
    case 'write':
      return 'another store takes its place: what walkers can see is the same';
    case 'writeRelease':
      return change === 'weakened'
        ? 'what it publishes was ordered by a DSB before; later kernels rely on the release alone'
        : 'another store takes its place: what walkers can see is the same';
    case 'compareExchange':
      return lock === 'exclusive'
        ? 'nobody else stores to the entry while the lock is exclusive'
        : 'it takes another agent that stores to the entry meanwhile';
    case 'mergeState':
      return 'no hardware sets access flag and dirty state here: try --cpu hafdbs=on';
    case 'cleanDcache':
      return 'for guests that access memory uncached, without FWB; caches are coherent here';
    case 'get':
    case 'put':
      return 'the count of the page comes out the same';
    case 'tearDown':
    case 'tearDownBelow':
    case 'freeNow':
    case 'tearDownAfterGrace':
      return change === 'weakened'
        ? 'for software walkers that hold no lock; explore has none, stress has'
        : 'another step frees the same pages';
    case 'read':
    case 'allocate':
    case 'tryAllocate':
    case 'buildSubtree':
      return 'what it returns is not used';
    default:
      return assertNever(call);
  }
}
