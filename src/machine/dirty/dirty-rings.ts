/**
 * What a host does with the rings of its vCPUs (hdbss-ring.ts), as the posted KVM series has it: v1
 * 20250311040321.1460, v2 20251121092342.3393318, v3 20260225040421.2683931.
 *
 *   vCPU thread, out of the guest            hypervisor (kvm_arch_sync_dirty_log)
 *   --------------------------------------------------------------------------------
 *   load: ringLoaded = 1        (1)          ringRequest += 1            (3)
 *   before entry: ringRequest?  (2)          interrupt to who is in the guest
 *     flush, ringServed = it                 wait, or do not: for each vCPU
 *   ring full, or put: flush                   ringLoaded = 0 (4) or ringServed = request
 *   put: ringLoaded = 0
 *
 *   flush: DSB SY, ISB; read HDBSSPROD; with the mmu_lock held mark each page; HDBSSPROD = 0
 *
 * (1)-(2) against (3)-(4) is Dekker's pattern: a vCPU whose ring is not loaded has nothing in it, and sees
 * the request before it puts anything there. Who waits holds no lock: flushes need it.
 *
 * v1 flushes at each exit instead, and what happens if the thread is preempted before it has come to
 * that is the seeded bug `ring-index-forgotten`: nothing is flushed in vcpu_put, and vcpu_load writes an
 * index that nobody has saved. The simulated host preempts at one exit in sixteen.
 */
import { RwLock, waitForChange } from '#sync';
import type { MachineBug } from '../../port/machine-bug.ts';
import type { Arena } from '../arena.ts';
import type { DirtyLog } from './dirty-log.ts';
import { createHdbssRing, type HdbssRing } from './hdbss-ring.ts';
import { LAST_RESORT_MS } from '../last-resort.ts';
import { CONTROL, VCPU } from '../layout.ts';
import { EVENT, type Recorder } from '../recorder.ts';
import { type Issuer, Stopped } from '../tlb/shootdown.ts';

/** A vCPU's ring in the hands of its host. All but `isRequested` is for a vCPU that is out of the guest. */
export interface VcpuRing {
  readonly hardware: HdbssRing;
  /** vcpu_load: its thread runs on a CPU now. */
  load(): void;
  /** vcpu_put: preempted, or on the way to user space. */
  put(): void;
  /** Has left the guest, and its thread may be preempted before anything else. */
  exited(): void;
  isRequested(): boolean;
  /** check_vcpu_requests, before each entry. */
  serve(): void;
  /** What is in the ring goes to the log. */
  flush(): void;
}

export interface VcpuRingOptions {
  readonly vcpu: number;
  /** Spins before a wait for the lock sleeps. */
  readonly spins: number;
  readonly bug: MachineBug | null;
}

/** One exit in so many is preempted. A power of two. */
const PREEMPTED_EVERY = 16;

export function createVcpuRing(
  arena: Arena,
  log: DirtyLog,
  recorder: Recorder,
  { vcpu, spins, bug }: VcpuRingOptions,
): VcpuRing {
  const { i32, layout } = arena;
  const hardware = createHdbssRing(arena, vcpu);
  const lock = RwLock.attach(i32, CONTROL.mmuLock);
  const w = layout.vcpuW + vcpu * VCPU.words;
  const forgets = bug === 'ring-index-forgotten';
  let served = Atomics.load(i32, CONTROL.ringRequest);
  let exits = 0;

  /** For who waits: one of the words before it has changed. */
  function tell(): void {
    Atomics.add(i32, w + VCPU.ringEvent, 1);
    Atomics.notify(i32, w + VCPU.ringEvent);
  }

  function flush(): void {
    if (bug !== 'ring-without-dsb') hardware.dsb();
    const end = hardware.index();
    if (end === 0) return;
    const taken = RwLock.writeLock(lock, spins, LAST_RESORT_MS, i32, CONTROL.stop);
    if (taken === 'stopped') return;
    if (taken === 'timeout') throw new Error(`vCPU ${vcpu} did not get the mmu_lock for its ring`);
    let marked = 0;
    for (let index = 0; index < end; index++) {
      const page = hardware.pageAt(index);
      if (page < 0) continue;
      log.mark(page);
      marked++;
    }
    hardware.setIndex(0);
    RwLock.writeUnlock(lock);
    recorder.event(EVENT.ringFlushed, end, marked, 0);
  }

  function load(): void {
    Atomics.store(i32, w + VCPU.ringLoaded, 1);
    if (forgets) hardware.setIndex(0);
  }

  function put(): void {
    if (!forgets) flush();
    Atomics.store(i32, w + VCPU.ringLoaded, 0);
    tell();
  }

  return {
    hardware,
    load,
    put,
    exited() {
      exits = (exits + 1) | 0;
      if ((exits & (PREEMPTED_EVERY - 1)) === 0) {
        put();
        load();
      }
      if (forgets) flush();
    },
    isRequested: () => Atomics.load(i32, CONTROL.ringRequest) !== served,
    serve() {
      const request = Atomics.load(i32, CONTROL.ringRequest);
      if (request === served) return;
      flush();
      served = request;
      Atomics.store(i32, w + VCPU.ringServed, request);
      tell();
    },
    flush,
  };
}

/** How a host gets what is in the rings before it reads the log. With no lock held. */
export interface RingSync {
  /** v1: every vCPU is told to flush, and nobody waits for it. */
  kick(): void;
  /** Returns when all that was made dirty before is in the log. */
  kickAndWait(): void;
}

export function createRingSync({ i32, layout }: Arena, issuer: Pick<Issuer, 'kick'>): RingSync {
  function kick(): number {
    const request = (Atomics.add(i32, CONTROL.ringRequest, 1) + 1) | 0;
    issuer.kick();
    return request;
  }

  /** Has this vCPU flushed, or nothing to flush? */
  function isDone(w: number, request: number): boolean {
    if (Atomics.load(i32, w + VCPU.ringLoaded) === 0) return true;
    return ((Atomics.load(i32, w + VCPU.ringServed) - request) | 0) >= 0;
  }

  function waitFor(vcpu: number, request: number): void {
    const w = layout.vcpuW + vcpu * VCPU.words;
    const deadline = performance.now() + LAST_RESORT_MS;
    for (;;) {
      // Read first: what changes after that moves it, and the wait below returns at once.
      const event = Atomics.load(i32, w + VCPU.ringEvent);
      if (isDone(w, request)) return;
      const leftMs = deadline - performance.now();
      const how = waitForChange(i32, w + VCPU.ringEvent, event, 0, leftMs, i32, CONTROL.stop);
      if (how === 'stopped') throw new Stopped('stopped while vCPUs flush their rings');
      if (how === 'timeout') throw new Error(`vCPU ${vcpu} did not flush its dirty ring`);
    }
  }

  return {
    kick: () => void kick(),
    kickAndWait() {
      const request = kick();
      for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) waitFor(vcpu, request);
    },
  };
}
