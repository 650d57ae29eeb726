/**
 * Which tree a VMID or ASID stands for. TLB entries carry it, so two trees may have the same one
 * only with a TLBI of all its entries in between.
 *
 * Of an instrumented hypervisor, which declares its roots, casemate asks more: a root keeps its
 * number, and no other root has it. KVM gives a VM another number whenever it needs to.
 */
import type { Switch } from '../tables/registers.ts';
import { hex, type Tree } from '../tables/tree.ts';

const NAME = { stage2: 'VMID', el2: 'ASID' } as const;
const REGISTER = { stage2: 'VTTBR_EL2', el2: 'TTBR0_EL2' } as const;

/** A tree that was loaded under a number of which TLBs hold another tree's entries. */
export interface Suspicion {
  readonly tree: Tree;
  readonly thread: number;
  readonly why: string;
}

export class Identity {
  /** By regime and number: the tree whose entries TLBs may hold under it. */
  readonly #users = new Map<string, Tree>();
  readonly #suspicions = new Map<string, Suspicion>();

  /** TTBR0_EL2 has no ASID where EL2 is no host (HCR_EL2.E2H = 0). */
  asidObjection({ regime, id, root }: Switch, isHostExtended: boolean): string | null {
    if (regime !== 'el2' || id === 0 || isHostExtended) return null;
    return (
      `TTBR0_EL2 was written with ASID ${id} for the tree at ${hex(root)}: the EL2 regime has no ` +
      'ASIDs (HCR_EL2.E2H = 0), the field is reserved 0'
    );
  }

  /** A root that the log declares gets another number. */
  changeObjection(tree: Tree, id: number): string | null {
    if (!tree.declared || tree.id === id) return null;
    const name = NAME[tree.regime];
    return (
      `${REGISTER[tree.regime]} was written with ${name} ${id} for the tree at ${hex(tree.root)}, ` +
      `which already has ${name} ${tree.id}: its entries under that one are not flushed by this one`
    );
  }

  /**
   * `tree` has its number in a register from now on. Why it may not; null if it may. What only
   * TLBs know is kept back: loading a tree in order to flush its number is how it is set right.
   */
  use(tree: Tree, others: Iterable<Tree>, thread: number): string | null {
    const { regime, id } = tree;
    const name = NAME[regime];
    const key = `${regime} ${id}`;
    const last = this.#users.get(key);
    this.#users.set(key, tree);
    const what = `${REGISTER[regime]} was written with ${name} ${id} for the tree at ${hex(tree.root)}`;
    if (tree.declared) {
      for (const other of others)
        if (other !== tree && other.declared && other.regime === regime && other.id === id)
          return `${what}, which the tree at ${hex(other.root)} has too: two trees share one ${name}`;
    }
    if (last === undefined || last.root === tree.root || !last.filled || last.declared) return null;
    this.#suspicions.set(key, {
      tree,
      thread,
      why:
        `${what}, which the tree at ${hex(last.root)} ran under: no TLBI of all its entries ` +
        '(VMALLS12E1IS, ALLE1IS) came before it was used, so the old translations may be',
    });
    return null;
  }

  /** The tree gets another number and never had a translation under this one: nobody holds any. */
  leaveUnused(tree: Tree): void {
    const key = `${tree.regime} ${tree.id}`;
    if (this.#users.get(key) === tree) this.#users.delete(key);
  }

  /** `thread` goes on to another tree, or something valid was stored to `tree`: was it unflushed? */
  convict(by: { readonly thread: number } | { readonly tree: Tree }): Suspicion | null {
    if (this.#suspicions.size === 0) return null;
    for (const [key, suspicion] of this.#suspicions) {
      const due = 'tree' in by ? suspicion.tree === by.tree : suspicion.thread === by.thread;
      if (!due) continue;
      this.#suspicions.delete(key);
      return suspicion;
    }
    return null;
  }

  /** All entries of these numbers are gone: of one, or of all of a regime. */
  flushed(regime: Tree['regime'], id: number | null): void {
    for (const map of [this.#users, this.#suspicions] as Map<string, unknown>[])
      for (const key of [...map.keys()])
        if (id === null ? key.startsWith(regime) : key === `${regime} ${id}`) map.delete(key);
  }
}
