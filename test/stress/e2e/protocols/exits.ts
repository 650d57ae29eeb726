/** Ends the hypervisor's thread without a word, in the middle of a campaign. */
import { later } from './later.ts';

export default later('exits', 'exits', () => {
  process.exit(7);
});
