/** Never returns, in the hypervisor's thread. */
export default {
  name: 'hangs',
  kind: 'coalesce',
  summary: 'hangs',
  origin: 'a test',
  claims: {},
  run(): void {
    for (;;);
  },
};
