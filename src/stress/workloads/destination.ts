/**
 * The other end of a migration: the guest's memory as it has arrived so far. Private to the
 * hypervisor's thread, as the migration's own buffers are.
 */
import type { Arena } from '../../machine/arena.ts';
import { guestWordOf } from '../../machine/layout.ts';

export interface Difference {
  readonly page: number;
  /** Whose word it is. */
  readonly vcpu: number;
  readonly copied: number;
  readonly inMemory: number;
}

export interface Destination {
  /** Sends one page: every vCPU's word in it. */
  copy(page: number): void;
  /** Where it differs from guest memory: at most `max` words. Nobody is in the guest. */
  differences(max: number): readonly Difference[];
}

export function createDestination(arena: Arena): Destination {
  const { i32, layout } = arena;
  const { pages, guestStrideW } = layout;
  const { vcpus } = layout.config;
  const image = new Int32Array(pages * vcpus);
  const firstWords = Int32Array.from({ length: vcpus }, (_, vcpu) => guestWordOf(layout, vcpu));

  return {
    copy(page) {
      const at = page * vcpus;
      const from = page * guestStrideW;
      for (let vcpu = 0; vcpu < vcpus; vcpu++) {
        image[at + vcpu] = i32[(firstWords[vcpu] as number) + from] as number;
      }
    },
    differences(max) {
      const found: Difference[] = [];
      for (let at = 0; at < image.length && found.length < max; at++) {
        const page = Math.floor(at / vcpus);
        const vcpu = at % vcpus;
        const inMemory = i32[(firstWords[vcpu] as number) + page * guestStrideW] as number;
        const copied = image[at] as number;
        if (copied !== inMemory) found.push({ page, vcpu, copied, inMemory });
      }
      return found;
    },
  };
}
