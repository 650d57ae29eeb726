/** A path through a thread's code: where it is, and what it has done. */
import type { Instruction } from './instruction.ts';
import type { PathFault } from './outcomes.ts';
import type { Registers } from './registers.ts';
import type { CodePoint } from './test-case.ts';

export type Is<Kind extends Instruction['kind']> = Instruction & { readonly kind: Kind };

export interface Point {
  readonly registers: Registers;
  readonly reads: number;
  /** By section and index. */
  readonly visits: ReadonlyMap<string, number>;
  readonly faults: readonly PathFault[];
  /** The access that faulted and is being retried. */
  readonly retried: Instruction | null;
  /** Inside the fault handler: where ERET goes. */
  readonly returnTo: CodePoint | null;
  /** The read of the load-exclusive that set the monitor; null: it is clear. */
  readonly monitor: number | null;
}

export function keyOf(pc: CodePoint): string {
  return `${pc.section} ${pc.index}`;
}

export function behind(pc: CodePoint): CodePoint {
  return { section: pc.section, index: pc.index + 1 };
}
