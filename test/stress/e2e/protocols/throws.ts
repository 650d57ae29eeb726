/** Throws in the hypervisor's thread, in the middle of a campaign. */
import { later } from './later.ts';

export default later('throws', 'throws', () => {
  throw new Error('boom in my protocol');
});
