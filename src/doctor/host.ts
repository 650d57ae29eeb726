/**
 * What Linux says of this machine and of what this process may have of it, from /proc and /sys.
 * Every file may be missing (another system, a sandbox): what is not said is null, never a guess.
 */
import { parseCpuList } from '../stress/process/pinning.ts';

/** The text of a file, or null if it cannot be read. */
export type ReadText = (path: string) => string | null;

interface CgroupPath {
  /** Controllers of a version 1 hierarchy; empty: version 2. */
  readonly controllers: readonly string[];
  readonly path: string;
}

/** /proc/self/cgroup: lines of `id:controllers:path`. */
export function parseCgroups(text: string): readonly CgroupPath[] {
  return text.split('\n').flatMap((line) => {
    const [, controllers, ...path] = line.split(':');
    if (controllers === undefined || path.length === 0) return [];
    return [{ controllers: controllers.split(',').filter((c) => c !== ''), path: path.join(':') }];
  });
}

/** `/a/b` as `/a/b`, `/a`, and the root: a limit of any of them holds. */
export function ancestors(path: string): readonly string[] {
  const parts = path.split('/').filter((part) => part !== '');
  return Array.from({ length: parts.length + 1 }, (_, i) =>
    parts
      .slice(0, parts.length - i)
      .map((part) => `/${part}`)
      .join(''),
  );
}

const CGROUP_ROOT = '/sys/fs/cgroup';

/** The folders of the hierarchy that has `controller`, the process's own first. */
function cgroupFolders(read: ReadText, controller: string, version: 1 | 2): readonly string[] {
  const all = parseCgroups(read('/proc/self/cgroup') ?? '');
  const own = all.find(({ controllers }) =>
    version === 2 ? controllers.length === 0 : controllers.includes(controller),
  );
  if (own === undefined) return [];
  // A mount of version 1 is named after its controllers; `cpu` is often mounted with `cpuacct`.
  const mounts =
    version === 2
      ? [CGROUP_ROOT]
      : [own.controllers.join(','), controller].map((name) => `${CGROUP_ROOT}/${name}`);
  return mounts.flatMap((mount) => ancestors(own.path).map((folder) => mount + folder));
}

/** CPUs' worth of time the control groups grant; null: no limit that can be seen. */
export function cpuQuota(read: ReadText): number | null {
  const limits = [
    ...cgroupFolders(read, 'cpu', 2).map((folder) => quotaOf(read(`${folder}/cpu.max`), ' ')),
    ...cgroupFolders(read, 'cpu', 1).map((folder) => {
      const quota = read(`${folder}/cpu.cfs_quota_us`);
      const period = read(`${folder}/cpu.cfs_period_us`);
      return quota === null || period === null ? null : quotaOf(`${quota.trim()} ${period}`, ' ');
    }),
  ].filter((limit) => limit !== null);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** `max 100000`, `150000 100000`; -1 is version 1's word for no limit. */
function quotaOf(text: string | null, separator: string): number | null {
  const [quota = '', period = ''] = (text ?? '').trim().split(separator);
  const share = Number(quota) / Number(period);
  return quota !== '' && Number.isFinite(share) && share > 0 ? share : null;
}

/** Bytes the control groups allow; null: no limit that can be seen. */
export function memoryLimit(read: ReadText): number | null {
  const limits = [
    ...cgroupFolders(read, 'memory', 2).map((folder) => read(`${folder}/memory.max`)),
    ...cgroupFolders(read, 'memory', 1).map((folder) => read(`${folder}/memory.limit_in_bytes`)),
  ]
    .map((text) => Number((text ?? '').trim() || 'none'))
    .filter((bytes) => Number.isFinite(bytes) && bytes > 0 && bytes < NO_MEMORY_LIMIT);
  return limits.length === 0 ? null : Math.min(...limits);
}

/** Version 1 says "no limit" by a number near 2^63. */
const NO_MEMORY_LIMIT = 2 ** 60;

/** MemAvailable of /proc/meminfo, in bytes. */
export function memoryAvailable(read: ReadText): number | null {
  const kib = /^MemAvailable:\s*(\d+) kB$/m.exec(read('/proc/meminfo') ?? '')?.[1];
  return kib === undefined ? null : Number(kib) * 1024;
}

/** Groups of allowed CPUs that share a core; null where the topology is not told. */
export function hyperthreads(read: ReadText, allowed: readonly number[]): number[][] | null {
  const groups = new Map<string, number[]>();
  for (const cpu of allowed) {
    const list = read(`/sys/devices/system/cpu/cpu${cpu}/topology/thread_siblings_list`);
    if (list === null) return null;
    const together = parseCpuList(list.trim()).filter((other) => allowed.includes(other));
    if (together.length > 1) groups.set(together.join(','), together);
  }
  return [...groups.values()];
}

/** x86 tells it by a CPU flag, Arm machines by what the firmware calls the product. */
export function isVirtual(read: ReadText): boolean {
  if (/^flags\s*:.*\bhypervisor\b/m.test(read('/proc/cpuinfo') ?? '')) return true;
  return /\b(qemu|kvm|virtual|vmware|ec2|compute engine)\b/i.test(
    read('/sys/class/dmi/id/product_name') ?? '',
  );
}

export interface CpuTime {
  readonly total: number;
  readonly stolen: number;
}

/** First line of /proc/stat, in ticks: user nice system idle iowait irq softirq steal …. */
export function cpuTime(read: ReadText): CpuTime | null {
  const ticks = /^cpu\s+([\d ]+)$/m
    .exec(read('/proc/stat') ?? '')?.[1]
    ?.split(' ')
    .map(Number);
  if (ticks === undefined || ticks.length < 8) return null;
  // Guest time is contained in user time.
  const total = ticks.slice(0, 8).reduce((sum, t) => sum + t, 0);
  return { total, stolen: ticks[7] as number };
}

export function stolenShare(before: CpuTime | null, after: CpuTime | null): number | null {
  if (before === null || after === null || after.total <= before.total) return null;
  return (after.stolen - before.stolen) / (after.total - before.total);
}

export function clockSource(read: ReadText): string | null {
  const folder = '/sys/devices/system/clocksource/clocksource0';
  return read(`${folder}/current_clocksource`)?.trim() ?? null;
}
