/** Throws in the hypervisor's thread. */
export default {
  name: 'throws',
  kind: 'coalesce',
  summary: 'throws',
  origin: 'a test',
  claims: {},
  run(): void {
    throw new Error('boom in my protocol');
  },
};
