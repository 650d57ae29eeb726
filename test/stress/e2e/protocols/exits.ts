/** Ends the hypervisor's thread without a word. */
export default {
  name: 'exits',
  kind: 'coalesce',
  summary: 'exits',
  origin: 'a test',
  claims: {},
  run(): void {
    // eslint-disable-next-line unicorn/no-process-exit -- that is what it is for
    process.exit(7);
  },
};
