/**
 * What makes a program differ from one run to the next is not there for a protocol under `explore`: it
 * runs many times, and each run has to do what the one before did. Chance, clocks, the process and
 * timers are refused where they are called, also by a name that the file took from them when it was
 * loaded. Outside of a protocol's run everything is as it was.
 */
import crypto from 'node:crypto';
import { syncBuiltinESMExports } from 'node:module';
import os from 'node:os';
import timers from 'node:timers';

/** A protocol asked for something that is not the same the next time. */
export class Chance extends Error {
  override readonly name = 'Chance';
}

type Callable = (...given: unknown[]) => unknown;

let running = false;
/** What the run was refused, also if the protocol caught it. */
let asked: Chance | null = null;

function refuse(name: string): never {
  asked ??= new Chance(
    `${name} is not there under explore: a protocol is a function of the values it has read`,
  );
  throw asked;
}

/** `of[key]`, and while a protocol runs nothing. */
function guard(of: object, key: string, name: string): void {
  const original: unknown = Reflect.get(of, key);
  if (typeof original !== 'function') return;
  const guarded = new Proxy(original as Callable, {
    apply: (target, self, given) =>
      running ? refuse(`${name}()`) : Reflect.apply(target, self, given),
    construct: (target, given, made) =>
      running ? refuse(`new ${name}()`) : (Reflect.construct(target, given, made) as object),
    get: (target, part, self) =>
      running && name === 'Date' && part === 'now'
        ? refuse('Date.now()')
        : (Reflect.get(target, part, self) as unknown),
  });
  Reflect.defineProperty(of, key, {
    value: guarded,
    configurable: true,
    enumerable: Object.getOwnPropertyDescriptor(of, key)?.enumerable ?? false,
    writable: true,
  });
}

/**
 * What this thread has taken of a processor so far, in ms, asked for as before the guards: for what
 * watches a protocol while it runs. A clock where Node does not know it.
 */
export const processorMs: () => number = clockOfThread();

function clockOfThread(): () => number {
  if (typeof process.threadCpuUsage !== 'function') return performance.now.bind(performance);
  const usage = process.threadCpuUsage.bind(process);
  return () => {
    const { user, system } = usage();
    return (user + system) / 1000;
  };
}

let isInstalled = false;

/** To be called before protocol files are loaded. Twice is once. */
export function installChanceGuards(): void {
  if (isInstalled) return;
  isInstalled = true;
  guard(Math, 'random', 'Math.random');
  guard(Date, 'now', 'Date.now');
  guard(globalThis, 'Date', 'Date');
  guard(performance, 'now', 'performance.now');
  for (const name of ['hrtime', 'uptime', 'cpuUsage', 'memoryUsage', 'nextTick', 'exit'] as const) {
    guard(process, name, `process.${name}`);
  }
  for (const name of ['getRandomValues', 'randomUUID']) guard(globalThis.crypto, name, name);
  for (const name of [
    'randomInt',
    'randomBytes',
    'randomUUID',
    'getRandomValues',
    'randomFillSync',
  ]) {
    guard(crypto, name, `crypto.${name}`);
  }
  for (const name of ['freemem', 'loadavg', 'uptime']) guard(os, name, `os.${name}`);
  for (const name of ['setTimeout', 'setInterval', 'setImmediate']) {
    guard(globalThis, name, name);
    guard(timers, name, name);
  }
  guard(globalThis, 'queueMicrotask', 'queueMicrotask');
  syncBuiltinESMExports();
}

/** Anything of it is the outside world. */
const NO_PROCESS = new Proxy(
  {},
  { get: (_, part) => refuse(`process.${String(part)}`), has: () => refuse('process') },
);

/** What `process` is outside; null while no protocol runs. */
let outside: typeof process | null = null;

/** Runs a protocol. Throws Chance if it asked for what is refused, and whatever it throws. */
export function withoutChance(run: () => void): void {
  installChanceGuards();
  asked = null;
  outside ??= globalThis.process;
  running = true;
  Reflect.set(globalThis, 'process', NO_PROCESS);
  try {
    run();
  } catch (error) {
    throw asked ?? error;
  } finally {
    leaveProtocol();
  }
  if (asked !== null) throw asked as Chance;
}

/** The protocol is over, however it ended: one that is cut off runs no `finally`. */
export function leaveProtocol(): void {
  running = false;
  if (outside !== null) Reflect.set(globalThis, 'process', outside);
  outside = null;
}
