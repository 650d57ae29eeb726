/**
 * Ends a vCPU's thread: every thread loads the protocols of its group and looks at `lock` in each
 * round, and this one looks who is asking.
 */
export default {
  name: 'vcpu-dies',
  kind: 'coalesce',
  summary: 'a vCPU thread exits',
  origin: 'a test',
  claims: {},
  get lock(): 'exclusive' {
    if ((new Error().stack ?? '').includes('vcpu-run')) process.exit(7);
    return 'exclusive';
  },
  run(): void {},
};
