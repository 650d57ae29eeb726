/**
 * Every way to delete or weaken one step of a sequence, and what the checker's sentence must then
 * say.
 */
import { entrySize, type Geometry } from '../../src/arch/geometry.ts';
import type { TlbiOp } from '../../src/arch/tlbi.ts';
import type { TraceEvent } from '../../src/port/trace.ts';
import type { Sequence } from './legal-sequences.ts';
import { type Part, type Place, type Step, VMID } from './trace-builder.ts';

export interface Mutation {
  /** `second order: delete`; the ordinal counts steps of one part. */
  readonly label: string;
  readonly says: RegExp;
  readonly steps: readonly Step[];
}

const TOO_EARLY = /was issued before a DSB ordered the store/;
const NOT_COMPLETE = /not followed by a DSB ISH|does not complete a TLBI/;
const BETWEEN = /before a DSB ISH completed the stage-2 TLBI/;

/** What deleting a step of this part must lead to. */
const DELETED: Readonly<Partial<Record<Part, RegExp>>> = {
  order: TOO_EARLY,
  flush: /no TLBI came between the store/,
  stage2: /wrong stage order; the stage-2 TLBI is missing/,
  between: BETWEEN,
  stage1: /stage-1 flush \(VMALLE1IS\) after the stage-2 TLBI is missing/,
  complete: NOT_COMPLETE,
  isb: /never caught/,
  final: /never caught/,
};

interface Weakening {
  readonly name: string;
  readonly event: TraceEvent;
  readonly says: RegExp;
}

function weakerDsbs(step: Step): Weakening[] {
  const dsb = (kind: 'ishst' | 'nsh' | 'nshst', says: RegExp): Weakening => ({
    name: kind,
    event: { op: 'dsb', kind },
    says,
  });
  const local = /acts for the issuing PE only/;
  switch (step.part) {
    case 'order':
      return [dsb('nshst', local), dsb('nsh', local)];
    case 'between':
      return [dsb('ishst', /could be refilled.*DSB ISHST does not complete a TLBI, R_PSMWS/)];
    case 'complete':
      return [dsb('ishst', /DSB ISHST \(event \d+\) does not complete a TLBI/), dsb('nsh', local)];
    default:
      return [];
  }
}

function weakerTlbis(step: Step, g: Geometry, { ipa, level }: Place): Weakening[] {
  if (step.event.op !== 'tlbi') return [];
  const op = step.event.tlbi;
  const tlbi = (name: string, to: TlbiOp, says: RegExp): Weakening => ({
    name,
    event: { op: 'tlbi', tlbi: to },
    says,
  });
  const local = op.kind.replace(/is$/, '') as TlbiOp['kind'];
  const common = [
    tlbi('local', { ...op, kind: local }, /is local to the issuing PE/),
    tlbi('vmid', { ...op, vmid: VMID + 1 }, /acts on the wrong VMID/),
  ];
  switch (op.kind) {
    case 'vmalls12e1is':
      return [
        ...common,
        tlbi('stage-1 only', { kind: 'vmalle1is' }, /does not reach stage-2 entries/),
        tlbi('one IPA', { kind: 'ipas2e1is', ipa }, /does not cover the range/),
      ];
    case 'ipas2e1is':
      return [
        ...common,
        tlbi('address', { ...op, ipa: ipa + entrySize(g, level) }, /wrong address/),
        tlbi('ttl', { ...op, ttl: 3 }, /has a TTL hint that is not the level/),
        tlbi('last level', { ...op, kind: 'ipas2le1is' }, /never caught/),
      ];
    case 'ripas2e1is':
      return [
        ...common,
        tlbi('half', { ...op, size: (op.size ?? 0) / 2 }, /does not cover the range: of 0x/),
        tlbi('ttl', { ...op, ttl: level }, /has a TTL hint that is not the level/),
      ];
    default:
      return common;
  }
}

function weakerStores(step: Step): Weakening[] {
  const { event } = step;
  if (event.op !== 'write' || event.entry !== 'target' || event.order === 'plain') return [];
  return [{ name: 'plain', event: { ...event, order: 'plain' }, says: /never caught/ }];
}

const ORDINALS = ['', 'second ', 'third '];

export function mutationsOf(s: Sequence, g: Geometry, at: Place): Mutation[] {
  const seen = new Map<Part, number>();
  return s.steps.flatMap((step, i) => {
    const nth = seen.get(step.part) ?? 0;
    seen.set(step.part, nth + 1);
    const place = `${ORDINALS[nth] ?? `${nth + 1}th `}${step.part}`;
    const weaker = [...weakerDsbs(step), ...weakerTlbis(step, g, at), ...weakerStores(step)].map(
      (w) => ({
        label: `${place}: ${w.name}`,
        says: w.says,
        steps: s.steps.with(i, { ...step, event: w.event }),
      }),
    );
    const says = DELETED[step.part];
    if (says === undefined) return weaker;
    return [{ label: `${place}: delete`, says, steps: s.steps.toSpliced(i, 1) }, ...weaker];
  });
}
