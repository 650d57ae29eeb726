/** Loads and stores: `LDR W1,[X2,W3,SXTW]`, `LDAPRB W1,[X2]`, `STP X1,X2,[X3],#16`. */
import type { ReadOrder } from '../../explore/model/index.ts';
import type { AccessBits, InstructionBody, Register } from './instruction.ts';
import type { Operands } from './operands.ts';

const LOADS: Readonly<Record<string, ReadOrder>> = {
  LDR: 'plain',
  LDUR: 'plain',
  LDAR: 'acquire',
  LDAPR: 'acquire-pc',
  LDAPUR: 'acquire-pc',
};
const STORES: Readonly<Record<string, { readonly release: boolean }>> = {
  STR: { release: false },
  STUR: { release: false },
  STLR: { release: true },
  STLUR: { release: true },
};

/** `B` and `H` behind a mnemonic; without one an access is as wide as its register. */
export function bitsOf(suffix: string | undefined, register: Register): AccessBits {
  if (suffix === 'B') return 8;
  if (suffix === 'H') return 16;
  return suffix === 'W' ? 32 : register.width;
}

/** Bytes and halfwords go through W registers. */
function checkNarrow(o: Operands, suffix: string | undefined, register: Register): void {
  if (suffix !== undefined && suffix !== '' && register.width !== 32)
    throw o.expected('a 32-bit register');
}

/** Null if it is none of them. */
export function parseAccess(o: Operands): InstructionBody | null {
  return parseLoad(o) ?? parseStore(o) ?? parseExclusive(o) ?? parsePair(o);
}

function parseLoad(o: Operands): InstructionBody | null {
  const match = /^(LDR|LDUR|LDAR|LDAPR|LDAPUR)(?:(S)([BHW])|([BH]))?$/.exec(o.mnemonic);
  const order = LOADS[match?.[1] ?? ''];
  if (!match || !order) return null;
  const to = o.count(2, 3).register(0);
  const suffix = match[3] ?? match[4];
  if (match[2] === undefined) checkNarrow(o, suffix, to);
  const bits = bitsOf(suffix, to);
  const signed = match[2] === undefined ? {} : ({ signed: true } as const);
  return { kind: 'load', to, address: o.address(1), bits, ...signed, order };
}

function parseStore(o: Operands): InstructionBody | null {
  const match = /^(STR|STUR|STLR|STLUR)([BH]?)$/.exec(o.mnemonic);
  const kind = STORES[match?.[1] ?? ''];
  if (!match || !kind) return null;
  const from = o.count(2, 3).register(0);
  checkNarrow(o, match[2], from);
  return { kind: 'store', from, address: o.address(1), bits: bitsOf(match[2], from), ...kind };
}

function parseExclusive(o: Operands): InstructionBody | null {
  const load = /^LD(A?)XR([BH]?)$/.exec(o.mnemonic);
  if (load) {
    const to = o.count(2).register(0);
    checkNarrow(o, load[2], to);
    const order = load[1] === '' ? 'plain' : 'acquire';
    const bits = bitsOf(load[2], to);
    return { kind: 'load', to, address: o.address(1), bits, order, exclusive: true };
  }
  const store = /^ST(L?)XR([BH]?)$/.exec(o.mnemonic);
  if (!store) return null;
  const [status, from] = [o.count(3).register(0), o.register(1)];
  checkNarrow(o, store[2], from);
  const how = { bits: bitsOf(store[2], from), release: store[1] !== '' };
  return { kind: 'store-exclusive', status, from, address: o.address(2), ...how };
}

/** LDNP and STNP only hint that the data are not used again soon. */
function parsePair(o: Operands): InstructionBody | null {
  const match = /^(LDP|LDNP|LDPSW|STP|STNP)$/.exec(o.mnemonic);
  if (!match) return null;
  const registers = [o.count(3, 4).register(0), o.register(1)] as const;
  const [{ width }, second] = registers;
  if (second.width !== width) throw o.expected('two registers of one width');
  const address = o.address(2);
  if (match[1]?.startsWith('ST')) {
    return { kind: 'store-pair', from: registers, address, bits: width };
  }
  return match[1] === 'LDPSW'
    ? { kind: 'load-pair', to: registers, address, bits: 32, signed: true }
    : { kind: 'load-pair', to: registers, address, bits: width };
}
