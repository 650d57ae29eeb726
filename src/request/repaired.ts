/** Protocols with what software does about an erratum of TLBI completion, beside themselves as they are. */
import { TLBI_COMPLETIONS, type TlbiCompletion } from '../arch/cpu-model.ts';
import type { Against, ProtocolSource } from '../explore/protocol/index.ts';
import type { Protocol } from '../port/index.ts';
import { type Repair, repaired } from '../protocols/repaired.ts';
import type { Repaired } from '../result/explore.ts';
import { variantSource } from './variant-name.ts';

type Erratum = Exclude<TlbiCompletion, 'ok'>;

/** What makes up for which (docs/errata.md). */
export const REPAIR_OF: Readonly<Record<Erratum, Repair>> = {
  'late-writes': 'repeat',
  repeat: 'repeat',
  ipi: 'interrupt',
};

export const REPAIRED_ERRATA: readonly Erratum[] = TLBI_COMPLETIONS.filter((tlbi) => tlbi !== 'ok');

/** In tokens. */
const CODES: Readonly<Record<Repair, string>> = { repeat: 'r', interrupt: 'i' };

interface Repairable {
  readonly protocol: Protocol;
  readonly source: ProtocolSource | null;
  readonly sequence: object | null;
  readonly against?: Against;
}

/** Of two protocols at once it is both: one kernel runs them. */
export function repairedSubject<S extends Repairable>(
  subject: S,
  by: Repair,
): S & { readonly repaired: Repaired } {
  const { protocol, source, against } = subject;
  const code = CODES[by];
  return {
    ...subject,
    protocol: repaired(protocol, by),
    source: variantSource(source, code),
    // What a sequence lacks is asked of it as it is.
    sequence: null,
    repaired: {
      ...{ protocol: protocol.name, by },
      ...(against !== undefined && { against: against.protocol.name }),
    },
    ...(against !== undefined && {
      against: {
        protocol: repaired(against.protocol, by),
        source: variantSource(against.source, code),
      },
    }),
  };
}

/** Null: it is no code of a repair. */
export function repairedAs(protocol: Protocol, code: string | null): Protocol | null {
  const by = (['repeat', 'interrupt'] as const).find((repair) => CODES[repair] === code);
  return by === undefined ? null : repaired(protocol, by);
}
