/**
 * A small machine with its tables built, and the MMU of one of its vCPUs: what the stress engine
 * sets up, on one thread.
 */
import { type CpuModel, DEFAULT_CPU } from '../../src/arch/cpu-model.ts';
import { type Descriptor, isTable } from '../../src/arch/descriptor.ts';
import { childLevel, entrySize, type Level, tableIndex } from '../../src/arch/geometry.ts';
import { type Arena, createArena } from '../../src/machine/arena.ts';
import type { HdbssRing } from '../../src/machine/dirty/hdbss-ring.ts';
import { GHOST_STABLE, ghostWord } from '../../src/machine/ghost.ts';
import { LINE_WORDS, type MachineConfig, regionShift } from '../../src/machine/layout.ts';
import { createMmu, type Mmu } from '../../src/machine/walk/mmu.ts';
import { createRecorder } from '../../src/machine/recorder.ts';
import type { Table } from '../../src/port/tables.ts';
import type { Evidence } from '../../src/result/evidence.ts';
import { scenarioNamed } from '../../src/scenarios/index.ts';
import { decodeEvidence } from '../../src/stress/results/decode.ts';
import { createRegions, type Regions } from '../../src/stress/regions/regions.ts';
import { createSoftwareSide, type SoftwareSide } from '../../src/stress/regions/software-side.ts';

export interface TestMachine {
  readonly arena: Arena;
  readonly software: SoftwareSide;
  readonly regions: Regions;
  mmu(cpu?: Partial<CpuModel>, vcpu?: number, ring?: HdbssRing): Mmu;
  /** Index into the descriptors of the entry of `level` on the way to `page`. */
  entryOf(page: number, level: Level): number;
  peek(page: number, level: Level): Descriptor;
  poke(page: number, level: Level, d: Descriptor): void;
  /** Ghost word of the region of `page`. */
  ghost(page: number): number;
  setGhost(page: number, word: number): void;
  /** Region 0 becomes the block of the next version, as after a transition nobody saw. */
  makeBlock(): Descriptor;
  evidence(): Evidence[];
}

export function createTestMachine(change: Partial<MachineConfig> = {}): TestMachine {
  const arena = createArena({
    granule: '4k',
    level: 2,
    blocks: 2,
    vcpus: 2,
    transitionsMax: 4,
    ...change,
  });
  const { layout, geometry: g, descriptors, i32 } = arena;
  const software = createSoftwareSide(arena, 0);
  const regions = createRegions(arena, software, scenarioNamed('adjust-populated'));
  regions.rebuild();
  const ghostIndex = (page: number): number =>
    layout.ghostW + (page >> (regionShift(layout) - layout.pageShift)) * LINE_WORDS;

  function entryOf(page: number, wanted: Level): number {
    const ipa = layout.ipaBase + page * 2 ** layout.pageShift;
    let level = layout.startLevel as Level;
    let table = 0 as Table;
    let index = Math.floor(ipa / entrySize(g, level));
    while (level < wanted) {
      const d = Atomics.load(descriptors, table * layout.entriesPerTable + index);
      if (!isTable(d, level)) throw new Error(`no table of level ${level} above page ${page}`);
      table = software.tables.follow(d);
      level = childLevel(level);
      index = tableIndex(g, level, ipa);
    }
    return table * layout.entriesPerTable + index;
  }

  const poke = (page: number, level: Level, d: Descriptor): void => {
    Atomics.store(descriptors, entryOf(page, level), d);
  };
  return {
    arena,
    software,
    regions,
    mmu(cpu = {}, vcpu = 0, ring) {
      const recorder = createRecorder(arena, vcpu + 1);
      return createMmu(arena, vcpu, { ...DEFAULT_CPU, ...cpu }, 'wasm', recorder, ring);
    },
    entryOf,
    peek: (page, level) => Atomics.load(descriptors, entryOf(page, level)),
    poke,
    ghost: (page) => i32[ghostIndex(page)] as number,
    setGhost: (page, word) => {
      Atomics.store(i32, ghostIndex(page), word);
    },
    makeBlock() {
      const region = regions.all[0];
      if (region === undefined) throw new Error('no region');
      const version = regions.versionOf(region) + 1;
      const block = regions.blockAt(region, version);
      Atomics.store(descriptors, region.entry, block);
      Atomics.store(i32, region.ghostW, ghostWord(version, GHOST_STABLE));
      return block;
    },
    evidence: () => decodeEvidence(arena).recorded.map((r) => r.evidence),
  };
}
