/** What files of /proc and /sys come to, on machines that are not this one. */
import { describe, expect, test } from 'vitest';
import {
  ancestors,
  clockSource,
  cpuQuota,
  cpuTime,
  hyperthreads,
  isVirtual,
  memoryAvailable,
  memoryLimit,
  parseCgroups,
  stolenShare,
} from '../../src/doctor/host.ts';

const files =
  (all: Readonly<Record<string, string>>) =>
  (path: string): string | null =>
    all[path] ?? null;
const NOTHING = files({});

const V2 = '0::/user.slice/run\n';
const V1 = '4:memory:/box\n1:cpu,cpuacct:/box\n0::/\n';

test('control groups', () => {
  expect(parseCgroups(V1)).toEqual([
    { controllers: ['memory'], path: '/box' },
    { controllers: ['cpu', 'cpuacct'], path: '/box' },
    { controllers: [], path: '/' },
  ]);
  expect(parseCgroups('0::/a:b\n')).toEqual([{ controllers: [], path: '/a:b' }]);
  expect(ancestors('/a/b')).toEqual(['/a/b', '/a', '']);
  expect(ancestors('/')).toEqual(['']);
});

describe('quota', () => {
  const quota = (all: Readonly<Record<string, string>>): number | null => cpuQuota(files(all));

  test('version 2: the tightest of the group and those above it', () => {
    const root = '/sys/fs/cgroup';
    const text = { '/proc/self/cgroup': V2 };
    expect(quota({ ...text, [`${root}/user.slice/run/cpu.max`]: '150000 100000\n' })).toBe(1.5);
    expect(quota({ ...text, [`${root}/user.slice/run/cpu.max`]: 'max 100000\n' })).toBeNull();
    expect(
      quota({
        ...text,
        [`${root}/user.slice/run/cpu.max`]: '400000 100000',
        [`${root}/user.slice/cpu.max`]: '300000 100000',
      }),
    ).toBe(3);
  });

  test('version 1, by either name of the mount', () => {
    for (const mount of ['cpu,cpuacct', 'cpu']) {
      const folder = `/sys/fs/cgroup/${mount}/box`;
      const of = (us: string): number | null =>
        quota({
          '/proc/self/cgroup': V1,
          [`${folder}/cpu.cfs_quota_us`]: us,
          [`${folder}/cpu.cfs_period_us`]: '50000\n',
        });
      expect(of('100000\n')).toBe(2);
      expect(of('-1\n')).toBeNull();
    }
  });

  test('nothing told is no limit', () => {
    expect(quota({})).toBeNull();
  });
});

describe('memory', () => {
  test('limits', () => {
    const v2 = (bytes: string): number | null =>
      memoryLimit(
        files({ '/proc/self/cgroup': V2, '/sys/fs/cgroup/user.slice/memory.max': bytes }),
      );
    expect(v2('1048576\n')).toBe(1_048_576);
    expect(v2('max\n')).toBeNull();
    const v1 = (bytes: string): number | null =>
      memoryLimit(
        files({
          '/proc/self/cgroup': V1,
          '/sys/fs/cgroup/memory/box/memory.limit_in_bytes': bytes,
        }),
      );
    expect(v1('2097152\n')).toBe(2_097_152);
    expect(v1('9223372036854771712\n')).toBeNull();
    expect(memoryLimit(NOTHING)).toBeNull();
  });

  test('available', () => {
    const text = 'MemTotal:       100 kB\nMemFree:         5 kB\nMemAvailable:    70 kB\n';
    expect(memoryAvailable(files({ '/proc/meminfo': text }))).toBe(70 * 1024);
    expect(memoryAvailable(NOTHING)).toBeNull();
  });
});

describe('hyperthreads', () => {
  const lists = (all: readonly string[]) =>
    files(
      Object.fromEntries(
        all.map((list, cpu) => [
          `/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`,
          `${list}\n`,
        ]),
      ),
    );

  test('groups among the CPUs that may be used', () => {
    const read = lists(['0,2', '1,3', '0,2', '1,3']);
    expect(hyperthreads(read, [0, 1, 2, 3])).toEqual([
      [0, 2],
      [1, 3],
    ]);
    expect(hyperthreads(read, [0, 1, 2])).toEqual([[0, 2]]);
    expect(hyperthreads(read, [0, 1])).toEqual([]);
    expect(hyperthreads(lists(['0-1', '0-1']), [0, 1])).toEqual([[0, 1]]);
  });

  test('not told', () => {
    expect(hyperthreads(NOTHING, [0])).toBeNull();
  });
});

test('a virtual machine', () => {
  const flags = (text: string): boolean => isVirtual(files({ '/proc/cpuinfo': text }));
  expect(flags('model name: x\nflags\t\t: fpu vme hypervisor lm\n')).toBe(true);
  expect(flags('flags\t\t: fpu vme lm\nbugs: hypervisor\n')).toBe(false);
  expect(isVirtual(files({ '/sys/class/dmi/id/product_name': 'KVM Virtual Machine\n' }))).toBe(
    true,
  );
  expect(isVirtual(files({ '/sys/class/dmi/id/product_name': 'Kunpeng S920\n' }))).toBe(false);
});

test('stolen time', () => {
  const stat = (steal: number, guest = 7): string =>
    `cpu  10 0 20 60 0 0 10 ${steal} ${guest} 0\ncpu0 1\n`;
  const read = (text: string) => cpuTime(files({ '/proc/stat': text }));
  expect(read(stat(5))).toEqual({ total: 105, stolen: 5 });
  const before = { total: 100, stolen: 5 };
  expect(stolenShare(before, { total: 300, stolen: 15 })).toBe(0.05);
  expect(stolenShare(before, before)).toBeNull();
  expect(stolenShare(null, before)).toBeNull();
  expect(read('intr 5\n')).toBeNull();
});

test('the clock source', () => {
  const file = '/sys/devices/system/clocksource/clocksource0/current_clocksource';
  expect(clockSource(files({ [file]: 'kvm-clock\n' }))).toBe('kvm-clock');
  expect(clockSource(NOTHING)).toBeNull();
});
