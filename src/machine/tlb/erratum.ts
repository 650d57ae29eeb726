/**
 * A vCPU on a core whose TLBIs do not wait for stores under way (arch/cpu-model.ts: `late-writes`,
 * `ipi`), and what the machine's own software does about such cores, as a kernel does.
 *
 *   poll finds a TLBI      a store is translated by the TLB as it stands
 *   apply, acknowledge     the issuer goes on
 *   some microseconds on,  the store takes effect, through the old translation
 *   or before the next acknowledgement (`late-writes`), or before the interrupt is (`ipi`)
 *
 * Loads are not held back, though `ipi` would have it: what they return is compared with what this vCPU
 * stored, which is in both places. On a core of the third kind (`repeat`) it is the receiver that lags.
 */
import type { TlbiCompletion } from '../../arch/cpu-model.ts';
import { reaches } from '../../arch/tlbi.ts';
import type { Issuer, Receiver } from './shootdown.ts';

/** How long a store is under way: long enough for the issuer to get on, if it runs. */
const UNDER_WAY_MS = 0.04;

export interface LateStore {
  /** A TLBI is about to be applied: a store is on its way. */
  translate(): void;
  /** It was acknowledged: the store takes effect. */
  land(): void;
}

/** What a store needs: a page to store to, with its translation, and a place to store at. */
export interface LateGuest {
  /** A translation that permits a store, of the page now chosen; negative: there is none. */
  translate(): number;
  store(data: number): void;
  /** Has the generation moved since it was last looked at? */
  isTlbiPending(): boolean;
}

/** Null where stores are waited for. */
export function createLateStore(
  tlbi: TlbiCompletion,
  receiver: Receiver,
  guest: LateGuest,
): LateStore | null {
  if (tlbi !== 'late-writes' && tlbi !== 'ipi') return null;
  let data = -1;

  /**
   * Does what has come since wait for the store? Where only an interrupt does, all else is acknowledged.
   * One look decides: what comes behind it belongs to the next.
   */
  const isWaitedFor = (): boolean =>
    guest.isTlbiPending() && (tlbi === 'late-writes' || !receiver.applyUninterrupted());

  return {
    translate() {
      data = guest.translate();
    },
    land() {
      if (data < 0) return;
      const until = performance.now() + UNDER_WAY_MS;
      while (performance.now() < until && !isWaitedFor());
      guest.store(data);
      data = -1;
    },
  };
}

/**
 * `issuer` as the kernel's own code uses it on such a core: behind each DSB that completes a stage-1
 * flush one more TLBI and DSB, or an interrupt to each PE. A protocol under test brings its own.
 */
export function repairing(issuer: Issuer, tlbi: TlbiCompletion): Issuer {
  if (tlbi === 'ok') return issuer;
  let isDue = false;
  return {
    ...issuer,
    tlbi(op) {
      isDue ||= reaches(op.kind, 'combined');
      issuer.tlbi(op);
    },
    dsb(kind) {
      issuer.dsb(kind);
      if (kind !== 'ish' || !isDue) return;
      isDue = false;
      if (tlbi === 'ipi') return issuer.ipi();
      issuer.tlbi({ kind: 'ipas2le1is', ipa: 0 });
      issuer.dsb('ish');
    },
  };
}
