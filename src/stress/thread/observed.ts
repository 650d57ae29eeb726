/**
 * What the hypervisor's thread itself sees between operations and in its audits: evidence by plan
 * item, and what of it is a sign. What vCPUs see they record (machine/recorder.ts).
 */
import type { Arena } from '../../machine/arena.ts';
import { CONTROL } from '../../machine/layout.ts';
import type { Evidence } from '../../result/evidence.ts';
import type { GroupPlan } from '../plan/group.ts';
import { recordedSigns } from '../results/signs.ts';

/** Of each item; the rest is counted. */
const EVIDENCE_KEPT = 32;

export class Observed {
  /** Whatever is seen from now on is held against this item, and was seen in this round. */
  item = 0;
  round = 0;
  readonly evidence: readonly Evidence[][];
  readonly dropped: number[];
  readonly #signs: number[];
  readonly #arena: Arena;
  readonly #plan: GroupPlan;

  constructor(arena: Arena, plan: GroupPlan) {
    this.#arena = arena;
    this.#plan = plan;
    this.evidence = plan.items.map(() => []);
    this.dropped = plan.items.map(() => 0);
    this.#signs = plan.items.map(() => 0);
  }

  add(evidence: Evidence): void {
    const list = this.evidence[this.item] as Evidence[];
    if (list.length < EVIDENCE_KEPT) list.push(evidence);
    else this.dropped[this.item] = (this.dropped[this.item] as number) + 1;
    if (this.#plan.signs.includes(evidence.kind)) {
      this.#signs[this.item] = (this.#signs[this.item] as number) + 1;
    }
    Atomics.add(this.#arena.i32, CONTROL.evidenceSeen, 1);
  }

  /** Of the item that runs, by any thread. */
  signs(): number {
    const own = this.#signs[this.item] as number;
    return own + recordedSigns(this.#arena, this.item, this.#plan.signs);
  }

  /** The same, at the price of one load while nothing at all has been seen. */
  hasSign(): boolean {
    return Atomics.load(this.#arena.i32, CONTROL.evidenceSeen) > 0 && this.signs() > 0;
  }
}
