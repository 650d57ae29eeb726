/** `trace`: boots a kernel at EL2 under QEMU, logs what it does to its tables, and judges the log. */
import { statSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import path from 'node:path';
import { counted, grouped, seconds } from '../../report/numbers.ts';
import { alignColumns } from '../../report/table.ts';
import { visibleLine } from '../../report/visible.ts';
import { shortPath, userPath } from '../../package/paths.ts';
import { UsageError } from '../../request/usage-error.ts';
import { anyText, wholeNumber, word } from '../../request/values.ts';
import { EXIT, type ExitCode } from '../../result/exit-code.ts';
import {
  findTools,
  type Inputs,
  readInputs,
  trace,
  type Traced,
  type TracePlan,
  TracerProblem,
  type Tools,
} from '../../tracer/index.ts';
import { type Command, type CommandInput, NO_POSITIONALS } from '../command.ts';
import { checkOutputFile } from '../files/output-file.ts';
import { timeFlag } from '../flags/common.ts';
import { flag } from '../flags/flag.ts';
import { showText } from '../progress.ts';
import { watchSignals } from '../signals.ts';
import type { Terminal } from '../terminal.ts';
import { checkTrace, FLAGS as CHECK_FLAGS } from './check-trace/command.ts';

const OUT = 'kvm-trace.log';
const TIME_MS = 600_000;
const TIME_MS_MAX = 86_400_000;

const { bbm, sequences, json, quiet, 'no-color': noColor } = CHECK_FLAGS;

const FLAGS = {
  kernel: flag({
    value: 'IMAGE',
    help: 'the arm64 kernel to boot: an Image, packed or not, such as /boot/vmlinuz of Debian',
    default: 'must be given',
    parse: anyText,
  }),
  initrd: flag({
    value: 'FILE',
    help: 'an initramfs of your own, whose files are there beside ours; /init stays ours',
    default: 'ours alone',
    parse: anyText,
  }),
  init: flag({
    value: 'PROGRAM',
    help: 'a static arm64 program to run instead of ours, such as kvm_page_table_test',
    default: 'ours: two VMs, dirty logging on and off, memory taken back, all destroyed',
    parse: anyText,
  }),
  vcpus: flag({
    value: 'N',
    help: 'CPUs of the emulated machine, and vCPUs of each VM of our program',
    default: '2',
    parse: wholeNumber(1, 8),
  }),
  vms: flag({
    value: 'N',
    help: 'VMs that our program runs at once',
    default: '2',
    parse: wholeNumber(1, 4),
  }),
  cycles: flag({
    value: 'N',
    help: 'how often our program switches dirty logging on and off',
    default: '2',
    parse: wholeNumber(1, 100),
  }),
  sparse: flag({
    value: 'N',
    help: 'our program touches only every Nth page: a shorter log of the same kinds of changes',
    default: '1',
    parse: wholeNumber(1, 128),
  }),
  cpu: flag({
    value: 'MODEL,…',
    help: "the emulated CPU, in QEMU's words: max, max,lpa2=off, cortex-a57 (without VHE)",
    default: 'max',
    parse: word,
  }),
  append: flag({
    value: '"WORDS"',
    help: "words for the kernel's command line, such as kvm-arm.mode=protected",
    default: 'none',
    parse: anyText,
  }),
  time: timeFlag(1000, TIME_MS_MAX, {
    help: 'how long the traced machine may take',
    default: '10m',
  }),
  out: flag({
    value: 'FILE',
    help: 'where the log goes; packed if the name ends in .gz',
    default: OUT,
    parse: anyText,
  }),
  bbm,
  sequences,
  json,
  quiet,
  'no-color': noColor,
};

type Input = CommandInput<typeof FLAGS>;

async function run(input: Input, terminal: Terminal): Promise<ExitCode> {
  const { flags } = input;
  const plan = planOf(flags);
  const inputs = orUsage(() => readInputs(plan));
  const tools = await toolsOrUsage(terminal);
  const traced = await traceWith(plan, inputs, tools, input, terminal);
  if (flags.quiet !== true) terminal.out(aboutText(plan, traced, tools));
  const out = flags.out ?? OUT;
  const judged = await checkTrace({ ...input, positionals: [out] }, terminal);
  return traced.interrupted && judged.exitCode !== EXIT.fail ? EXIT.interrupted : judged.exitCode;
}

function planOf(flags: Input['flags']): TracePlan {
  const kernel = flags.kernel;
  if (kernel === undefined || kernel === '') {
    throw new UsageError(
      'trace: --kernel IMAGE names the kernel to boot, such as --kernel vmlinuz-6.1.0-50-arm64 of ' +
        "Debian's package linux-image-6.1.0-50-arm64 (apt-get download, dpkg -x)",
    );
  }
  const init = flags.init;
  const ours = (['vms', 'cycles', 'sparse'] as const).find((name) => flags[name] !== undefined);
  if (init !== undefined && ours !== undefined)
    throw new UsageError(`trace: --${ours} is for our program; --init runs yours`);
  return {
    kernel: userPath(kernel),
    initrd: flags.initrd === undefined ? null : userPath(flags.initrd),
    init: init === undefined ? null : userPath(init),
    out: checkOutputFile('out', flags.out ?? OUT),
    vcpus: flags.vcpus ?? 2,
    vms: flags.vms ?? 2,
    cycles: flags.cycles ?? 2,
    sparse: flags.sparse ?? 1,
    cpu: flags.cpu ?? 'max',
    append: (flags.append ?? '').split(/\s+/).filter((word) => word !== ''),
    msMax: flags.time ?? TIME_MS,
  };
}

function orUsage<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    throw usageOf(error);
  }
}

function usageOf(error: unknown): unknown {
  return error instanceof TracerProblem ? new UsageError(`trace: ${error.message}`) : error;
}

/** All that is missing is told at once, one line each. */
async function toolsOrUsage(terminal: Terminal): Promise<Tools> {
  const found = await findTools();
  if ('tools' in found) return found.tools;
  for (const { what, how } of found.missing)
    terminal.err(`stage2-stress: trace: missing: ${what}. ${how}\n`);
  const { length } = found.missing;
  throw new UsageError(
    `trace: this machine lacks ${length === 1 ? 'what is' : `the ${length} things`} named above`,
  );
}

async function traceWith(
  plan: TracePlan,
  inputs: Inputs,
  tools: Tools,
  { flags }: Input,
  terminal: Terminal,
): Promise<Traced> {
  const startMs = performance.now();
  const progress = showText(flags.quiet === true ? null : terminal.progress);
  const interrupt = watchSignals((name) => {
    progress.clear();
    terminal.err(`\nstage2-stress: ${name}: the machine is ended, and what is in the log judged\n`);
  });
  try {
    return await trace(plan, inputs, tools, interrupt.signal, ({ events, step }) => {
      const time = seconds(performance.now() - startMs);
      progress.update(`${time} so far  ${grouped(events)} events  ${step}`);
    });
  } catch (error) {
    throw usageOf(error);
  } finally {
    progress.clear();
    interrupt.dispose();
  }
}

function aboutText(plan: TracePlan, traced: Traced, { qemuVersion }: Tools): string {
  const { kernel, events, elapsedMs, cpuMs } = traced;
  const name = kernel.release ?? path.basename(plan.kernel);
  const words = plan.append.length === 0 ? '' : `, ${plan.append.join(' ')}`;
  const bytes = grouped(Math.round(statSync(plan.out).size / 1000));
  const program =
    plan.init === null
      ? `${counted(plan.vms, 'VM')} of ${counted(plan.vcpus, 'vCPU')}`
      : path.basename(plan.init);
  const cpu = cpuMs === null ? '' : `, ${seconds(cpuMs)} of CPU`;
  const load = `load ${(loadavg()[0] ?? 0).toFixed(1)} on ${availableParallelism()} CPUs`;
  const rows = [
    ['kernel', `Linux ${visibleLine(name)}, ${kernel.pages} pages${words}`],
    ['machine', `QEMU ${qemuVersion}, -cpu ${plan.cpu}, ${counted(plan.vcpus, 'CPU')}; ${program}`],
    ['time', `${seconds(elapsedMs)}${cpu}; ${load}`],
    ['log', `${shortPath(plan.out)}: ${counted(events, 'event')}, ${bytes} kB`],
  ];
  return `${alignColumns(rows).join('\n')}\n\n`;
}

export const command: Command<typeof FLAGS> = {
  positionals: NO_POSITIONALS,
  flags: FLAGS,
  about:
    'Boots an arm64 kernel at EL2 under QEMU (10 or later, without KVM of its own), runs a small ' +
    'program in it that makes KVM create VMs, map, write-protect, split, coalesce, unmap and ' +
    'destroy, and writes down every store to a stage-2 table, barrier, TLBI and VTTBR_EL2 write ' +
    'through a plugin. The kernel is neither changed nor built. Then the log is judged as by ' +
    'check-trace. Needs qemu-system-aarch64, a C compiler, and one for arm64; says how to get ' +
    'what is missing. How it works and what it cannot see: docs/kvm-traces.md.',
  examples: [
    {
      command: 'trace -- --kernel vmlinuz-6.1.0-50-arm64',
      why: "a kernel of Debian's: boot, trace, verdict",
    },
    {
      command: 'trace -- --kernel Image --cpu max,lpa2=off --vcpus 4 --out mine.log.gz',
      why: 'a kernel of your own, on four CPUs without 52-bit addresses',
    },
    {
      command: 'trace -- --kernel Image --init ./kvm_page_table_test',
      why: 'another program in it',
    },
  ],
  run,
};
