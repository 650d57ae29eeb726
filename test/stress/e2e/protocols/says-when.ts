/**
 * Correct, and says on standard error how far it is, so that a test knows when to interrupt. Told to
 * in the environment it throws, or kills the process as soon as the named result has a finished group.
 */
import { existsSync, readFileSync, writeSync } from 'node:fs';
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';

const EVERY = 160;
let runs = 0;

function comeToGrief(): void {
  if (process.env['SAYS_WHEN_THROWS'] !== undefined) throw new Error('told to throw');
  const file = process.env['SAYS_WHEN_KILLS'];
  if (file === undefined || !existsSync(file)) return;
  if (readFileSync(file, 'utf8').includes('"state": "done"')) process.kill(process.pid, 'SIGKILL');
}

export default defineProtocol({
  name: 'says-when',
  kind: 'coalesce',
  summary: 'break-before-make that reports its progress',
  origin: 'test',
  claims: {},
  run(cpu, t, tables) {
    if (++runs % EVERY === 0) {
      writeSync(2, `says-when ${runs}\n`);
      comeToGrief();
    }
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
