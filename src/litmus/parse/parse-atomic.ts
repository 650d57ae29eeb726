/** FEAT_LSE instructions: `SWPAL W1,W2,[X3]`, `LDADDA …`, `CASL …`, `STSET W1,[X3]`. */
import type { AtomicOp, InstructionBody } from './instruction.ts';
import type { Operands } from './operands.ts';
import { bitsOf } from './parse-access.ts';

const OPS: Readonly<Record<string, AtomicOp>> = {
  SWP: 'swap',
  CAS: 'compare-and-swap',
  LDADD: 'add',
  LDCLR: 'clear',
  LDSET: 'set',
  LDEOR: 'exclusive-or',
  STADD: 'add',
  STCLR: 'clear',
  STSET: 'set',
  STEOR: 'exclusive-or',
};

/** Null if it is none of them. */
export function parseAtomic(o: Operands): InstructionBody | null {
  const match = /^(SWP|CAS|LDADD|LDCLR|LDSET|LDEOR|STADD|STCLR|STSET|STEOR)(A?)(L?)([BH]?)$/.exec(
    o.mnemonic,
  );
  const op = OPS[match?.[1] ?? ''];
  if (!match || !op) return null;
  const acquire = match[2] !== '';
  const drops = match[1]?.startsWith('ST') ?? false;
  if (drops && acquire) return null;
  o.count(drops ? 2 : 3);
  const first = o.register(0);
  const ordered = { acquire, release: match[3] !== '', bits: bitsOf(match[4], first) };
  if (drops) {
    const address = o.address(1);
    return { kind: 'atomic', op, to: null, operand: first, expected: null, address, ...ordered };
  }
  const second = o.register(1);
  const address = o.address(2);
  // CAS names the register to compare with first, and loads into it; the others name the operand
  // first.
  return op === 'compare-and-swap'
    ? { kind: 'atomic', op, to: first, operand: second, expected: first, address, ...ordered }
    : { kind: 'atomic', op, to: second, operand: first, expected: null, address, ...ordered };
}
