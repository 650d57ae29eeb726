/**
 * One of two makers at a region: its walk loads the entry, within a section that keeps the tables it may
 * meet from being freed, and what is to change the entry begins if that is what it starts from
 * (explore/protocol/maker.ts is the same in the other engine).
 *
 * Both want the same mapping, the region's next version, so who comes first does not matter.
 */
import { GUEST_VMID, type VmidBits } from '../../arch/context.ts';
import { type Descriptor, typeOf } from '../../arch/descriptor.ts';
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { BlockLevel } from '../../arch/geometry.ts';
import type { Arena } from '../../machine/arena.ts';
import { LAST_RESORT_MS } from '../../machine/last-resort.ts';
import type { TraceLog } from '../../machine/hypervisor/trace-log.ts';
import type { TransitionCpu, TransitionFigures } from '../../machine/hypervisor/transition-cpu.ts';
import { changeNamed, plainChange } from '../../port/kinds.ts';
import type { Protocol, Transition } from '../../port/index.ts';
import { isUpdated, TRIES_MAX } from '../changes/change.ts';
import { runNamed } from '../changes/run-named.ts';
import type { Region, Regions } from '../regions/regions.ts';
import type { SoftwareSide } from '../regions/software-side.ts';

export interface MakerSite {
  readonly arena: Arena;
  readonly regions: Regions;
  readonly software: SoftwareSide;
  readonly port: TransitionCpu;
  readonly protocol: Protocol;
  readonly log: TraceLog;
  readonly bbm: BbmLevel;
  readonly vmidBits: VmidBits;
}

export interface MakerCall {
  readonly region: Region;
  /** Its version before. */
  readonly version: number;
  /** Word of the region's ghost state, for the one that keeps it. */
  readonly ghostW: number | null;
  /** Between the load of the entry and the first store of the protocol. */
  readonly meet: (seen: Descriptor) => void;
  /** The protocol has run; what it has retired is still to be freed. */
  readonly ran: () => void;
}

/** Null: there was nothing to do. Throws what the protocol throws, and PoolExhausted. */
export function runMaker(site: MakerSite, call: MakerCall): Readonly<TransitionFigures> | null {
  const { arena, software, protocol, log } = site;
  const { level } = arena.layout.config;
  const { from } = changeNamed(plainChange(protocol));
  const load = (): Descriptor => Atomics.load(arena.descriptors, call.region.entry);
  let figures: TransitionFigures | null = null;
  software.grace.enter();
  try {
    let old = load();
    call.meet(old);
    for (let tries = 0; tries < TRIES_MAX && typeOf(old, level) === from; tries++) {
      figures = runOnce(site, call, old, level);
      log.end();
      const found = load();
      if (!isUpdated(old, found)) break;
      old = found;
    }
  } finally {
    software.grace.exit();
    call.ran();
  }
  if (software.grace.pending > 0) software.grace.drain(LAST_RESORT_MS);
  return figures;
}

function runOnce(
  { regions, port, protocol, log, bbm, vmidBits }: MakerSite,
  { region, version, ghostW }: MakerCall,
  old: Descriptor,
  level: BlockLevel,
): TransitionFigures {
  const transition: Transition = Object.freeze({
    entry: region.entry,
    level,
    ipa: region.ipa,
    pa: regions.placeAt(region, version + 1),
    size: region.size,
    old,
    wanted: regions.blockAt(region, version + 1),
    bbm,
    vmid: protocol.vmid ?? GUEST_VMID,
  });
  port.begin(transition, {
    measured: true,
    log,
    ghostW,
    lock: 'shared',
    context: { start: 'guest', vmid: transition.vmid, bits: vmidBits },
  });
  runNamed(protocol, port, transition);
  port.drain();
  return port.end();
}
