/** On a machine that does something else as well: a campaign ends in time, and measures or says it did not. */
import { type ChildProcess, spawn } from 'node:child_process';
import { afterEach, expect, it } from 'vitest';
import { stressProgram } from './stress.ts';

const loops: ChildProcess[] = [];

afterEach(() => {
  for (const loop of loops.splice(0)) loop.kill('SIGKILL');
});

/** Programs that want a CPU all the time. */
function keepBusy(count: number): void {
  for (let n = 0; n < count; n++) {
    loops.push(spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }));
  }
}

const LIMIT_MS = 180_000;

it(
  'rows that were asked for by name have rounds, controls are caught, and figures are whole or none',
  async () => {
    keepBusy(4);
    const { code, result } = await stressProgram(
      ...['--protocol', 'bbm-late,bbm-early', '--vcpus', '1', '--time', '15s', '--seed', '9'],
    );
    expect(result.reasons.filter((reason) => !reason.startsWith('not shown here'))).toEqual([]);
    expect(code).toBe(0);
    for (const run of result.runs) {
      expect(run.rounds).toBeGreaterThanOrEqual(5);
      expect(run.accesses.lost).toBe(0);
    }
    expect(result.runs).toHaveLength(2);
    expect(result.controls.find(({ name }) => name === 'no-tlbi')?.caught).toBe(true);
    const [late] = result.runs;
    // A quiet machine shows 100 %: what is shown here holds it, or says that it was not measured.
    if (late?.hitShare === null) expect(late.notMeasured?.['hitShare']).toContain('lost its CPU');
    else expect(late?.hitShare.hi).toBeGreaterThan(0.99);
  },
  LIMIT_MS,
);

it(
  'a short campaign of many groups leaves some out by name and passes',
  async () => {
    keepBusy(6);
    const { code, result } = await stressProgram('--time', '12s', '--seed', '9');
    const said = (result.remarks ?? []).join('\n');
    expect(said).toContain('the machine was busy');
    expect(code === 0 || result.runs.length === 0).toBe(true);
    for (const run of result.runs) expect(run.rounds).toBeGreaterThan(0);
    if (result.runs.length < 34) expect(said).toContain('left out');
  },
  LIMIT_MS,
);
