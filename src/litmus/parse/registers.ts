/** Register file of one path: a value and where it came from. Copied where the tree branches. */
import type { Dependency } from '../../explore/model/index.ts';
import { NO_DEPENDENCY } from '../../explore/model/index.ts';
import type { Flags } from '../tree/alu.ts';
import { Unsupported } from '../errors.ts';
import type { Register } from './instruction.ts';
import { formatValue, numberValue, type Value, ZERO } from './value.ts';

/** A value and the reads it depends on. */
export interface Tracked {
  readonly value: Value;
  readonly from: Dependency;
}

export interface TrackedFlags {
  readonly flags: Flags;
  readonly from: Dependency;
}

export function both(a: Dependency, b: Dependency): Dependency {
  return { basic: a.basic | b.basic, pick: a.pick | b.pick };
}

const NO_FLAGS: TrackedFlags = {
  flags: { n: false, z: false, c: false, v: false },
  from: NO_DEPENDENCY,
};

export class Registers {
  flags: TrackedFlags = NO_FLAGS;
  readonly #values: Map<string, Tracked>;

  constructor(values: ReadonlyMap<string, Tracked> = new Map()) {
    this.#values = new Map(values);
  }

  copy(): Registers {
    const copy = new Registers(this.#values);
    copy.flags = this.flags;
    return copy;
  }

  get(register: Register, line: number): Tracked {
    const tracked = this.named(register.name);
    return register.width === 64
      ? tracked
      : { value: narrow(tracked.value, line), from: tracked.from };
  }

  set(register: Register, value: Value, from: Dependency, line: number): void {
    if (register.name === 'ZR') return;
    this.#values.set(register.name, {
      value: register.width === 64 ? value : narrow(value, line),
      from,
    });
  }

  /** By name; a register nobody wrote holds 0. */
  named(name: string): Tracked {
    if (name === 'ZR') return { value: ZERO, from: NO_DEPENDENCY };
    return this.#values.get(name) ?? { value: ZERO, from: NO_DEPENDENCY };
  }
}

/** The lower half: only numbers have one. */
function narrow(value: Value, line: number): Value {
  if (value.kind === 'number') return numberValue(BigInt.asUintN(32, value.number));
  throw new Unsupported(`the lower half of ${formatValue(value)}`, line);
}
