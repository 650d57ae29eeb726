/** Protocols that are correct until they have run often: longer than anything that tries them first. */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';
import type { Cpu, Protocol } from '../../../../src/port/index.ts';

const RUNS = 300;

export function later(name: string, summary: string, grief: (cpu: Cpu) => void): Protocol {
  let runs = 0;
  return defineProtocol({
    name,
    kind: 'coalesce',
    summary,
    origin: 'a test',
    claims: {},
    run(cpu, t, tables) {
      if (++runs > RUNS) grief(cpu);
      const child = tables.follow(t.old);
      cpu.write(t.entry, EMPTY);
      flushVmid(cpu);
      cpu.writeRelease(t.entry, t.wanted);
      tables.tearDown(child, childLevel(t.level));
      cpu.dsb('ishst');
    },
  });
}
