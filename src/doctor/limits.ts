/** From facts to words: what no run on this machine can show, and whether any makes sense. Pure. */
import type { CoreFacts, DoctorFacts } from '../result/doctor.ts';

/** Below this a window of break-before-make is mostly clock. */
const COARSE_STEP_NS = 1000;
const SLOW_READ_NS = 500;
/** What the optimising compiler gains in this loop is 30 to 70 times; less than this is none. */
const SPEEDUP_MIN = 8;
const STOLEN_MAX = 0.02;
/** Load per CPU from which on somebody else has them. */
const BUSY = 0.8;
/** The hypervisor and two vCPUs. */
const CORES_FOR_ALL = 3;

/** Why `stress` cannot do its work here; empty: it can. `explore` and `litmus` need none of this. */
export function obstacles({ cores, collections, memory }: DoctorFacts): readonly string[] {
  const found: string[] = [];
  if (cores.usable < 2) {
    found.push(
      `${coresText(cores)} can be used: the hypervisor and a vCPU would only ever take turns, so ` +
        'nothing can race; give it two CPUs (cpuset, cpu.max), or use explore and litmus, ' +
        'which need one',
    );
  }
  if ('failed' in collections)
    found.push(`a short run of the engine failed: ${collections.failed}`);
  const bytes = memoryOf(memory);
  if (bytes < memory.neededBytes) {
    found.push(
      `${mebibytes(bytes)} MiB of memory are to be had and the largest machine of the portfolio ` +
        `takes ${mebibytes(memory.neededBytes)}: name --level 2, or give it more`,
    );
  }
  return found;
}

/** One sentence each, in the order in which they matter. */
export function limitsOf(facts: DoctorFacts, arch: string): readonly string[] {
  return [
    ...orderingLimits(facts, arch),
    ...coreLimits(facts),
    ...timeLimits(facts),
    "What Arm TLBs and TLBIs cost: both are simulated here, and microseconds are this machine's.",
  ];
}

function orderingLimits({ ordering }: DoctorFacts, arch: string): string[] {
  const found: string[] = [];
  if (arch === 'x64') {
    found.push(
      'A missing release, or a missing DSB before a TLBI, by hardware alone: x86 keeps stores in ' +
        'order. Use --reorder, and explore for every outcome.',
    );
  }
  if (ordering === null) {
    found.push('Any race at all: two threads never run at the same time.');
    return found;
  }
  if (ordering.storeBuffering.seen === 0) {
    found.push(
      'The entry race (control entry-unfenced): it needs store buffering, which was not seen in ' +
        `${ordering.storeBuffering.trials.toLocaleString('en')} trials. Runs are judged without it and ` +
        'say so; try again on an idle machine.',
    );
  }
  if (ordering.storeBufferingAtomics.seen > 0) {
    found.push('Anything: Atomics were not sequentially consistent, so this build is broken.');
  }
  if (ordering.torn.seen > 0) {
    found.push('A torn descriptor as a bug of the protocol with --access plain: plain moves tear.');
  }
  if (ordering.tornHalves.seen === 0) {
    found.push('Whether plain 64-bit moves tear: not even two halves were seen torn.');
  }
  return found;
}

function coreLimits({ cores, pins }: DoctorFacts): string[] {
  const found: string[] = [];
  if (cores.usable >= 2 && cores.usable < CORES_FOR_ALL) {
    found.push(
      `Races between two vCPUs that truly run at once: ${coresText(cores)} hold the hypervisor and ` +
        'one vCPU; more take turns, and their rows are marked ~.',
    );
  }
  if (cores.quota !== null && cores.quota < cores.online) {
    found.push(
      `Long undisturbed rounds: the control group grants ${cores.quota} CPUs of time and then ` +
        'stops all threads at once, which no counter tells.',
    );
  }
  if (cores.siblings !== null && cores.siblings.length > 0) {
    found.push(
      'What separate cores would do, where two threads share one: CPUs ' +
        `${cores.siblings.map((group) => group.join('+')).join(', ')} are hyperthreads of one core. ` +
        'Pin with --pin list:….',
    );
  }
  if (pins.verified.length === 0) {
    const why = pins.why ?? 'taskset is missing or was refused';
    found.push(`Times of threads that stay where they are: pinning does not work (${why}).`);
  }
  return found;
}

function timeLimits({ cores, clock, tiers }: DoctorFacts): string[] {
  const found: string[] = [];
  if (cores.load >= BUSY * cores.usable) {
    found.push(
      `What an idle machine would: ${cores.load.toFixed(1)} threads wanted to run here, on ` +
        `${coresText(cores)}, before anything was measured. Most rounds will be preempted.`,
    );
  }
  if (cores.virtual) {
    const share = cores.stolen === null ? '' : ` (${percent(cores.stolen)} while the doctor ran)`;
    found.push(
      `Preemption by the host: this is a virtual machine, and time stolen from it${share} counts as ` +
        'no context switch; it is in the tails.',
    );
    if (cores.stolen !== null && cores.stolen > STOLEN_MAX)
      found.push('p99 and max of times: too much of the time was stolen.');
  }
  if (clock.stepNs >= COARSE_STEP_NS || clock.readNs >= SLOW_READ_NS) {
    found.push(
      `Windows below ${Math.round(Math.max(clock.stepNs, 2 * clock.readNs))} ns: the clock ` +
        `(${clock.source ?? 'unknown source'}) steps by ${Math.round(clock.stepNs)} ns and a reading ` +
        `takes ${Math.round(clock.readNs)}.`,
    );
  }
  const speedup = speedupOf(tiers);
  if (speedup === null) found.push(`Whether the vCPU loop is compiled: ${tiers.why ?? 'unknown'}.`);
  else if (speedup < SPEEDUP_MIN) {
    found.push(
      `Rates of a compiled vCPU: its loop is only ${speedup.toFixed(1)} times as fast as ` +
        'interpreted (a debugger, coverage, --jitless or a V8 flag?).',
    );
  }
  return found;
}

/** How many times as fast the compiled loop is as the interpreted one; null if not measured. */
export function speedupOf(t: DoctorFacts['tiers']): number | null {
  return t.optimisedNs === null || t.interpretedNs === null
    ? null
    : t.interpretedNs / t.optimisedNs;
}

export function coresText({ usable }: CoreFacts): string {
  const text = Number.isInteger(usable) ? String(usable) : usable.toFixed(1);
  return `${text} CPU${usable === 1 ? '' : 's'}`;
}

/** What may be taken: of the machine, and of the control group. */
export function memoryOf({ availableBytes, limitBytes }: DoctorFacts['memory']): number {
  return limitBytes === null ? availableBytes : Math.min(availableBytes, limitBytes);
}

export const mebibytes = (bytes: number): string =>
  Math.round(bytes / 2 ** 20).toLocaleString('en');
const percent = (share: number): string => `${(100 * share).toFixed(1)} %`;
