/** Hangs a vCPU's thread, by the same way in as vcpu-dies. */
export default {
  name: 'vcpu-hangs',
  kind: 'coalesce',
  summary: 'a vCPU thread hangs',
  origin: 'a test',
  claims: {},
  get lock(): 'exclusive' {
    if ((new Error().stack ?? '').includes('vcpu-run')) for (;;);
    return 'exclusive';
  },
  run(): void {},
};
