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
const WHOLE = { stage2: 'VMALLS12E1IS, ALLE1IS', el2: 'ALLE2IS' } as const;
const REGISTER = { stage2: 'VTTBR_EL2', el2: 'TTBR0_EL2' } as const;

/** The tree whose entries TLBs may hold under a number. */
interface User {
  readonly tree: Tree;
  /** It has another number by now, and its entries under this one were not flushed. */
  left: boolean;
  /** Its breaks by then; fewer than any if one was not flushed. */
  breaks: number;
  /** What its root held when the log said that it was given up; null: it was not. */
  released: string | null;
}

const NEW = { left: false, breaks: 0, released: null };

/** A tree that was loaded under a number of which TLBs hold another tree's entries. */
export interface Suspicion {
  readonly tree: Tree;
  readonly thread: number;
  /** Whose entries they are. */
  readonly last: User;
  readonly why: string;
}

/** What a TLBI takes once its own PE has executed a DSB (R_TGVWD, R_YNJCP). */
interface Flush {
  readonly key: string;
  readonly user: User | undefined;
  readonly suspicion: Suspicion | undefined;
}

export class Identity {
  /** By regime and number. */
  readonly #users = new Map<string, User>();
  readonly #suspicions = new Map<string, Suspicion>();
  /** By thread: its TLBIs that wait for a DSB. */
  readonly #flushes = new Map<number, Flush[]>();

  /** Those of which the log has not shown whether a flush came in time. */
  get open(): Iterable<Suspicion> {
    return this.#suspicions.values();
  }

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
   * `contents`: of its root.
   */
  use(tree: Tree, others: Iterable<Tree>, thread: number, contents: () => string): string | null {
    const { regime, id } = tree;
    const name = NAME[regime];
    const key = `${regime} ${id}`;
    const last = this.#users.get(key);
    const isSame = last !== undefined && isOne(last, tree, contents);
    if (last?.tree !== tree) this.#users.set(key, { tree, ...NEW, left: isSame && last.left });
    const what = `${REGISTER[regime]} was written with ${name} ${id} for the tree at ${hex(tree.root)}`;
    if (tree.declared) {
      for (const other of others)
        if (other !== tree && other.declared && other.regime === regime && other.id === id)
          return `${what}, which the tree at ${hex(other.root)} has too: two trees share one ${name}`;
    }
    if (last === undefined || last.tree.declared) return null;
    if (isSame) {
      this.#returned(key, last, tree, thread, what);
      return null;
    }
    if (!last.left && !last.tree.filled) return null;
    const other =
      last.tree.root === tree.root ? 'an older tree there' : `the tree at ${hex(last.tree.root)}`;
    this.#suspicions.set(key, {
      tree,
      thread,
      last,
      why:
        `${what}, which ${other} ran under: no TLBI of all its entries (${WHOLE[regime]}) was ` +
        'complete before it was used, so the old translations may be',
    });
    return null;
  }

  /** The tree gets a number again that it had before. */
  #returned(key: string, last: User, tree: Tree, thread: number, what: string): void {
    if (last.tree !== tree || !last.left) return;
    last.left = false;
    if (last.breaks === tree.breaks) return;
    const why =
      `${what}, which had it before: entries of it were changed that were not flushed under that ` +
      `one, and no TLBI of all its entries (${WHOLE[tree.regime]}) was complete before it was used, ` +
      'so the old translations may be';
    this.#suspicions.set(key, { tree, thread, last, why });
  }

  /** A TLBI of some entries of a number: what it was suspected for, if that may be all of them. */
  flushedInPart(regime: Tree['regime'], id: number): Suspicion | null {
    if (this.#suspicions.size === 0) return null;
    const key = `${regime} ${id}`;
    const suspicion = this.#suspicions.get(key);
    if (suspicion === undefined || suspicion.last.tree !== suspicion.tree) return null;
    this.#suspicions.delete(key);
    return suspicion;
  }

  /**
   * The tree gets another number; `holds`: TLBs may hold entries of it under the one it had;
   * `owes`: and old ones.
   */
  leave(tree: Tree, { holds, owes }: { readonly holds: boolean; readonly owes: boolean }): void {
    const key = `${tree.regime} ${tree.id}`;
    const user = this.#users.get(key);
    if (user?.tree !== tree) return;
    if (holds) {
      user.left = true;
      user.breaks = owes ? -1 : tree.breaks;
    } else this.#users.delete(key);
  }

  /** The log says that the tree was given up, whose root holds `root`. */
  release(tree: Tree, root: string): void {
    for (const user of this.#users.values()) if (user.tree === tree) user.released = root;
  }

  /** `thread` goes on to another tree, or something valid was stored to `tree`: was it unflushed? */
  convict(by: { readonly thread: number } | { readonly tree: Tree }): Suspicion | null {
    if (this.#suspicions.size === 0) return null;
    for (const [key, suspicion] of this.#suspicions) {
      const due = 'tree' in by ? suspicion.tree === by.tree : suspicion.thread === by.thread;
      // A TLBI of it is under way.
      if (!due || ('thread' in by && this.#isFlushing(key, suspicion))) continue;
      this.#suspicions.delete(key);
      return suspicion;
    }
    return null;
  }

  /** `thread` flushes all entries of these numbers: of one, or of all of a regime. */
  flush(regime: Tree['regime'], id: number | null, thread: number): void {
    const one = id === null ? null : `${regime} ${id}`;
    const keys = one === null ? [...this.#users.keys()].filter((k) => k.startsWith(regime)) : [one];
    const flushes = keys.flatMap((key) => {
      const [user, suspicion] = [this.#users.get(key), this.#suspicions.get(key)];
      return user === undefined && suspicion === undefined ? [] : [{ key, user, suspicion }];
    });
    if (flushes.length === 0) return;
    this.#flushes.set(thread, [...(this.#flushes.get(thread) ?? []), ...flushes]);
  }

  /** A DSB of `thread`: its TLBIs have done what they do. */
  complete(thread: number): void {
    const flushes = this.#flushes.size === 0 ? undefined : this.#flushes.get(thread);
    if (flushes === undefined) return;
    this.#flushes.delete(thread);
    for (const { key, user, suspicion } of flushes) {
      // Whoever came to use the number since then is not flushed by it.
      if (this.#users.get(key) === user) this.#users.delete(key);
      const open = this.#suspicions.get(key);
      if (open !== undefined && (open === suspicion || open.last === user))
        this.#suspicions.delete(key);
    }
  }

  #isFlushing(key: string, { thread, last }: Suspicion): boolean {
    const flushes = this.#flushes.get(thread) ?? [];
    return flushes.some((f) => f.key === key && (f.user === last || f.suspicion?.last === last));
  }
}

/**
 * Is it the tree that had the number? One that was given up is, if nothing was done to its root:
 * a tracer guesses which it was.
 */
function isOne({ tree: last, released }: User, tree: Tree, contents: () => string): boolean {
  if (last === tree) return true;
  return last.root === tree.root && (released === null || released === contents());
}
