/**
 * Wrong: the operand of each TLBI by address is counted in pages of the granule. The architecture counts
 * it in 4 KiB whatever the granule is, so with 4K pages nobody notices.
 *
 * Evidence: zephyrproject-rtos/zephyr #115708, unikraft/unikraft #1149. Caught by: break-before-make, by
 * the operations, where the real granules are tried.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel } from '../catches.ts';
import { onNoThread } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const operandShift = defineMutant({
  name: 'operand-shift',
  what: 'the operand of a TLBI is counted in pages of the granule, not in 4 KiB: right with 4K pages alone',
  evidence: 'zephyrproject-rtos/zephyr #115708; unikraft/unikraft #1149',
  rule: 'break-before-make',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'operand-shift',
      kind: 'coalesce',
      summary: 'bbm-early page by page, with the operand in units of the granule',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        const page = t.size / tables.entries;
        for (let at = 0; at < t.size; at += page) {
          cpu.tlbi({ kind: 'ipas2e1is', ipa: Math.floor((t.ipa + at) / page) * 4096 });
        }
        cpu.dsb('ish');
        cpu.tlbi({ kind: 'vmalle1is' });
        cpu.dsb('ish');
        cpu.isb();
        cpu.writeRelease(t.entry, t.wanted);
        tables.tearDown(child, childLevel(t.level));
        cpu.dsb('ishst');
      },
    }),
  },
  caughtBy: [inModel(['break-before-make'], { by: 'operations' })],
  missedBy: onNoThread(
    'it is run with 4K pages, for which the operand is right; stress --granule 16k shows it',
  ),
});
