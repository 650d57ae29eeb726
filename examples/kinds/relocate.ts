/**
 * A block moves. Its contents are copied just before the first store of the new block.
 *
 *   npm run explore -- --protocol ./examples/kinds/relocate.ts
 */
import { defineProtocol, EMPTY, flushIpa } from 'stage2-stress/protocol';

export default defineProtocol({
  name: 'my-relocate',
  kind: 'relocate',
  summary: 'clear, flush IPA, store-release the block',
  origin: 'an example',
  claims: {},
  run(cpu, t) {
    cpu.write(t.entry, EMPTY);
    flushIpa(cpu, t.ipa, t.level);
    cpu.writeRelease(t.entry, t.wanted);
    cpu.dsb('ishst');
  },
});
