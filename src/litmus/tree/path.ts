/** A path through a thread's code: where it is, and what it has done. */
import type { CodePoint } from '../parse/code-point.ts';
import type { Instruction } from '../parse/instruction.ts';
import type { PathOrigins } from './origins.ts';
import type { PathFault } from '../verdict/outcomes.ts';
import type { Registers } from '../parse/registers.ts';

export type Is<Kind extends Instruction['kind']> = Instruction & { readonly kind: Kind };

/** How often a path came to one instruction. */
export interface Visits {
  readonly times: number;
  /** Those before which something was left open: a read or a fault since the visit before. */
  readonly open: number;
  /** Reads and faults of the path at the last of them. */
  readonly chances: number;
}

export interface Point {
  readonly registers: Registers;
  readonly reads: number;
  /** By instruction, where the code can come back to one. */
  readonly visits: ReadonlyMap<string, Visits>;
  readonly faults: readonly PathFault[];
  /** The access that faulted and is being retried. */
  readonly retried: Instruction | null;
  /** Inside the fault handler: where ERET goes. */
  readonly returnTo: CodePoint | null;
  /** The read of the load-exclusive that set the monitor; null: it is clear. */
  readonly monitor: number | null;
  /** Own writes so far, and reads that branches so far depended on: where values come from. */
  readonly origins: PathOrigins;
}
