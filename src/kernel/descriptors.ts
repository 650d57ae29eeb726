/**
 * What an entry holds, in the words of the kernel and in those of the machine. They differ in the
 * addresses of a small machine, in the memory attributes of FEAT_S2FWB, in the value of an entry that is
 * broken and owned (LOCKED), and in the software bits, which carry the harness's version of a leaf.
 */
import { type Descriptor, LOCKED } from '../arch/descriptor.ts';
import type { Level } from '../arch/geometry.ts';
import type { Transition } from '../port/protocol.ts';
import type { Scale } from './scale.ts';

const VALID = 1n;
const SOFTWARE = 0xfn << 55n;
const MEMATTR = 0xfn << 2n;
const ADDRESS = 0xffff_ffff_f000n;
/** MemAttr[3:0] of Normal Write-Back without FEAT_S2FWB and with it (Arm ARM D8.6). */
const NORMAL = 0xfn << 2n;
const NORMAL_FWB = 0x6n << 2n;

/** Does an entry of `level` that holds it point to a page of tables? */
export type IsTable = (d: Descriptor, level: Level) => boolean;

export interface Encoding {
  /** 0: the version has none. */
  readonly locked: Descriptor;
  readonly fwb: boolean;
}

export class Descriptors {
  readonly #encoding: Encoding;
  readonly #scale: Scale;
  readonly #version: Descriptor;
  readonly #isTable: IsTable;

  /** `isTable`: it points to a page of tables. */
  constructor(encoding: Encoding, scale: Scale, { wanted }: Transition, isTable: IsTable) {
    this.#encoding = encoding;
    this.#scale = scale;
    this.#version = wanted & SOFTWARE;
    this.#isTable = isTable;
  }

  toKernel(d: Descriptor, level: Level): Descriptor {
    const { locked, fwb } = this.#encoding;
    if ((d & VALID) === 0n) return d === LOCKED && locked !== 0n ? locked : d;
    if (this.#isTable(d, level)) return d;
    const isNormal = fwb && (d & MEMATTR) === NORMAL;
    const attributes = isNormal ? (d & ~MEMATTR) | NORMAL_FWB : d;
    return withAddress(attributes, (pa) => this.#scale.kernelPa(pa));
  }

  /** What was read, as it was. */
  toMachine(d: Descriptor, level: Level): Descriptor {
    const { locked, fwb } = this.#encoding;
    if ((d & VALID) === 0n) return locked !== 0n && d === locked ? LOCKED : d;
    if (this.#isTable(d, level)) return d;
    const isNormal = fwb && (d & MEMATTR) === NORMAL_FWB;
    const attributes = isNormal ? (d & ~MEMATTR) | NORMAL : d;
    return withAddress(attributes, (pa) => this.#scale.machinePa(pa));
  }

  /** What is stored: a leaf is one of the new version, whichever it was made from. */
  stored(d: Descriptor, level: Level): Descriptor {
    const machine = this.toMachine(d, level);
    if ((d & VALID) === 0n || this.#isTable(d, level)) return machine;
    return (machine & ~SOFTWARE) | this.#version;
  }
}

function withAddress(d: Descriptor, of: (pa: number) => number): Descriptor {
  return (d & ~ADDRESS) | BigInt(of(Number(d & ADDRESS)));
}
