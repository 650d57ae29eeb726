/**
 * A protocol with what software does on cores whose TLBIs fall short (arch/cpu-model.ts): nothing of the
 * protocol changes but what follows its flushes.
 *
 *   repeat      behind each DSB that completes a stage-1 flush a second TLBI, of any kind, and its DSB.
 *               Linux (v6.19, ARM64_WORKAROUND_REPEAT_TLBI as reworked): flushes of stage 2 alone need
 *               none, because the stage-1 flush that has to follow them has one
 *   interrupt   the same place, an interrupt to each PE that may run the VM (C1-Pro, 4193714)
 */
import { type Cpu, defineProtocol, type Protocol } from '../port/index.ts';

/** Operations that reach what stage 1 and 2 made together: after them the kernel repeats. */
const WITH_STAGE1: ReadonlySet<string> = new Set(['vmalls12e1is', 'vmalle1is', 'alle1is']);

export const REPAIRS = ['repeat', 'interrupt'] as const;
export type Repair = (typeof REPAIRS)[number];

const STEPS: Readonly<Record<Repair, (cpu: Cpu) => void>> = {
  // TLBI VALE2IS, XZR in the kernel: it is not to remove anything, and nothing lies at IPA 0 here.
  repeat(cpu) {
    cpu.tlbi({ kind: 'ipas2le1is', ipa: 0 });
    cpu.dsb('ish');
  },
  interrupt(cpu) {
    cpu.ipi();
  },
};

/** `cpu` with `repair` behind each DSB that completes a TLBI of `after`. */
export function repairing(cpu: Cpu, repair: Repair, after: ReadonlySet<string>): Cpu {
  let isDue = false;
  return {
    ...cpu,
    tlbi(op) {
      isDue ||= after.has(op.kind);
      cpu.tlbi(op);
    },
    dsb(kind) {
      cpu.dsb(kind);
      if (kind !== 'ish' || !isDue) return;
      isDue = false;
      STEPS[repair](cpu);
    },
  };
}

/** `protocol` as it is on such a core: named after both. */
export function repaired(
  protocol: Protocol,
  repair: Repair,
  after: ReadonlySet<string> = WITH_STAGE1,
): Protocol {
  return defineProtocol({
    ...protocol,
    name: `${protocol.name}-${repair}`,
    summary: `${protocol.summary}; with the repair for errata behind its flushes`,
    run: (cpu, t, tables) => protocol.run(repairing(cpu, repair, after), t, tables),
  });
}
