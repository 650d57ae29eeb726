/**
 * One transition of a protocol on real shared memory with nobody beside it: the machine of `stress`
 * with one region and no vCPU in the guest. What is wrong with its table pages then is wrong in any
 * run.
 */
import type { CpuModel } from '../arch/cpu-model.ts';
import type { BlockLevel, Granule, Level } from '../arch/geometry.ts';
import { createArena } from '../machine/arena.ts';
import { createRecorder } from '../machine/recorder.ts';
import { createAudit } from '../pgtable/audit.ts';
import { changeNamed, changesOf, changesSize } from '../port/kinds.ts';
import type { Protocol, Table } from '../port/index.ts';
import bbmEarly from '../protocols/bbm-early.ts';
import unmapLeafwise from '../protocols/unmap-leafwise.ts';
import writeProtect from '../protocols/write-protect.ts';
import type { Evidence } from '../result/evidence.ts';
import { scenarioNamed } from '../scenarios/index.ts';
import { anomalyEvidence } from '../stress/thread/anomaly-evidence.ts';
import type { GroupPlan, ProtocolSource } from '../stress/plan/group.ts';
import { recordsFor } from '../stress/plan/plan.ts';
import { createRegions, type Region } from '../stress/regions/regions.ts';
import { createSoftwareSide } from '../stress/regions/software-side.ts';
import { createWorkbench, type Workbench } from '../stress/workloads/workbench.ts';
import { emptyCount } from '../stress/workloads/workload.ts';
import { placeOfCaller } from './places.ts';
import type { Place } from './word.ts';

export interface SoloMachine {
  readonly granule: Granule;
  readonly level: BlockLevel;
  readonly cpu: CpuModel;
}

/** What the page pool or the audit found, and the protocol's call that was running then. */
export interface SoloFinding {
  readonly evidence: Evidence;
  readonly place: Place | null;
  /** A page was freed that was free already. */
  readonly isTwice: boolean;
}

/** Throws what the protocol throws, as ProtocolFailure. */
export function runAlone(
  protocol: Protocol,
  source: ProtocolSource,
  { granule, level, cpu }: SoloMachine,
): readonly SoloFinding[] {
  const scenario = scenarioNamed('adjust-populated');
  const arena = createArena({
    granule,
    level,
    blocks: 1,
    vcpus: 1,
    transitionsMax: recordsFor(1, 1),
    hafdbs: cpu.hafdbs,
  });
  const found: SoloFinding[] = [];
  const software = createSoftwareSide(arena, 0, (kind, page, is, expected) => {
    const evidence = anomalyEvidence(kind, page, is, expected, 0);
    if (evidence === null) return;
    found.push({ evidence, place: placeOfCaller(protocol), isTwice: kind === 'double-free' });
  });
  const { layout } = arena;
  const audit = createAudit(software.pool, [
    { root: 0 as Table, level: layout.startLevel as Level, pages: layout.startPages },
  ]);
  const regions = createRegions(arena, software, scenario);
  regions.rebuild();
  const bench = createWorkbench({
    arena,
    plan: planFor(arena.handle, source, cpu),
    scenario,
    protocols: [protocol],
    regions,
    software,
    recorder: createRecorder(arena, 0),
    observe: (evidence) => found.push({ evidence, place: null, isTwice: false }),
  });
  bench.begin(0, 1);
  const region = regions.all[0] as Region;
  if (changesSize(protocol.kind)) {
    if (protocol.kind === 'split') bench.reset(bbmEarly, region, 0);
    bench.step({ protocol, region, measured: true }, emptyCount());
  } else {
    runChanges(bench, protocol, region);
  }
  const left = audit.run(0).evidence.map((evidence) => ({ evidence, place: null, isTwice: false }));
  return [...found, ...left];
}

/** A protocol that changes no size, once in each of its forms but beside an owner of the entry. */
function runChanges(bench: Workbench, protocol: Protocol, region: Region): void {
  for (const name of changesOf(protocol)) {
    const { from, readOnly } = changeNamed(name);
    if (from === 'locked') continue;
    bench.regions.rebuild();
    if (from !== 'table') bench.reset(bbmEarly, region, 0);
    if (from === 'empty') bench.reset(unmapLeafwise, region, 0, { name: 'unmap-leaf' });
    if (readOnly === 'old') bench.reset(writeProtect, region, 0, { name: 'restrict' });
    bench.step({ protocol, region, measured: true, change: { name } }, emptyCount());
  }
}

/** What the workbench asks of a group; of the rest there is none. */
function planFor(arena: GroupPlan['arena'], protocol: ProtocolSource, cpu: CpuModel): GroupPlan {
  return {
    arena,
    results: new SharedArrayBuffer(0),
    scenario: 'adjust-populated',
    items: [{ protocol, cpu, bug: null }],
    seed: 0,
    access: 'atomics',
    pattern: 'uniform',
    storesPercent: 0,
    exitEvery: 1,
    pollsEachAccess: true,
    transitions: 1,
    gapNs: 0,
    reorder: false,
    delays: [],
    racesEntry: false,
    roundsMax: 1,
    pin: null,
    tokens: 1,
    spins: 0,
    signs: [],
    stopsAtSign: false,
  };
}
