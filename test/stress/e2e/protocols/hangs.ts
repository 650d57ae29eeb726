/** Never returns, in the hypervisor's thread, in the middle of a campaign. */
import { later } from './later.ts';

export default later('hangs', 'hangs', () => {
  for (;;);
});
