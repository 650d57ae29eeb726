/**
 * Wrong: bits of the address end up in the TTL field of the operand, so what a TLBI takes depends on
 * where the region lies.
 *
 * Evidence: littlekernel/lk #386; R_SQXYZ (a hint that is not the level of the leaf takes nothing).
 * Caught by: its operations at addresses with other bits, in the explorer's survey.
 */
import { childLevel, defineProtocol, VALID } from '../../port/index.ts';
import { inModel } from '../catches.ts';
import { onNoThread } from '../misses.ts';
import { defineMutant } from '../mutant.ts';

export const hintFromAddress = defineMutant({
  name: 'hint-from-address',
  what: 'bits of the address end up in the level hint of the TLBI',
  evidence: 'littlekernel/lk #386; R_SQXYZ',
  rule: 'break-before-make',
  twin: 'bbm-early',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'hint-from-address',
      kind: 'coalesce',
      summary: 'bbm-early page by page, with address bits as the level hint',
      origin: 'seeded bug',
      claims: {},
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        cpu.write(t.entry, t.old & ~VALID);
        cpu.dsb('ishst');
        const hint = (Math.floor(t.ipa / t.size) % 4) as 0 | 1 | 2 | 3;
        const page = t.size / tables.entries;
        for (let at = 0; at < t.size; at += page) {
          cpu.tlbi({ kind: 'ipas2e1is', ipa: t.ipa + at, ttl: hint });
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
    'its one region lies at an address whose bits make the hint 0; stress --blocks 4 shows it',
  ),
});
