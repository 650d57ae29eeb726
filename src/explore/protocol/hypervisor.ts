/**
 * The hypervisor's thread: it holds the VM's lock, runs the protocol, and unlocks, which is a
 * store-release (KVM's mmu_lock). A vCPU that has seen the lock free comes after the transition.
 */
import type { BbmLevel } from '../../arch/feat-bbm.ts';
import type { Cpu, Entry, Protocol, Transition, TransitionTrace } from '../../port/index.ts';
import { LOCK_FREE, type MemoryMap, TARGET, VMID } from './memory-map.ts';
import { createModelTables, type Roles } from './model-tables.ts';
import type { Recording, Script } from './recording.ts';
import type { Path } from './unroll.ts';

export function hypervisorScript(protocol: Protocol, map: MemoryMap, bbm: BbmLevel): Script {
  const transition: Transition = Object.freeze({
    entry: TARGET as Entry,
    level: map.level,
    ipa: map.ipa,
    size: map.size,
    old: map.old,
    wanted: map.wanted,
    pa: map.pa,
    bbm,
  });
  return (recording) => {
    const roleOf = createRoles();
    const tables = createModelTables(map, recording, roleOf);
    protocol.run(createCpu(recording, roleOf), transition, tables);
    recording.write(map.lock, LOCK_FREE, true);
  };
}

/** The transition of one path, as the checker's automaton judges it. */
export function traceOf(map: MemoryMap, path: Path): TransitionTrace {
  return {
    level: map.level,
    ipa: map.ipa,
    size: map.size,
    old: map.old,
    wanted: map.wanted,
    vmid: VMID,
    oldHasChildren: map.kind === 'coalesce',
    events: path.trace,
  };
}

function createRoles(): Roles {
  const known: number[] = [TARGET];
  return (location) => {
    const found = known.indexOf(location);
    const index = found >= 0 ? found : known.push(location) - 1;
    return index === 0 ? 'target' : `child ${index}`;
  };
}

/** The port, one operation of the recording each. An answered read is an event, a waiting one not. */
function createCpu(recording: Recording, roleOf: Roles): Cpu {
  return {
    read(entry) {
      const value = recording.read(entry);
      recording.note({ op: 'read', entry: roleOf(entry), value });
      return value;
    },
    write(entry, value) {
      recording.write(entry, value, false);
      recording.note({ op: 'write', order: 'plain', entry: roleOf(entry), value });
    },
    writeRelease(entry, value) {
      recording.write(entry, value, true);
      recording.note({ op: 'write', order: 'release', entry: roleOf(entry), value });
    },
    compareExchange(entry, expected, desired) {
      const found = recording.compareExchange(entry, expected, desired);
      const role = roleOf(entry);
      recording.note(
        found === expected
          ? { op: 'write', order: 'cas', entry: role, value: desired }
          : { op: 'read', entry: role, value: found },
      );
      return found;
    },
    dsb(kind) {
      recording.dsb(kind);
      recording.note({ op: 'dsb', kind });
    },
    isb() {
      recording.isb();
      recording.note({ op: 'isb' });
    },
    tlbi(op) {
      recording.tlbi(op);
      recording.note({ op: 'tlbi', tlbi: op });
    },
  };
}
