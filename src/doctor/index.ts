/** Looks at this machine, piece by piece, so that nothing measures anything else. */
import { readFileSync } from 'node:fs';
import { availableParallelism, cpus, freemem, loadavg, totalmem } from 'node:os';
import type { CoreFacts, DoctorFacts, DoctorResult, MemoryFacts } from '../result/doctor.ts';
import { EXIT } from '../result/exit-code.ts';
import { layoutOf } from '../machine/layout.ts';
import { machineInfo } from '../stress/process/machine-info.ts';
import { allowedCpus } from '../stress/process/pinning.ts';
import { recordsFor, STRESS_DEFAULTS } from '../stress/plan/plan.ts';
import { measureClock } from './clock.ts';
import { tryEngine } from './engine.ts';
import {
  clockSource,
  cpuQuota,
  cpuTime,
  hyperthreads,
  isVirtual,
  memoryAvailable,
  memoryLimit,
  type ReadText,
  stolenShare,
} from './host.ts';
import { limitsOf, obstacles } from './limits.ts';
import { probeOrdering, tryPinning } from './threads.ts';
import { measureTiers } from './tiers.ts';

export interface DoctorOptions {
  readonly argv: readonly string[];
  readonly version: string;
  /** One line for people, before each part. */
  readonly onProgress: (text: string) => void;
}

const readText: ReadText = (path) => {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return null;
  }
};

export async function examine({ argv, version, onProgress }: DoctorOptions): Promise<DoctorResult> {
  const startedAt = new Date().toISOString();
  const startedMs = performance.now();
  const before = cpuTime(readText);
  const core = coreFacts(readText);
  onProgress('clock');
  const clock = { ...measureClock(), source: clockSource(readText) };
  onProgress('pinning');
  const pins = await tryPinning(core.allowed);
  onProgress('compiled and interpreted accesses');
  const tiers = await measureTiers();
  onProgress('memory ordering');
  const ordering = core.usable < 2 ? null : await probeOrdering();
  onProgress('a short run');
  const collections = await tryEngine();
  const cores = { ...core, stolen: stolenShare(before, cpuTime(readText)) };
  const memory = memoryFacts(readText);
  const facts: DoctorFacts = { cores, pins, clock, tiers, ordering, collections, memory };
  const reasons = obstacles(facts);
  return {
    tool: 'stage2-stress',
    schema: 1,
    command: 'doctor',
    verdict: reasons.length === 0 ? 'pass' : 'inconclusive',
    exitCode: reasons.length === 0 ? EXIT.pass : EXIT.impossible,
    reasons,
    argv,
    version,
    machine: machineInfo(),
    startedAt,
    elapsedMs: Math.round(performance.now() - startedMs),
    facts,
    cannotShow: limitsOf(facts, process.arch),
  };
}

function coreFacts(read: ReadText): Omit<CoreFacts, 'stolen'> {
  const allowed = allowedCpus();
  const quota = cpuQuota(read);
  const online = cpus().length;
  const usable = Math.min(
    availableParallelism(),
    allowed?.length ?? online,
    quota ?? Number.POSITIVE_INFINITY,
  );
  return {
    online,
    allowed,
    quota,
    usable,
    load: loadavg()[0] ?? 0,
    siblings: allowed === null ? null : hyperthreads(read, allowed),
    virtual: isVirtual(read),
  };
}

/** A worker thread with its heap (facts measured: 8 to 14 MiB each, and 64 of semi-space at most). */
const THREAD_BYTES = 80 * 2 ** 20;
const THREADS = 3;

function memoryFacts(read: ReadText): MemoryFacts {
  const { granule, transitions } = STRESS_DEFAULTS;
  const config = {
    granule,
    level: 1,
    blocks: 1,
    vcpus: 1,
    transitionsMax: recordsFor(transitions, 1),
  } as const;
  return {
    totalBytes: totalmem(),
    availableBytes: memoryAvailable(read) ?? freemem(),
    limitBytes: memoryLimit(read),
    neededBytes: layoutOf(config).bytes + THREADS * THREAD_BYTES,
  };
}
