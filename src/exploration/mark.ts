/** What the numbers of a list of tasks are of: two lists with one mark are the same. */
import { createHash } from 'node:crypto';
import type { Search } from '../request/explore.ts';
import type { KernelTask } from '../request/kernel-plan.ts';

export function searchMark(searches: readonly Search[]): string {
  return markOf(
    searches.map(({ subject, ...rest }) => [
      subject.protocol.name,
      subject.source,
      subject.against?.source,
      rest,
    ]),
  );
}

export function kernelMark(tasks: readonly KernelTask[]): string {
  return markOf(tasks.map(({ info, searches }) => [info, searchMark(searches)]));
}

function markOf(parts: readonly unknown[]): string {
  return createHash('sha256').update(JSON.stringify(parts)).digest('hex');
}
