/**
 * TLB shootdown: TLBI as an asynchronous log, completed only by the issuer's DSB.
 *
 *   issuer                               vCPU
 *   write log record                     enter:  store mode = IN        (1)
 *   store generation      (2)                    load generation        (3)   apply what is new, acknowledge
 *   load mode of each vCPU (4)           access: poll generation; if it moved, apply, acknowledge
 *   DSB: of each that was IN             leave:  store mode = OUT, bump event
 *        wait for its ack
 *
 * (1)-(3) against (2)-(4) is Dekker's pattern: with sequentially consistent accesses either the
 * issuer sees IN and waits, or the vCPU sees the generation and applies it. With either side plain
 * both may miss the other (KVM's vcpu-requests race); that is `entry-unfenced` and `tlbi-unfenced`,
 * and x86 shows it.
 *
 * A vCPU that is out holds no translation in use, so nobody waits for it; what its TLB still holds
 * it drops on entry. Waiting is a short spin, then Atomics.wait on the vCPU's event word, because a
 * preempted vCPU must not cost the issuer's core, and every wait sees the stop word.
 */
import { waitForChange } from '#sync';
import { isBroadcast, type TlbiOp } from '../../arch/tlbi.ts';
import type { DsbKind } from '../../port/cpu.ts';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Arena } from '../arena.ts';
import { LAST_RESORT_MS } from '../last-resort.ts';
import { CONTROL, TLBI_LOG, VCPU, VCPUS_MAX } from '../layout.ts';
import { createTlbiCodec, INTERRUPT, type TlbSet } from './tlbi-codec.ts';

/**
 * A receiver this far behind drops everything. Fewer than the ring holds: an issuer writes its record
 * before the generation says so, and each thread may be at that.
 */
export const RECORDS_SAFE = TLBI_LOG.records - VCPUS_MAX - 1;

/** Thrown out of a protocol when the run is being stopped while it waits. */
export class Stopped extends Error {
  override readonly name = 'Stopped';
}

export interface Issuer {
  tlbi(op: TlbiOp): void;
  /**
   * Returns once each vCPU that is in the guest has taken an interrupt: a record that removes nothing. It
   * waits for all of them in one go, as a kernel does that interrupts each and then looks for the answers
   * (smp_call_function with `wait`). It is no DSB: a TLBI that is not complete may reach a vCPU behind it.
   */
  ipi(): void;
  /** The same, and returns at once. */
  kick(): void;
  /**
   * Returns when the barrier is complete. Throws Stopped, or an Error if a vCPU never acknowledges.
   */
  dsb(kind: DsbKind): void;
}

export interface IssuerOptions {
  readonly bug: MachineBug | null;
  /** Spins before sleeping: few where threads outnumber cores. */
  readonly spins: number;
  /**
   * Where a local (non-IS) operation of this thread goes: its own PE's TLBs, or nowhere on the
   * hypervisor's.
   */
  readonly own: TlbSet | null;
  /** Between a TLBI's record and its publication (entry-race.ts); absent: nothing. */
  readonly beforePublish?: () => void;
}

export function createIssuer(arena: Arena, options: IssuerOptions): Issuer {
  const { i32, layout } = arena;
  const { bug, spins, own, beforePublish } = options;
  const codec = createTlbiCodec(layout);
  const vcpus = layout.config.vcpus;
  const scratch = new Int32Array(TLBI_LOG.recordWords);
  let issued = Atomics.load(i32, CONTROL.tlbiGeneration);
  let outstanding = false;
  /**
   * vCPUs that were out just after the last publication: whenever they enter, they see it. Looked at
   * there and not in the DSB, because a vCPU that forgets its fence is caught in between.
   */
  const out = new Uint8Array(vcpus);

  /**
   * Takes the next generation, writes its record, and publishes it once all before it are published:
   * one atomic add, and one store that is the last thing done, so that the way from "published" to
   * the DSB's look at the vCPUs is as short as it can be.
   */
  function append(op: TlbiOp | null): void {
    const generation = (Atomics.add(i32, CONTROL.tlbiTicket, 1) + 1) | 0;
    const at = layout.tlbiLogW + (generation % TLBI_LOG.records) * TLBI_LOG.recordWords;
    if (op === null) codec.encodeInterrupt(i32, at);
    else codec.encode(i32, at, op);
    while (Atomics.load(i32, CONTROL.tlbiGeneration) !== ((generation - 1) | 0)) {
      // Another issuer has the generation before ours and is about to publish it.
      if (Atomics.load(i32, CONTROL.stop) !== 0) throw new Stopped('stopped while issuing a TLBI');
      waitForChange(i32, CONTROL.tlbiGeneration, (generation - 2) | 0, spins, 1);
    }
    issued = generation;
    outstanding = true;
    beforePublish?.();
    if (bug === 'tlbi-unfenced') i32[CONTROL.tlbiGeneration] = generation;
    else Atomics.store(i32, CONTROL.tlbiGeneration, generation);
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      const modeW = layout.vcpuW + vcpu * VCPU.words + VCPU.mode;
      const mode = bug === 'tlbi-unfenced' ? i32[modeW] : Atomics.load(i32, modeW);
      out[vcpu] = mode === 0 ? 1 : 0;
    }
  }

  /** Is this vCPU in the guest, and `answer` of it not as far as what we issued? */
  function isPending(w: number, answer: number): boolean {
    if (bug === 'tlbi-unfenced') {
      return i32[w + VCPU.mode] === 1 && (i32[w + answer] as number) - issued < 0;
    }
    return Atomics.load(i32, w + VCPU.mode) === 1 && Atomics.load(i32, w + answer) - issued < 0;
  }

  function waitFor(vcpu: number, answer: number): void {
    if (out[vcpu] !== 0) return;
    const w = layout.vcpuW + vcpu * VCPU.words;
    if (!isPending(w, answer)) return;
    for (let spin = 0; spin < spins; spin++) if (!isPending(w, answer)) return;
    const what = answer === VCPU.taken ? 'interrupt' : 'TLBI';
    const deadline = performance.now() + LAST_RESORT_MS;
    Atomics.add(i32, CONTROL.dsbWaiters, 1);
    try {
      for (;;) {
        // The event is read first: an acknowledgement after that moves it, so the wait below
        // returns at once.
        const event = Atomics.load(i32, w + VCPU.event);
        if (!isPending(w, answer)) return;
        if (Atomics.load(i32, CONTROL.stop) !== 0) throw new Stopped('stopped in DSB');
        if (performance.now() > deadline) {
          throw new Error(
            `vCPU ${vcpu} did not acknowledge ${what} ${issued} within ${LAST_RESORT_MS} ms`,
          );
        }
        Atomics.wait(i32, w + VCPU.event, event, 20);
      }
    } finally {
      Atomics.sub(i32, CONTROL.dsbWaiters, 1);
    }
  }

  /** Waits for everything issued so far. */
  function complete(): void {
    for (let vcpu = 0; vcpu < vcpus; vcpu++) {
      if (bug === 'dsb-skips-vcpu' && vcpu === 0) continue;
      waitFor(vcpu, VCPU.ack);
    }
    outstanding = false;
  }

  return {
    tlbi(op) {
      if (isBroadcast(op.kind)) {
        append(op);
      } else if (own !== null) {
        codec.encode(scratch, 0, op);
        codec.apply(scratch, 0, own);
      }
    },
    ipi() {
      const before = outstanding;
      append(null);
      outstanding = before;
      for (let vcpu = 0; vcpu < vcpus; vcpu++) waitFor(vcpu, VCPU.taken);
    },
    kick: () => append(null),
    dsb(kind) {
      // Only a DSB over loads and stores, inner shareable, completes a broadcast TLBI (R_PSMWS).
      if (kind === 'ish' && outstanding) complete();
    },
  };
}

export interface Receiver {
  /**
   * Before an access: applies and acknowledges what is new. The caller has seen that the generation
   * moved. An interrupt with TLBIs before it that nobody has waited for comes first: then it is all that is
   * taken, and the next call applies the rest.
   */
  applyPending(): void;
  /** Enters the guest: from here on issuers wait for this vCPU. */
  enter(): void;
  /** With or without the fence between IN_GUEST and the generation (`entry-unfenced`), from now on. */
  setFenced(fenced: boolean): void;
  /** Leaves the guest: holds no translation and need not be waited for. */
  leave(): void;
  /** As applyPending, unless what is new has an interrupt among it. False: it has, and nothing was done. */
  applyUninterrupted(): boolean;
  /** Generation up to which it has acknowledged: but for the erratum, up to which its TLBs are clean. */
  seen(): number;
}

/**
 * `lags`: a core with an erratum, on which a TLBI that was acknowledged may leave entries until the next one
 * comes (arch/cpu-model.ts, `repeat`).
 */
export function createReceiver(
  arena: Arena,
  vcpu: number,
  tlbs: TlbSet,
  bug: MachineBug | null,
  onApplied: (generation: number, records: number) => void,
  lags = false,
): Receiver {
  const { i32, layout } = arena;
  const w = layout.vcpuW + vcpu * VCPU.words;
  const codec = createTlbiCodec(layout);
  const { tlbiLogW } = layout;
  const { records: logRecords, recordWords } = TLBI_LOG;
  // A TLB made now is empty: it owes nothing to flushes before it.
  let seen = Atomics.load(i32, CONTROL.tlbiGeneration);
  /** Records up to this one are applied: all that were seen, unless it lags. */
  let applied = seen;
  let fenced = bug !== 'entry-unfenced';
  /** Interrupts up to this record are taken. */
  let taken = seen;
  Atomics.store(i32, w + VCPU.ack, seen);
  Atomics.store(i32, w + VCPU.taken, seen);

  function emptyAll(): void {
    tlbs.combined.invalidate(-1, 0, layout.pages, 0);
    tlbs.stage2.invalidate(-1, 0, layout.pages, 0);
    tlbs.walk.invalidate(-1, 0, layout.pages, 0);
  }

  function acknowledge(generation: number): void {
    take(generation);
    Atomics.store(i32, w + VCPU.ack, generation);
    wake();
  }

  function take(generation: number): void {
    taken = generation;
    Atomics.store(i32, w + VCPU.taken, generation);
  }

  const isInterrupt = (g: number): boolean =>
    i32[tlbiLogW + (g % logRecords) * recordWords] === INTERRUPT;

  /** The last interrupt that is not taken yet and has a TLBI before it that is not applied; else `taken`. */
  function overtaking(generation: number): number {
    if (generation - seen >= RECORDS_SAFE) return taken;
    let hasTlbi = false;
    let last = taken;
    for (let g = seen + 1; g - generation <= 0; g++) {
      if (!isInterrupt(g)) hasTlbi = true;
      else if (hasTlbi && g - taken > 0) last = g;
    }
    return last;
  }

  function wake(): void {
    Atomics.add(i32, w + VCPU.event, 1);
    if (Atomics.load(i32, CONTROL.dsbWaiters) !== 0) Atomics.notify(i32, w + VCPU.event);
  }

  function applyPending(): void {
    const generation = Atomics.load(i32, CONTROL.tlbiGeneration);
    const interrupt = overtaking(generation);
    if (interrupt === taken) return apply(lags, generation);
    take(interrupt);
    wake();
  }

  function apply(lagging: boolean, generation = Atomics.load(i32, CONTROL.tlbiGeneration)): void {
    if (generation === seen && (lagging || applied === seen)) return;
    if (bug === 'ack-before-invalidate' && Atomics.load(i32, w + VCPU.ack) !== generation) {
      // Emptied at the next poll: what is accessed until then uses what should be gone.
      acknowledge(generation);
      return;
    }
    const records = generation - applied;
    const upTo = lagging ? seen : generation;
    if (records >= RECORDS_SAFE) {
      emptyAll();
    } else {
      for (let g = applied + 1; g - upTo <= 0; g++) {
        codec.apply(i32, tlbiLogW + (g % logRecords) * recordWords, tlbs);
      }
      // Records may have been overwritten while we read them, if we were away long enough: then
      // drop everything.
      if (Atomics.load(i32, CONTROL.tlbiGeneration) - applied >= RECORDS_SAFE) emptyAll();
    }
    applied = upTo;
    seen = generation;
    onApplied(generation, records);
    if (bug !== 'ack-before-invalidate') acknowledge(generation);
  }

  return {
    applyPending,
    enter() {
      if (!fenced) {
        i32[w + VCPU.mode] = 1;
        if (i32[CONTROL.tlbiGeneration] !== seen) apply(false);
        return;
      }
      Atomics.store(i32, w + VCPU.mode, 1);
      // Nobody waited for what it owes: it takes all of it.
      if (Atomics.load(i32, CONTROL.tlbiGeneration) !== seen || applied !== seen) apply(false);
    },
    setFenced(on) {
      fenced = on;
    },
    leave() {
      Atomics.store(i32, w + VCPU.mode, 0);
      wake();
    },
    applyUninterrupted() {
      const generation = Atomics.load(i32, CONTROL.tlbiGeneration);
      for (let g = seen + 1; g - generation <= 0; g++) {
        if (g - taken > 0 && isInterrupt(g)) return false;
      }
      apply(lags, generation);
      return true;
    },
    seen: () => seen,
  };
}
