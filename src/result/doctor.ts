/**
 * Result of `doctor`: what this machine is, as far as it decides what a run can show. Plain data,
 * null where the machine does not say.
 */
import type { ResultHeader } from './header.ts';

export interface CoreFacts {
  /** Logical CPUs of the machine. */
  readonly online: number;
  /** Those this process may run on; null where that is not known. */
  readonly allowed: readonly number[] | null;
  /** CPU time per wall time that the control group grants; null: no limit. */
  readonly quota: number | null;
  /** What can truly run at once: the least of the above; may be a fraction. */
  readonly usable: number;
  /** Threads that wanted to run before the doctor began: load average of a minute; 0: not told. */
  readonly load: number;
  /** Groups of allowed CPUs that are hyperthreads of one core; null where that is not known. */
  readonly siblings: readonly (readonly number[])[] | null;
  /** This machine is itself a virtual one. */
  readonly virtual: boolean;
  /** Share of the time, while the doctor ran, that the host gave to others; null: not told. */
  readonly stolen: number | null;
}

export interface PinFacts {
  /** Threads were pinned, one CPU after the other, and were then seen there and nowhere else. */
  readonly verified: readonly number[];
  /** CPUs where that failed. */
  readonly failed: readonly number[];
  /** Why nothing could be tried; null if it was. */
  readonly why: string | null;
}

export interface ClockFacts {
  /** Least step between two readings of `performance.now()`, nanoseconds. */
  readonly stepNs: number;
  /** One reading of `performance.now()` and of `process.hrtime.bigint()`, nanoseconds. */
  readonly readNs: number;
  readonly hrtimeReadNs: number;
  /** The kernel's clock source, for instance `tsc`. */
  readonly source: string | null;
}

export interface TierFacts {
  /** One guest access that hits the TLB, once the loop is compiled for good, nanoseconds. */
  readonly optimisedNs: number | null;
  /** The same with V8's compilers off. */
  readonly interpretedNs: number | null;
  /** Accesses until the loop first ran at (within a quarter of) its final speed. */
  readonly warmUpAccesses: number | null;
  /** Why something was not measured; null if all was. */
  readonly why: string | null;
}

/** `seen` of `trials`. */
export interface Sighting {
  readonly seen: number;
  readonly trials: number;
}

export interface OrderingFacts {
  /** Both threads missed the other's store: plain accesses, and with Atomics (never). */
  readonly storeBuffering: Sighting;
  readonly storeBufferingAtomics: Sighting;
  /** Reads that got half of each of two 64-bit values stored and loaded by plain moves. */
  readonly torn: Sighting;
  /** The same where the writer stores two halves: shows that the probe can see tearing. */
  readonly tornHalves: Sighting;
}

export interface CollectionFacts {
  /** Of the run below, milliseconds. */
  readonly runMs: number;
  /** Split and coalesce cycles it did. */
  readonly cycles: number;
  /** Garbage collections during its rounds, and the longest, milliseconds. */
  readonly hypervisor: number;
  readonly vcpu: number;
  readonly longestMs: number;
}

export interface MemoryFacts {
  readonly totalBytes: number;
  readonly availableBytes: number;
  /** What the control group allows; null: no limit. */
  readonly limitBytes: number | null;
  /** The largest machine of the portfolio, with its threads. */
  readonly neededBytes: number;
}

export interface DoctorFacts {
  readonly cores: CoreFacts;
  readonly pins: PinFacts;
  readonly clock: ClockFacts;
  readonly tiers: TierFacts;
  /** Null with one core only: two threads would never meet. */
  readonly ordering: OrderingFacts | null;
  /** A short run of the engine itself; or why it failed. */
  readonly collections: CollectionFacts | { readonly failed: string };
  readonly memory: MemoryFacts;
}

export interface DoctorResult extends Omit<ResultHeader<'doctor'>, 'seed' | 'interrupted'> {
  readonly facts: DoctorFacts;
  /** What no run on this machine can show, in words. */
  readonly cannotShow: readonly string[];
}
