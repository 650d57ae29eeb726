/** A TLBI of a log, under the registers of its thread, as the automata take it. */
import { isBroadcast, reaches, scopeOf, TLBI_KINDS, type TlbiOp } from '../../arch/tlbi.ts';
import type { NotJudged } from './not-judged.ts';
import type { LogEvent, LogRecord } from '../reading/record.ts';
import {
  addressOperand,
  type Operand,
  rangeOperand,
  type RangeUnits,
  unsureHint,
} from '../tables/operands.ts';
import type { Registers } from '../tables/registers.ts';
import type { Regime } from '../tables/tree.ts';
import type { FlushEvent } from '../rules/automaton.ts';

export interface DecodedTlbi {
  readonly event: FlushEvent;
  /** `all`: it takes every entry of `id`, or of all numbers where that is null, on every PE. */
  readonly takes: { readonly regime: Regime; readonly id: number | null; readonly all: boolean };
}

/** The stage-2 operations that reach what these reach of EL2's only stage. */
const EL2_REACH = {
  vae2is: 'ipas2e1is',
  vae2: 'ipas2e1is',
  vale2is: 'ipas2le1is',
  vale2: 'ipas2le1is',
  rvae2is: 'ripas2e1is',
  rvae2: 'ripas2e1is',
  rvale2is: 'ripas2le1is',
  rvale2: 'ripas2le1is',
} as const;

export function decodeTlbi(
  { kind: name, value }: Extract<LogEvent, { op: 'tlbi' }>,
  registers: Registers,
  { thread, line }: LogRecord,
  notJudged: NotJudged,
): DecodedTlbi {
  const kind = TLBI_KINDS.find((known) => known === name);
  const regime = kind === undefined ? 'el2' : 'stage2';
  const units = registers.rangeUnits(regime, thread);
  const operand = operandOf(name, value, units);
  const unsure = value === null ? null : unsureHint(name, value, units);
  if (unsure !== null) notJudged.unsureHint(unsure, line);
  if (kind === undefined) {
    const broadcast = name.endsWith('is');
    const as = Object.entries(EL2_REACH).find(([el2]) => el2 === name)?.[1];
    const reach = as === undefined ? null : { kind: as, ...operand };
    const takes = { regime: 'el2', id: null, all: reach === null && broadcast } as const;
    return { event: { op: 'el2', tlbi: { name, reach, broadcast } }, takes };
  }
  if (registers.actsOnHost(thread) && reaches(kind, 'combined') && !reaches(kind, 'stage2')) {
    const tlbi = { kind, regime: 'el2&0' } as const;
    const ofEl2 = registers.actsOnHostAlone(thread);
    return {
      event: { op: 'tlbi', tlbi, older: [], ofEl2 },
      takes: { regime: 'el2', id: null, all: ofEl2 && isBroadcast(kind) },
    };
  }
  const acting = registers.acting(thread);
  const everywhere = scopeOf(kind) === 'all';
  if (acting === null) {
    if (!everywhere) notJudged.noVttbr(thread);
    const takes = { regime: 'stage2', id: null, all: everywhere && isBroadcast(kind) } as const;
    return { event: { op: 'tlbi', tlbi: { kind, ...operand }, older: [] }, takes };
  }
  if (acting.unknown && !everywhere) notJudged.unknownIsb(line);
  const { now } = acting;
  const older = everywhere ? [] : acting.older;
  const tlbi: TlbiOp = { kind, vmid: now, ...operand };
  const whole = scopeOf(kind) === 'vmid' && reaches(kind, 'stage2') && older.length === 0;
  const all = isBroadcast(kind) && (everywhere || whole);
  return {
    event: { op: 'tlbi', tlbi, older },
    takes: { regime: 'stage2', id: everywhere ? null : now, all },
  };
}

function operandOf(name: string, value: bigint | null, units: RangeUnits): Operand {
  if (value === null) return {};
  return name.startsWith('r') ? rangeOperand(value, units) : addressOperand(value, units);
}
