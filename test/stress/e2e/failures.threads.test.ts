/** Threads that throw, exit or hang, and a user who presses Ctrl-C: the right exit code, soon, and no orphans. */
import { readdirSync, readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { args } from '../../support/args.ts';
import { PROTOCOL, startStress, stressWith } from './stress.ts';

/** From the last word of the controls to the end; the bound is 5 s, the rest is for a loaded machine. */
const BOUND_MS = 20_000;

/**
 * A hang is noticed at once, where a campaign would wait in case that the machine is busy. That a thread
 * has to start counts as progress, which a busy machine may take its time for.
 */
const HANGS = { hangMs: 1000, startMs: 10_000, compileMs: 5000 };
const NEVER_STARTS = { hangMs: 4000, startMs: 500, compileMs: 500 };

describe('a worker that fails', () => {
  it.each([
    ['throws', 'throws', /protocol throws threw: boom in my protocol \(.*throws\.ts:\d+:\d+\)/],
    ['exits', 'exits', /exit/i],
    ['loops over operations', 'loops-over-dsb', /operations without returning: an endless loop/],
    ['is a vCPU and exits', 'vcpu-dies', /exit/i],
    ['hangs', 'hangs', /made no progress.*in a transition of hangs/, HANGS],
    ['is a vCPU and hangs', 'vcpu-hangs', /made no progress/, HANGS],
    [
      'never loads its protocol',
      'never-loads',
      /not all of 3 threads have loaded the protocols/,
      NEVER_STARTS,
    ],
  ])('that %s is reported with exit 70', async (_, name, why, bounds = HANGS) => {
    const { code, result } = await stressWith({ bounds }, [
      '--protocol',
      PROTOCOL(name),
      ...args('--vcpus 2 --rounds 50'),
    ]);
    expect(result.reasons.join('\n')).toMatch(why);
    expect([code, result.exitCode, result.verdict]).toEqual([70, 70, 'inconclusive']);
    expect(threadsOf('self')).toEqual([]);
  });

  it('is noticed without being told when, and the program ends', async () => {
    const run = startStress(['--protocol', PROTOCOL('hangs'), ...args('--vcpus 2 --rounds 50')]);
    const { code, result } = await run.ended;
    expect(result?.reasons.join('\n')).toMatch(/made no progress.*in a transition of hangs/);
    expect([code, result?.exitCode, result?.verdict]).toEqual([70, 70, 'inconclusive']);
    expect(result?.controls).toHaveLength(2);
    expect(() => process.kill(run.pid, 0)).toThrow('ESRCH');
  });

  it("ends the program within its bound, and says where in the user's file", async () => {
    const run = startStress(['--protocol', PROTOCOL('throws'), ...args('--vcpus 1 --rounds 50')]);
    const { result } = await run.ended;
    const controlsMs = (result?.controls ?? []).reduce((ms, c) => ms + c.seconds * 1000, 0);
    expect((result?.elapsedMs ?? Infinity) - controlsMs).toBeLessThan(BOUND_MS);
    expect(result?.reasons.join('\n')).toMatch(/protocols\/throws\.ts:\d+/);
  });
});

describe('an interrupted campaign', () => {
  it.each(['SIGINT', 'SIGTERM'] as const)(
    'writes what it has after %s and exits with 130',
    async (signal) => {
      const run = startStress(args('--protocol bbm-early --vcpus 2 --time 10m --seed 5'));
      const said = run.errContains('stopping');
      run.signal('SIGCONT');
      const { pid } = run;
      await untilReady(pid);
      run.signal(signal);
      await said;
      const { code, result } = await run.ended;
      expect(result?.interrupted).toBe(true);
      expect([code, result?.exitCode]).toEqual([130, 130]);
      expect(result?.seed).toBe(5);
    },
  );
});

/** The program has installed its handlers by the time it starts its threads. */
async function untilReady(pid: number): Promise<void> {
  const start = performance.now();
  while (threadsOf(pid).length === 0 && performance.now() - start < BOUND_MS) {
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** Worker threads of a process; none where there is no such process. */
function threadsOf(pid: number | 'self'): readonly string[] {
  try {
    return readdirSync(`/proc/${pid}/task`).filter((task) =>
      readFileSync(`/proc/${pid}/task/${task}/comm`, 'utf8').startsWith('WorkerThread'),
    );
  } catch {
    return [];
  }
}
