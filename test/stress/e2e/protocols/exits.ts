/** Ends the hypervisor's thread without a word. */
export default {
  name: 'exits',
  kind: 'coalesce',
  summary: 'exits',
  origin: 'a test',
  claims: {},
  run(): void {
    process.exit(7);
  },
};
