/** Protocols of random steps, guest programs and CPUs, for properties of the exploration. */
import fc from 'fast-check';
import { type CpuModel, DEFAULT_CPU } from '../../../src/arch/cpu-model.ts';
import type { GuestProgram } from '../../../src/explore/protocol/machine/guest.ts';
import {
  childLevel,
  type Cpu,
  EMPTY,
  NT,
  type Protocol,
  type TlbiOp,
} from '../../../src/port/index.ts';
import { changed, type Run } from './fixtures.ts';

function flush(cpu: Cpu, op: TlbiOp): void {
  cpu.dsb('ish');
  cpu.tlbi(op);
  cpu.dsb('ish');
}

const STEPS: Readonly<Record<string, Run>> = {
  invalidate: (cpu, t) => cpu.write(t.entry, EMPTY),
  nt: (cpu, t) => cpu.write(t.entry, t.wanted | NT),
  block: (cpu, t) => cpu.write(t.entry, t.wanted),
  'block, released': (cpu, t) => cpu.writeRelease(t.entry, t.wanted),
  swap: (cpu, t) => void cpu.compareExchange(t.entry, t.old, t.wanted),
  'DSB ISHST': (cpu) => cpu.dsb('ishst'),
  ISB: (cpu) => cpu.isb(),
  flush: (cpu) => flush(cpu, { kind: 'vmalls12e1is' }),
  'flush of another VM': (cpu) => flush(cpu, { kind: 'vmalls12e1is', vmid: 9 }),
  'flush of stage 1': (cpu) => flush(cpu, { kind: 'vmalle1is' }),
  'flush of a page': (cpu, t) => flush(cpu, { kind: 'ipas2e1is', ipa: t.ipa }),
  'flush without its end': (cpu) => {
    cpu.dsb('ish');
    cpu.tlbi({ kind: 'vmalls12e1is' });
  },
  'block, merged': (cpu, t, tables) => {
    const child = tables.follow(t.old);
    cpu.write(t.entry, tables.mergeState(t.wanted, child, childLevel(t.level)));
  },
  'flush without its beginning': (cpu) => {
    cpu.tlbi({ kind: 'vmalls12e1is' });
    cpu.dsb('ish');
  },
};
const TEAR_DOWN: Run = (_cpu, t, tables) =>
  tables.tearDown(tables.follow(t.old), childLevel(t.level));

export const steps = (maxLength: number) =>
  fc.array(fc.constantFrom(...Object.keys(STEPS)), { minLength: 1, maxLength });
export const access = fc.record({
  kind: fc.constantFrom('load' as const, 'store' as const),
  page: fc.constantFrom(0, 1),
});
export const guest = (early: number): fc.Arbitrary<GuestProgram> =>
  fc.record({
    early: fc.array(access, { minLength: 1, maxLength: early }),
    late: fc.array(access, { maxLength: 1 }),
  });
export const cpus: fc.Arbitrary<CpuModel> = fc
  .record({
    nt: fc.constantFrom('translate' as const, 'conflict' as const, 'fault' as const),
    multihit: fc.constantFrom('abort' as const, 'amalgamate' as const),
    ets: fc.constantFrom('none' as const, 'ets2' as const),
  })
  .map((knobs) => ({ ...DEFAULT_CPU, ...knobs }));

/** Its steps, one after the other, and after them perhaps the freeing of the table. */
export function protocolOf(names: readonly string[], tearsDown: boolean): Protocol {
  return changed('bbm-early', (...given) => {
    for (const name of names) STEPS[name]?.(...given);
    if (tearsDown) TEAR_DOWN(...given);
  });
}
