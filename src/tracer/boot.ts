/** Runs QEMU until the traced machine is switched off, listens to it, and says what came of it. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { heard } from './heard.ts';
import { TracerProblem } from './problem.ts';

export interface BootProgress {
  /** In the log so far. */
  readonly events: number;
  /** What the guest program is at, or the kernel. */
  readonly step: string;
}

export interface Booted {
  readonly events: number;
  /** What the plugin counted. */
  readonly counts: Readonly<Record<string, number>>;
  readonly elapsedMs: number;
  /** Of the emulator; null where the system does not tell. */
  readonly cpuMs: number | null;
  /** It was ended before the machine switched itself off. */
  readonly interrupted: boolean;
}

export interface Boot {
  readonly qemu: string;
  readonly args: readonly string[];
  readonly msMax: number;
  /** Aborted: the emulator is asked to end, and the log has what it had until then. */
  readonly signal: AbortSignal;
  readonly progress: (progress: BootProgress) => void;
}

/** Lines of its console that a failure shows. */
const LAST_LINES = 4;
/** Of the kernel's own clock, in the units of /proc. */
const TICK_MS = 10;

/** Throws a TracerProblem where no trace came of it. */
export async function boot({ qemu, args, msMax, signal, progress }: Boot): Promise<Booted> {
  const startMs = performance.now();
  const child = spawn(qemu, args, { stdio: ['ignore', 'pipe', 'pipe'] });
  const listener = new Listener(progress, () => cpuMsOf(child.pid));
  const streams = [child.stdout, child.stderr].map((stream) => listen(stream, listener));
  const late = AbortSignal.timeout(msMax);
  const end = (): void => void child.kill('SIGTERM');
  const ends = [signal, late];
  for (const each of ends) each.addEventListener('abort', end);
  if (signal.aborted) end();
  try {
    const { promise, resolve } = Promise.withResolvers<number | string | null>();
    child.on('error', (error) => resolve(error.message));
    child.on('close', (code, name) => resolve(code ?? name));
    const ended = await promise;
    await Promise.all(streams);
    const interrupted = signal.aborted;
    if (!interrupted) refuse(listener, ended, late.aborted ? msMax : null, qemu);
    const { events, counts, cpuMs } = listener;
    return { events, counts, elapsedMs: performance.now() - startMs, cpuMs, interrupted };
  } finally {
    for (const each of ends) each.removeEventListener('abort', end);
  }
}

function refuse(listener: Listener, ended: unknown, lateMs: number | null, qemu: string): void {
  const last = listener.last.join(' | ');
  const said = last === '' ? '' : `; its last lines: ${last}`;
  if (listener.problem !== null) throw new TracerProblem(`the traced machine: ${listener.problem}`);
  if (lateMs !== null) {
    throw new TracerProblem(
      `the traced machine was not done after ${Math.round(lateMs / 1000)} s (--time), at: ` +
        `${listener.step}${said}`,
    );
  }
  if (ended !== 0) throw new TracerProblem(`${qemu} ended with ${String(ended)}${said}`);
  if (!listener.done) {
    throw new TracerProblem(
      `the traced machine was switched off before its program was done, at: ${listener.step}${said}`,
    );
  }
}

class Listener {
  events = 0;
  step = 'the kernel boots';
  counts: Readonly<Record<string, number>> = {};
  problem: string | null = null;
  done = false;
  cpuMs: number | null = null;
  readonly last: string[] = [];
  readonly #progress: (progress: BootProgress) => void;
  readonly #cpuMs: () => number | null;

  constructor(progress: (progress: BootProgress) => void, cpuMs: () => number | null) {
    this.#progress = progress;
    this.#cpuMs = cpuMs;
  }

  line(text: string): void {
    this.cpuMs = this.#cpuMs() ?? this.cpuMs;
    const said = heard(text);
    switch (said?.kind) {
      case 'events':
        this.events = said.count;
        break;
      case 'step':
        this.step = said.text;
        this.done = said.text === 'done';
        break;
      case 'summary':
        this.counts = said.counts;
        this.events = said.counts['events'] ?? this.events;
        break;
      case 'problem':
        this.problem ??= said.text;
        break;
      default:
        if (text.trim() !== '') this.last.push(text.trim());
        if (this.last.length > LAST_LINES) this.last.shift();
    }
    this.#progress({ events: this.events, step: this.step });
  }
}

async function listen(stream: Readable, listener: Listener): Promise<void> {
  for await (const line of createInterface({ input: stream })) listener.line(line);
}

/** User and system time of a process that is still there, from /proc. */
function cpuMsOf(pid: number | undefined): number | null {
  try {
    const fields = readFileSync(`/proc/${pid}/stat`, 'utf8')
      .replace(/^.*\) /s, '')
      .split(' ');
    return (Number(fields[11]) + Number(fields[12])) * TICK_MS;
  } catch {
    return null;
  }
}
