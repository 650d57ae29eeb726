/**
 * Traces a kernel: compiles the plugin and the guest program, boots the kernel under QEMU at EL2,
 * and leaves a log of what it did to its stage-2 tables. Nothing of the kernel is changed or built.
 */
import { createReadStream, createWriteStream } from 'node:fs';
import {
  mkdtempSync,
  readFileSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { pipeline } from 'node:stream/promises';
import { createGzip } from 'node:zlib';
import { type Booted, boot, type BootProgress } from './boot.ts';
import { build } from './build.ts';
import { initramfs, USER_PROGRAM } from './initramfs.ts';
import { type KernelImage, kernelImage } from './kernel-image.ts';
import { MEMORY_BYTES, qemuArguments } from './machine.ts';
import { TracerProblem } from './problem.ts';
import { checkProgram } from './static-program.ts';
import type { Tools } from './tools.ts';

export type { BootProgress } from './boot.ts';
export { TracerProblem } from './problem.ts';
export { findTools, type Found, type Missing, type Tools } from './tools.ts';

export interface TracePlan {
  /** Paths; null where there is none. */
  readonly kernel: string;
  readonly initrd: string | null;
  readonly init: string | null;
  readonly out: string;
  /** CPUs of the machine, and vCPUs of each VM. */
  readonly vcpus: number;
  readonly vms: number;
  readonly cycles: number;
  /** Only every so-manieth page is touched. */
  readonly sparse: number;
  readonly cpu: string;
  readonly append: readonly string[];
  readonly msMax: number;
}

export interface Traced extends Booted {
  readonly kernel: Omit<KernelImage, 'bytes'>;
}

/** Files of the plan, read and known to be what they should be. */
export interface Inputs {
  readonly kernel: KernelImage;
  readonly initrd: Uint8Array | null;
  readonly program: Uint8Array | null;
}

/** Throws a TracerProblem at the first that is not. */
export function readInputs(plan: TracePlan): Inputs {
  const kernel = kernelImage(plan.kernel, read(plan.kernel));
  const initrd = plan.initrd === null ? null : read(plan.initrd);
  const program = plan.init === null ? null : read(plan.init);
  if (plan.init !== null && program !== null) checkProgram(plan.init, program, initrd === null);
  return { kernel, initrd, program };
}

function read(file: string): Uint8Array {
  try {
    return readFileSync(file);
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? String(error.code) : 'unreadable';
    throw new TracerProblem(`${file}: cannot be read (${code})`);
  }
}

/** Leaves the log at `plan.out`, packed if it is named .gz. Throws a TracerProblem. */
export async function trace(
  plan: TracePlan,
  inputs: Inputs,
  tools: Tools,
  signal: AbortSignal,
  progress: (progress: BootProgress) => void,
): Promise<Traced> {
  const folder = mkdtempSync(path.join(tmpdir(), 'stage2-stress-trace-'));
  const memory = mkdtempSync(path.join(memoryFolder(), 'stage2-stress-memory-'));
  const packed = plan.out.endsWith('.gz');
  try {
    progress({ events: 0, step: 'compiling the plugin and the guest program' });
    const { plugin, init } = await build(tools, folder);
    const files = {
      kernel: path.join(folder, 'kernel'),
      initramfs: path.join(folder, 'initramfs'),
      memory: path.join(memory, 'ram'),
      log: packed ? path.join(folder, 'log') : plan.out,
    };
    writeFileSync(files.kernel, inputs.kernel.bytes);
    const { program, initrd } = inputs;
    writeFileSync(files.initramfs, initramfs({ init: readFileSync(init), program, user: initrd }));
    writeFileSync(files.memory, '');
    truncateSync(files.memory, MEMORY_BYTES);
    const args = qemuArguments({
      ...files,
      plugin,
      cpu: plan.cpu,
      cpus: plan.vcpus,
      kernelWords: plan.append,
      programWords: wordsFor(plan),
    });
    const { qemu } = tools;
    const booted = await boot({ qemu, args, msMax: plan.msMax, signal, progress });
    if (packed) {
      progress({ events: booted.events, step: 'packing the log' });
      await pipeline(createReadStream(files.log), createGzip(), createWriteStream(plan.out));
    }
    const { release, pages } = inputs.kernel;
    return { ...booted, kernel: { release, pages } };
  } finally {
    for (const each of [folder, memory]) rmSync(each, { recursive: true, force: true });
  }
}

function wordsFor({ init, vcpus, vms, cycles, sparse }: TracePlan): string[] {
  if (init !== null) return [`run=/${USER_PROGRAM}`];
  return [`vcpus=${vcpus}`, `vms=${vms}`, `cycles=${cycles}`, `sparse=${sparse}`];
}

/** A file in memory where the machine's fits, else any. */
function memoryFolder(): string {
  try {
    const { bavail, bsize } = statfsSync('/dev/shm');
    if (bavail * bsize > MEMORY_BYTES) return '/dev/shm';
  } catch {
    // Not this system's way.
  }
  return tmpdir();
}
