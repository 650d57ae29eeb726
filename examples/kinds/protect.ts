/**
 * The write permission goes, or comes back: no break, but a flush that is waited for.
 *
 *   npm run explore -- --protocol ./examples/kinds/protect.ts
 */
import { defineProtocol, flushIpa } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'my-protect',
  kind: 'protect',
  summary: 'store, flush IPA',
  origin: 'an example',
  claims: { neverInvalid: true },
  run(cpu, t) {
    cpu.write(t.entry, t.wanted);
    flushIpa(cpu, t.ipa, t.level);
  },
});
