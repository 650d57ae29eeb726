/** Logs in casemate's format, event by event: what the tests vary is one line. */

/** Pages of a tree whose walk starts at level 0, and other memory. */
export const PAGES = { root: 0x10000, mid: 0x11000, low: 0x12000, leaf: 0x13000, other: 0x14000 };
export const VMID = 3;
export const TABLE = 0b11n;
/** Normal memory, readable and writable, inner shareable. */
const ATTRIBUTES = (0b1111n << 2n) | (0b11n << 6n) | (0b11n << 8n);
const AF = 1n << 10n;

export const table = (page: number): bigint => BigInt(page) | TABLE;
export const block = (pa: number, af = true): bigint =>
  BigInt(pa) | ATTRIBUTES | (af ? AF : 0n) | 1n;
export const page = (pa: number, af = true): bigint => block(pa, af) | 0b10n;

/** One line per event; ids count from 0. */
export class Log {
  readonly lines: string[] = [];

  add(kind: string, fields: string, thread = 0): this {
    const head = `(${kind} (id ${this.lines.length}) (tid ${thread})`;
    this.lines.push(`${head} ${fields} (src "mem.c:${100 + this.lines.length}"))`);
    return this;
  }

  write(address: number, value: bigint, thread = 0): this {
    const fields = `(mem-order plain) (address 0x${address.toString(16)}) (value 0x${value.toString(16)})`;
    return this.add('mem-write', fields, thread);
  }

  dsb(kind = 'ish', thread = 0): this {
    return this.add('barrier', `dsb (kind ${kind})`, thread);
  }

  tlbi(operation: string, thread = 0): this {
    return this.add('tlbi', operation, thread);
  }

  vttbr(root: number = PAGES.root, vmid: number = VMID, thread = 0): this {
    const value = (BigInt(vmid) << 48n) | BigInt(root);
    return this.add('sysreg-write', `(sysreg vttbr_el2) (value 0x${value.toString(16)})`, thread);
  }

  /** DSB, both stages of the VMID, DSB. */
  flush(thread = 0): this {
    return this.dsb('ish', thread).tlbi('vmalls12e1is', thread).dsb('ish', thread);
  }

  /** Where the next event will stand. */
  get next(): number {
    return this.lines.length + 1;
  }

  get text(): string {
    return `${this.lines.join('\n')}\n`;
  }
}

/** A registered tree: root, one table of each level, one page mapped at IPA 0. */
export function planted(): Log {
  const { root, mid, low, leaf } = PAGES;
  const log = new Log();
  for (const at of Object.values(PAGES))
    log.add('mem-init', `(address 0x${at.toString(16)}) (size 0x1000)`);
  return log
    .write(root, table(mid))
    .write(mid, table(low))
    .write(low, table(leaf))
    .write(leaf, page(0x8000_0000))
    .vttbr();
}
