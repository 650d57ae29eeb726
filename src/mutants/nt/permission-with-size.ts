/**
 * Wrong: size and permissions change in one direct store, as if a write-protected block could go
 * over a writable table at BBM level 2. The level covers a change of size and nothing else, and
 * vCPUs see a permission that no version of their mapping has.
 *
 * Evidence: R_PVTFW. Caught by: wrong-permission, on any engine; break-before-make from the
 * operations.
 */
import { childLevel, type Descriptor, defineProtocol, flushVmid } from '../../port/index.ts';
import { inModel, onThreads } from '../catches.ts';
import { defineMutant } from '../mutant.ts';

/** Write permission of stage 2, bit 7. */
const S2AP_W: Descriptor = 1n << 7n;

export const permissionWithSize = defineMutant({
  name: 'permission-with-size',
  what: 'size and permissions change in one direct store: the block is read-only for a while',
  evidence: 'R_PVTFW',
  rule: 'wrong-permission',
  twin: 'bbml2-direct',
  seed: {
    kind: 'protocol',
    protocol: defineProtocol({
      name: 'permission-with-size',
      kind: 'coalesce',
      summary: 'bbml2-direct with a read-only block first and the wanted one after the flush',
      origin: 'seeded bug',
      claims: { neverInvalid: true, handlesConflict: true },
      cpu: { bbm: [2] },
      run(cpu, t, tables) {
        const child = tables.follow(t.old);
        if (cpu.compareExchange(t.entry, t.old, t.wanted & ~S2AP_W) !== t.old) return;
        flushVmid(cpu);
        cpu.write(t.entry, t.wanted);
        flushVmid(cpu);
        tables.tearDown(child, childLevel(t.level));
      },
    }),
  },
  caughtBy: [...onThreads(['wrong-permission']), inModel(['wrong-permission'])],
  missedBy: [],
});
