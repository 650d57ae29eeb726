/** Wrong: there is no such barrier. */
import { defineProtocol, type DsbKind } from '../../../../src/port/index.ts';

export default defineProtocol({
  name: 'bad-barrier',
  kind: 'coalesce',
  summary: 'DSB SY',
  origin: 'a test',
  claims: {},
  run(cpu) {
    cpu.dsb('sy' as DsbKind);
  },
});
