/** Wrong: leaves the entry LOCKED, so vCPUs come back for ever. */
import { defineProtocol, flushVmid, LOCKED } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'leaks-locked',
  kind: 'coalesce',
  summary: 'breaks and never makes',
  origin: 'a test',
  claims: {},
  lock: 'shared',
  run(cpu, t) {
    cpu.compareExchange(t.entry, t.old, LOCKED);
    flushVmid(cpu);
  },
});
