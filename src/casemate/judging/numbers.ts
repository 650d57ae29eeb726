/**
 * VMIDs and ASIDs: which tree a register names under which number, what of another tree may still be
 * cached under it, and what becomes of what is stale when a tree gets another one.
 */
import type { LogEvent, LogRecord } from '../reading/record.ts';
import type { Identity } from '../rules/identity.ts';
import type { Stale } from '../rules/stale-set.ts';
import { hex, type Tree } from '../tables/tree.ts';
import type { Account } from './account.ts';
import type { DecodedTlbi } from './decode-tlbi.ts';
import type { LogMachine } from './log-machine.ts';
import type { Pages } from './pages.ts';

export class Numbers {
  readonly #machine: LogMachine;
  readonly #account: Account;
  readonly #pages: Pages;

  constructor(machine: LogMachine, account: Account, pages: Pages) {
    this.#machine = machine;
    this.#account = account;
    this.#pages = pages;
  }

  sysreg(event: Extract<LogEvent, { op: 'sysreg' }>, record: LogRecord): void {
    const { registers, identity, forest } = this.#machine;
    const named = registers.write(event, record.thread);
    if (named?.regime === 'stage2') this.unflushedNumber({ thread: record.thread }, record);
    if (named === null || named.root === 0) return;
    const asid = identity.asidObjection(named, registers.isHostExtended);
    const entry = `the tree at ${hex(named.root)}`;
    if (asid !== null) this.#account.violate(record, { rule: 'vmid-isolation', why: asid, entry });
    const known = forest.treeAt(named.root);
    const tree = known?.regime === named.regime ? known : this.#pages.plant(named, record);
    if (tree === null) return;
    tree.doubtful = false;
    if (tree.declared) this.#account.switches += 1;
    const change = identity.changeObjection(tree, named.id);
    if (change !== null)
      this.#account.violate(record, { rule: 'vmid-isolation', why: change, entry });
    if (tree.id !== named.id) this.#renumber(tree, named.id, record);
    if (!tree.filled) tree.filled = forest.isFilled(tree);
    if (tree.filled && named.regime === 'stage2') registers.loadedFilled(record.thread);
    const shared = identity.use(tree, forest.trees(), record.thread, () => forest.rootText(tree));
    if (shared !== null)
      this.#account.violate(record, { rule: 'vmid-isolation', why: shared, entry });
    if (named.regime === 'stage2') this.#alsoLoaded(tree, record);
  }

  /** Other CPUs that have another tree loaded under the VMID of `tree`. */
  #alsoLoaded(tree: Tree, record: LogRecord): void {
    const { registers, forest } = this.#machine;
    for (const [thread, root] of registers.othersUnder(tree.id, tree.root, record.thread)) {
      const other = forest.treeAt(root);
      if (other?.id === tree.id && other.filled && !other.declared)
        this.#account.notJudged.sharedNumber(tree, other.root, thread, record);
    }
  }

  /** KVM gives a VM another VMID when it has none left. */
  #renumber(tree: Tree, id: number, record: LogRecord): void {
    const { stale: set, forest, identity } = this.#machine;
    // Flushes until now were for the number it had.
    set.settle();
    const stale = set.of(tree);
    const owes = stale.some(({ automaton }) => !automaton.isCleanByOthers);
    const holds = tree.filled && (owes || forest.isFilled(tree));
    identity.leave(tree, { holds, owes });
    for (const each of stale) this.#renumberStale(each, id, record);
    Object.assign(tree, { id, filled: false, renumbered: true });
  }

  /**
   * What is cached under the old VMID has to go as long as a CPU may use that; the new one can hold
   * the old entry only if it came into use before a DSB ordered the store.
   */
  #renumberStale(stale: Stale, id: number, record: LogRecord): void {
    const { automaton, forgiven, place } = stale;
    if (automaton.vmid === null) return;
    const isUsed = this.#machine.registers.isUnder(automaton.vmid, place.page.tree.root);
    if (!automaton.isOrdered && isUsed) this.#account.notJudged.unorderedNumber(id, record);
    if (isUsed) return;
    if (automaton.isOrdered) {
      // Whoever uses the old one again has to flush it: that is for Identity.
      this.#machine.letGo(stale);
      return;
    }
    automaton.renumber(id);
    forgiven?.renumber(id);
  }

  /** A TLBI takes entries of a number, or of all of them. */
  flushed({ regime, id, all }: DecodedTlbi['takes'], record: LogRecord): void {
    const { identity, registers } = this.#machine;
    if (all) identity.flush(regime, id, record.thread);
    else if (id !== null) this.#flushedInPart(regime, id, record);
    if (all && regime === 'stage2' && id === null) registers.flushedAll();
  }

  #flushedInPart(regime: Tree['regime'], id: number, record: LogRecord): void {
    const suspicion = this.#machine.identity.flushedInPart(regime, id);
    if (suspicion !== null) this.#account.notJudged.partNumber(suspicion.why, record);
  }

  unflushedNumber(by: Parameters<Identity['convict']>[0], record: LogRecord): void {
    const suspicion = this.#machine.identity.convict(by);
    if (suspicion === null) return;
    const entry = `the tree at ${hex(suspicion.tree.root)}`;
    this.#account.violate(record, { rule: 'vmid-isolation', why: suspicion.why, entry });
  }

  /** The log ends before a number was flushed that two trees had. */
  openNumbers(): void {
    for (const { why } of this.#machine.identity.open) this.#account.notJudged.openNumber(why);
  }
}
