/**
 * Random protocols: sequences of port operations by the grammar of break, flush, make and tear-down,
 * each correct as it is made, and what one random damage makes of it.
 *
 *   coalesce   break  flush(whole VMID | page by page | range | two ranges)  block  free
 *   direct     block (with nT at level 1)  flush  [block without nT]  free          FEAT_BBM 1 to 3
 *   split      build  break  flush  link        direct at levels 2 and 3
 */
import fc from 'fast-check';
import type { BbmLevel } from '../../../src/arch/feat-bbm.ts';
import {
  childLevel,
  type DsbKind,
  defineProtocol,
  EMPTY,
  LOCKED,
  NT,
  type Protocol,
  type Table,
  type TlbiOp,
  VALID,
} from '../../../src/port/index.ts';

type Value = 'empty' | 'bits-kept' | 'locked' | 'block' | 'block-nt' | 'table';

/** A TLBI; `part`: of the region, in halves. */
interface Flush {
  readonly op: 'tlbi';
  readonly kind: TlbiOp['kind'];
  readonly from?: 0 | 1;
  readonly halves?: 1 | 2;
  readonly ttl?: 0 | 1 | 2 | 3;
  readonly otherVmid?: boolean;
}

export type Step =
  | { readonly op: 'store'; readonly value: Value; readonly order: 'plain' | 'release' }
  | { readonly op: 'dsb'; readonly kind: DsbKind }
  | { readonly op: 'isb' | 'free' | 'build' }
  | Flush;

export interface Sequence {
  readonly kind: 'coalesce' | 'split';
  readonly bbm: BbmLevel;
  readonly steps: readonly Step[];
  /** What was done to it; null: it is correct. */
  readonly damage: string | null;
}

const dsb = (kind: DsbKind): Step => ({ op: 'dsb', kind });
const store = (value: Value, order: 'plain' | 'release'): Step => ({ op: 'store', value, order });

const order = fc.constantFrom('plain', 'release');
const before = fc.constantFrom<DsbKind>('ish', 'ishst');
const broken = fc.constantFrom<Value>('empty', 'bits-kept', 'locked');
const isbs = fc.array(fc.constant<Step>({ op: 'isb' }), { maxLength: 1 });

/** A flush that takes everything of the region, of a table or of a block. */
const flush = fc
  .tuple(fc.constantFrom('vmid', 'pages', 'range', 'ranges', 'leaves-last'), before, isbs)
  .map(([how, first, last]): readonly Step[] => {
    const both: readonly Step[] = [
      dsb('ish'),
      { op: 'tlbi', kind: 'vmalle1is' },
      dsb('ish'),
      ...last,
    ];
    const page = (from: 0 | 1, kind: TlbiOp['kind'] = 'ipas2e1is'): Step => ({
      op: 'tlbi',
      kind,
      from,
      halves: 1,
    });
    switch (how) {
      case 'vmid':
        return [dsb(first), { op: 'tlbi', kind: 'vmalls12e1is' }, dsb('ish'), ...last];
      case 'pages':
        return [dsb(first), page(0), page(1), ...both];
      case 'range':
        return [dsb(first), { op: 'tlbi', kind: 'ripas2e1is', from: 0, halves: 2 }, ...both];
      case 'ranges':
        return [dsb(first), page(0, 'ripas2e1is'), dsb('ish'), page(1, 'ripas2e1is'), ...both];
      default:
        return [dsb(first), page(0), dsb('ish'), page(1, 'ipas2le1is'), ...both];
    }
  });

const coalesceBroken = fc
  .tuple(broken, order, flush, order, fc.boolean(), fc.boolean())
  .map(([value, how, flushed, made, early, final]): readonly Step[] => [
    store(value, how),
    ...flushed,
    ...(early ? [{ op: 'free' } as const] : []),
    store('block', made),
    ...(early ? [] : [{ op: 'free' } as const]),
    ...(final ? [dsb('ishst')] : []),
  ]);

const coalesceNt = fc
  .tuple(flush, order, order, fc.boolean())
  .map(([flushed, first, second, early]): readonly Step[] => [
    store('block-nt', first),
    ...flushed,
    ...(early ? [{ op: 'free' } as const] : []),
    store('block', second),
    ...(early ? [] : [{ op: 'free' } as const]),
    dsb('ishst'),
  ]);

const coalesceDirect = fc
  .tuple(flush, order)
  .map(([flushed, how]): readonly Step[] => [
    store('block', how),
    ...flushed,
    { op: 'free' },
    dsb('ishst'),
  ]);

const splitBroken = fc
  .tuple(broken, order, flush)
  .map(([value, how, flushed]): readonly Step[] => [
    { op: 'build' },
    store(value, how),
    ...flushed,
    store('table', 'release'),
    dsb('ishst'),
  ]);

const splitDirect = flush.map((flushed): readonly Step[] => [
  { op: 'build' },
  store('table', 'release'),
  ...flushed,
]);

type Plan = Pick<Sequence, 'kind' | 'bbm' | 'steps'>;
const plan = (
  kind: Plan['kind'],
  levels: readonly BbmLevel[],
  steps: fc.Arbitrary<readonly Step[]>,
): fc.Arbitrary<Plan> =>
  fc.record({ kind: fc.constant(kind), bbm: fc.constantFrom(...levels), steps });

export const correct: fc.Arbitrary<Sequence> = fc
  .oneof(
    { weight: 4, arbitrary: plan('coalesce', [0, 1, 2, 3], coalesceBroken) },
    { weight: 2, arbitrary: plan('coalesce', [1, 2, 3], coalesceNt) },
    { weight: 1, arbitrary: plan('coalesce', [2, 3], coalesceDirect) },
    { weight: 2, arbitrary: plan('split', [0, 1, 2, 3], splitBroken) },
    { weight: 1, arbitrary: plan('split', [2, 3], splitDirect) },
  )
  .map((made) => ({ ...made, damage: null }));

const LOCAL: Readonly<Partial<Record<TlbiOp['kind'], TlbiOp['kind']>>> = {
  vmalls12e1is: 'vmalls12e1',
  vmalle1is: 'vmalle1',
  ipas2e1is: 'ipas2e1',
  ripas2e1is: 'ripas2e1',
  ipas2le1is: 'ipas2le1',
};

/** What a step may become: other steps in its place, none if it is left out. */
function weakened(step: Step): readonly (readonly [string, readonly Step[]])[] {
  const gone = ['left out', []] as const;
  switch (step.op) {
    case 'dsb':
      return [
        gone,
        ...(['ishst', 'nsh', 'nshst'] as const)
          .filter((kind) => kind !== step.kind)
          .map((kind) => [`${step.kind} to ${kind}`, [dsb(kind)]] as const),
      ];
    case 'tlbi': {
      const kind = LOCAL[step.kind];
      return [
        gone,
        ...(kind === undefined ? [] : [['local', [{ ...step, kind }]] as const]),
        ['other VMID', [{ ...step, otherVmid: true }]],
        ...(step.from === undefined
          ? []
          : ([
              ['hint 2', [{ ...step, ttl: 2 }]],
              ['hint 1', [{ ...step, ttl: 1 }]],
              ['last level only', [{ ...step, kind: 'ipas2le1is' }]],
              ['half of it', [{ ...step, halves: 1 }]],
            ] as const)),
        ...(step.kind === 'vmalls12e1is'
          ? [['stage 1', [{ ...step, kind: 'vmalle1is' }]] as const]
          : []),
      ];
    }
    case 'store':
      return [
        gone,
        ...(step.order === 'release' ? [['plain', [{ ...step, order: 'plain' }]] as const] : []),
      ];
    default:
      return [];
  }
}

/** One of it at most: a step left out, weakened, or moved past the next one. */
export const generated: fc.Arbitrary<Sequence> = fc
  .tuple(correct, fc.nat(), fc.nat(), fc.integer({ min: 0, max: 3 }))
  .map(([sequence, where, which, how]) => {
    const { steps } = sequence;
    const at = where % steps.length;
    const step = steps[at];
    if (how === 0 || step === undefined) return sequence;
    if (how === 1) {
      const next = steps[at + 1];
      if (next === undefined || step.op === 'build') return sequence;
      const moved = [...steps.slice(0, at), next, step, ...steps.slice(at + 2)];
      return { ...sequence, steps: moved, damage: `${step.op} moved past ${next.op}` };
    }
    const ways = weakened(step);
    const way = ways[which % Math.max(1, ways.length)];
    if (way === undefined) return sequence;
    const changed = [...steps.slice(0, at), ...way[1], ...steps.slice(at + 1)];
    return { ...sequence, steps: changed, damage: `${step.op} ${way[0]}` };
  });

export function protocolOf({ kind, bbm, steps }: Sequence): Protocol {
  return defineProtocol({
    name: 'generated',
    kind,
    summary: 'a random sequence of port operations',
    origin: 'made by a test',
    // Below level 2 two entries never match, so a conflict is harm.
    claims: { handlesConflict: bbm >= 2 },
    run(cpu, t, tables) {
      const child = kind === 'coalesce' ? tables.follow(t.old) : null;
      let made: Table | null = null;
      for (const step of steps) {
        switch (step.op) {
          case 'store': {
            const value = valueOf(step.value);
            if (step.order === 'release') cpu.writeRelease(t.entry, value);
            else cpu.write(t.entry, value);
            break;
          }
          case 'dsb':
            cpu.dsb(step.kind);
            break;
          case 'isb':
            cpu.isb();
            break;
          case 'tlbi':
            for (const op of tlbisOf(step)) cpu.tlbi(op);
            break;
          case 'build':
            made = tables.buildSubtree(t.level, t.wanted);
            break;
          case 'free':
            if (child !== null) tables.tearDown(child, childLevel(t.level));
            break;
        }
      }

      function valueOf(value: Value): bigint {
        if (value === 'table') return made === null ? EMPTY : tables.descriptorFor(made);
        const values = {
          empty: EMPTY,
          'bits-kept': t.old & ~VALID,
          locked: LOCKED,
          block: t.wanted,
          'block-nt': t.wanted | NT,
        };
        return values[value];
      }

      /** By address: one for each page of its half. */
      function tlbisOf({ kind: op, from, halves = 1, ttl, otherVmid }: Flush): TlbiOp[] {
        const half = t.size / 2;
        const rest = {
          ...(ttl === undefined ? {} : { ttl }),
          ...(otherVmid === true ? { vmid: 3 } : {}),
        };
        if (from === undefined) return [{ kind: op, ...rest }];
        const ipa = t.ipa + from * half;
        if (op.startsWith('rip')) return [{ kind: op, ipa, size: halves * half, ...rest }];
        const bytes = t.size / tables.entries;
        const pages = Array.from({ length: tables.entries / 2 }, (_, i) => ipa + i * bytes);
        return pages.map((page) => ({ kind: op, ipa: page, ...rest }));
      }
    },
  });
}
