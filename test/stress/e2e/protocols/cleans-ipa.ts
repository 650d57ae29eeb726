/** Wrong: cleans the data cache at the IPA instead of the output address. */
import { childLevel, defineProtocol, EMPTY, flushVmid } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'cleans-ipa',
  kind: 'coalesce',
  summary: 'cache maintenance at the wrong address',
  origin: 'a test',
  claims: {},
  run(cpu, t, tables) {
    const child = tables.follow(t.old);
    cpu.write(t.entry, EMPTY);
    flushVmid(cpu);
    tables.cleanDcache(t.ipa, t.size);
    cpu.writeRelease(t.entry, t.wanted);
    tables.tearDown(child, childLevel(t.level));
    cpu.dsb('ishst');
  },
});
