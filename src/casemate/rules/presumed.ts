/**
 * Trees that are taken as given up because a page of theirs was used anew while no CPU had them loaded,
 * until the log says otherwise: by loading such a tree with that page still in its place.
 */
import type { Forest } from '../tables/forest.ts';
import type { LogMemory } from '../tables/memory.ts';
import { childOf, type TablePage, type Tree } from '../tables/tree.ts';

/** How a page was used anew. */
export interface Use {
  readonly page: TablePage;
  readonly line: number;
  /** The tree that it became part of, or null: it was filled or freed. */
  readonly by: Tree | null;
  /** What is said of the tree. */
  readonly text: string;
}

interface Presumed extends Use {
  /** The page and all above it. */
  readonly chain: readonly TablePage[];
}

export class PresumedGone {
  readonly #memory: LogMemory;
  /** By root. */
  readonly #trees = new Map<number, Presumed>();

  constructor(memory: LogMemory) {
    this.#memory = memory;
  }

  /** Before the tree leaves the forest. */
  add(use: Use, forest: Forest): void {
    const { tree } = use.page;
    const chain: TablePage[] = [];
    for (let at: TablePage | null = use.page; at !== null; at = forest.above(at)) chain.push(at);
    const isWhole = chain.at(-1)?.parent === null && chain.length > 1;
    if (isWhole && this.#isInPlace(chain)) this.#trees.set(tree.root, { ...use, chain });
    else this.#trees.delete(tree.root);
  }

  /** The log says that the tree was given up. */
  confirm(root: number): void {
    this.#trees.delete(root);
  }

  /** `tree` is loaded: what contradicts that it was given up, if anything was said of its like. */
  refuted(tree: Tree): Use | null {
    const presumed = this.#trees.get(tree.root);
    if (presumed === undefined) return null;
    this.#trees.delete(tree.root);
    const { regime, shape } = presumed.page.tree;
    const isSame = regime === tree.regime && shape.level === tree.shape.level;
    return isSame && this.#isInPlace(presumed.chain) ? presumed : null;
  }

  #isInPlace(chain: readonly TablePage[]): boolean {
    return chain.every(({ tree, base, level, parent }) => {
      if (parent === null) return true;
      const above = (level - 1) as typeof level;
      return childOf(tree, this.#memory.read(parent), above) === base;
    });
  }
}
