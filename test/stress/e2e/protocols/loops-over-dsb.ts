import { defineProtocol } from '../../../../src/port/index.ts';

/** Never returns, though it does something all the time. */
export default defineProtocol({
  name: 'loops-over-dsb',
  kind: 'coalesce',
  summary: 'waits for ever',
  origin: 'a test',
  claims: {},
  run(cpu) {
    for (;;) cpu.dsb('ish');
  },
});
