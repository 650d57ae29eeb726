/** Never returns, though it does something all the time, in the middle of a campaign. */
import { later } from './later.ts';

export default later('loops-over-dsb', 'waits for ever', (cpu) => {
  for (;;) cpu.dsb('ish');
});
