/**
 * The neighbours' side of the hypervisor: their tables, and the rollover by which one gets the VMID
 * of the other.
 *
 * When VMIDs run out, running VMs keep theirs (here the VM under test), every other one is given
 * away again after TLBI ALLE1IS (kernel arch/arm64/kvm/vmid.c, flush_context; __kvm_flush_vm_context).
 */
import { waitForChange } from '#sync';
import { childLevel, type Level } from '../../arch/geometry.ts';
import { basePageOf, CONTROL, NEIGHBOUR_BLOCK, NEIGHBOURS, VCPU } from '../../machine/layout.ts';
import { neighbourBlock } from '../../machine/vcpu/neighbour.ts';
import { Stopped } from '../../machine/tlb/shootdown.ts';
import type { Entry } from '../../port/cpu.ts';
import type { Table } from '../../port/tables.ts';
import type { Workbench } from './workbench.ts';

/** A wait sees the stop word at least this often. */
const WAIT_MS = 5;

export interface NeighbourHypervisor {
  /** Their tables from scratch, after the pool was: nobody is in any guest. */
  build(): void;
  /** The next neighbour gets the VMID. */
  rollOver(): void;
}

export function createNeighbourHypervisor(bench: Workbench): NeighbourHypervisor {
  const { arena, plan, software, flusher } = bench;
  const { i32, layout, descriptors } = arena;
  const { tables } = software;
  const ipaPage = basePageOf(layout) + NEIGHBOUR_BLOCK * layout.neighbourPages;
  let number = 0;

  function link(table: Table, level: Level, d: bigint): void {
    const index = (ipaPage >> (layout.indexBits * (3 - level))) & (layout.entriesPerTable - 1);
    const entry = (table * layout.entriesPerTable + index) as Entry;
    Atomics.store(descriptors, entry, d);
    tables.get(entry);
  }

  /** No vCPU runs a neighbour, and none begins to. */
  function stopNeighbours(): void {
    Atomics.store(i32, CONTROL.neighbour, -1);
    for (let vcpu = 0; vcpu < layout.config.vcpus; vcpu++) {
      const word = layout.vcpuW + vcpu * VCPU.words + VCPU.neighbour;
      while (Atomics.load(i32, word) !== 0) {
        if (bench.isStopped()) throw new Stopped('stopped while neighbours leave');
        waitForChange(i32, word, 1, plan.spins, WAIT_MS);
      }
    }
  }

  return {
    build() {
      for (let which = 0; which < NEIGHBOURS; which++) {
        let table = (layout.startPages + which) as Table;
        let level = layout.startLevel as Level;
        for (; level < 2; level = childLevel(level)) {
          const child = tables.allocate(childLevel(level));
          link(table, level, tables.descriptorFor(child));
          table = child;
        }
        link(table, level, neighbourBlock(arena, which));
      }
      Atomics.store(i32, CONTROL.neighbour, number);
    },
    rollOver() {
      stopNeighbours();
      if (bench.planned.bug !== 'rollover-unflushed') {
        flusher.dsb('ishst');
        flusher.tlbi({ kind: 'alle1is' });
        flusher.dsb('ish');
      }
      number++;
      Atomics.store(i32, CONTROL.neighbour, number);
    },
  };
}
