/**
 * Variants of a protocol, each with one of its steps left out, weakened or moved. A variant is a protocol
 * like any other; it does everything else that the protocol does, on every way through it.
 */
import type { BbmLevel } from '../arch/feat-bbm.ts';
import { isBroadcast, scopeOf, TLBI_KINDS, type TlbiKind } from '../arch/tlbi.ts';
import type { DsbKind, Protocol, Tables, Transition } from '../port/index.ts';
import type { Cpu } from '../port/index.ts';
import type { AblationRow } from '../result/explore.ts';
import { tlbiText } from './describe.ts';
import type { RecordedStep } from './record.ts';
import { type Call, type Tap, tapped } from './tap.ts';

export type Change = AblationRow['change'];

export interface Variant {
  readonly step: RecordedStep;
  readonly change: Change;
  /** What stands there now; null for nothing. */
  readonly to: string | null;
  /** `3o`, `3w1`, `3m`: names it among those of its protocol. */
  readonly code: string;
  readonly protocol: Protocol;
}

/** Carries out what stands in the place of a call, and says what the protocol gets for it. */
type Instead = (
  call: Call,
  port: { readonly cpu: Cpu; readonly tables: Tables; readonly t: Transition },
) => unknown;

interface Edit {
  readonly change: Change;
  readonly to: string | null;
  readonly instead: Instead;
}

/** What cannot be left out: a protocol needs the answer. */
const ASKED: ReadonlySet<Call['op']> = new Set(['read', 'allocate', 'tryAllocate', 'buildSubtree']);

/** In the order of the steps; of one step left out, weakened, moved. */
export function variantsOf(protocol: Protocol, steps: readonly RecordedStep[]): readonly Variant[] {
  return steps.flatMap((step) => {
    let weakened = 0;
    return editsOf(step).map((edit) => {
      const letter = edit.change === 'weakened' ? `w${++weakened}` : edit.change.charAt(0);
      const code = `${step.number}${letter}`;
      const variant = edited(protocol, `${protocol.name}-${code}`, step, edit);
      return { step, change: edit.change, to: edit.to, code, protocol: variant };
    });
  });
}

function editsOf(step: RecordedStep): Edit[] {
  if (ASKED.has(step.call.op)) return [];
  const omitted: Edit = { change: 'omitted', to: null, instead: nothing };
  const weaker = weakerOf(step).map(({ to, instead }): Edit => ({
    change: 'weakened',
    to,
    instead,
  }));
  return [omitted, ...weaker, ...movedOf(step)];
}

function movedOf({ call, afterDsb, nextStore }: RecordedStep): Edit[] {
  if (call.op === 'tlbi' && afterDsb !== null) {
    return [{ change: 'moved', to: `before its ${afterDsb}`, instead: nothing }];
  }
  if (nextStore === null) return [];
  const to = `behind step ${nextStore.number}, ${nextStore.operation}`;
  return [{ change: 'moved', to, instead: nothing }];
}

/** What was compared with is what the protocol then believes to have found. */
function nothing(call: Call): unknown {
  return call.op === 'compareExchange' ? call.expected : undefined;
}

function weakerOf({ call, transition: t }: RecordedStep): Omit<Edit, 'change'>[] {
  switch (call.op) {
    case 'writeRelease':
      return [
        {
          to: 'str',
          instead: (c, { cpu }) => {
            if (c.op === 'writeRelease') cpu.write(c.entry, c.d);
          },
        },
      ];
    case 'compareExchange':
      return [
        {
          to: 'str',
          instead: (c, { cpu }) => {
            if (c.op !== 'compareExchange') return undefined;
            cpu.write(c.entry, c.d);
            return c.expected;
          },
        },
      ];
    case 'dsb':
      return WEAKER_DSB[call.kind].map((kind) => ({
        to: `dsb ${kind}`,
        instead: (_c, { cpu }) => cpu.dsb(kind),
      }));
    case 'dmb':
      return call.kind !== 'ish'
        ? []
        : (['ishst', 'ishld'] as const).map((kind) => ({
            to: `dmb ${kind}`,
            instead: (_c, { cpu }) => cpu.dmb(kind),
          }));
    case 'tlbi':
      return [...localOf(call.tlbi.kind), ...narrowerOf(call.tlbi.kind, t)];
    case 'tearDownAfterGrace':
      return [
        {
          to: 'free child',
          instead: (c, { tables }) => {
            if (c.op === 'tearDownAfterGrace') tables.tearDown(c.table, c.level);
          },
        },
      ];
    default:
      return [];
  }
}

const WEAKER_DSB: Readonly<Record<DsbKind, readonly DsbKind[]>> = {
  ish: ['ishst', 'nsh'],
  ishst: ['nshst'],
  nsh: ['nshst'],
  nshst: [],
};

function localOf(kind: TlbiKind): Omit<Edit, 'change'>[] {
  const local = TLBI_KINDS.find((each) => `${each}is` === kind);
  if (!isBroadcast(kind) || local === undefined) return [];
  return [
    {
      to: `tlbi ${local}`,
      instead: (c, { cpu }) => {
        if (c.op === 'tlbi') cpu.tlbi({ ...c.tlbi, kind: local });
      },
    },
  ];
}

/** One address in place of a VMID or a range. Both stages, as each of them would need it. */
function narrowerOf(kind: TlbiKind, t: Transition): Omit<Edit, 'change'>[] {
  const scope = scopeOf(kind);
  if (scope === 'range') {
    const one = { kind: 'ipas2e1is', ipa: t.ipa } as const;
    return [
      {
        to: tlbiText(one, t),
        instead: (c, { cpu }) => {
          if (c.op === 'tlbi') cpu.tlbi({ kind: 'ipas2e1is', ipa: c.tlbi.ipa ?? 0 });
        },
      },
    ];
  }
  if (kind !== 'vmalls12e1is') return [];
  return [
    {
      to: 'tlbi ipas2e1is, ipa; dsb ish; tlbi vmalle1is',
      instead: (c, { cpu, t: now }) => {
        if (c.op !== 'tlbi') return;
        const { vmid } = c.tlbi;
        const tag = vmid === undefined ? {} : { vmid };
        cpu.tlbi({ kind: 'ipas2e1is', ipa: now.ipa, ...tag });
        cpu.dsb('ish');
        cpu.tlbi({ kind: 'vmalle1is', ...tag });
      },
    },
  ];
}

function edited(protocol: Protocol, name: string, step: RecordedStep, edit: Edit): Protocol {
  return tapped(protocol, name, (cpu, t, tables): Tap => {
    const numbers = step.numbers.get(t.bbm) ?? [];
    const tap: Tap =
      edit.change === 'moved'
        ? movedTap(step, numbers, t.bbm)
        : (call, number, perform) => {
            // On another way through the protocol the same number may be something else.
            if (!numbers.includes(number) || call.op !== step.call.op) return perform();
            return edit.instead(call, { cpu, tables, t }) as ReturnType<typeof perform>;
          };
    return tables.entries === step.entries
      ? tap
      : inOtherTables(tap, step, t.bbm, edit.change === 'moved');
  });
}

/**
 * In tables of another size a loop takes more turns, and what comes behind it has another number: a step
 * is changed there only if it is in no loop and before any of them.
 */
function inOtherTables(
  tap: Tap,
  { numbers, operations }: RecordedStep,
  bbm: BbmLevel,
  isMoved: boolean,
): Tap {
  const [own = -1, ...turns] = numbers.get(bbm) ?? [];
  const recorded = operations.get(bbm) ?? [];
  // What is moved needs both operations, of which the second may turn out to be another.
  let isSame = turns.length === 0 && !isMoved;
  return (call, number, perform) => {
    isSame &&= number > own || call.op === recorded[number];
    return isSame ? tap(call, number, perform) : perform();
  };
}

function movedTap({ nextStore }: RecordedStep, numbers: readonly number[], bbm: BbmLevel): Tap {
  return nextStore === null
    ? beforeDsbTap(numbers)
    : behindStoreTap(numbers, nextStore.numbers.get(bbm) ?? []);
}

/**
 * These stores come behind the first of the later ones; on a way that has none, at its end. Whoever made
 * them reads what they have stored all the while.
 */
function behindStoreTap(numbers: readonly number[], later: readonly number[]): Tap {
  const held: { readonly call: StoreCall; readonly perform: () => unknown }[] = [];
  const release = (): void => {
    for (const { perform } of held.splice(0)) perform();
  };
  const tap: Tap = (call, number, perform) => {
    if (isStore(call) && numbers.includes(number)) {
      held.push({ call, perform });
      return undefined as ReturnType<typeof perform>;
    }
    if (call.op === 'read') {
      const own = held.findLast(({ call: { entry } }) => entry === call.entry);
      if (own !== undefined) return own.call.d as ReturnType<typeof perform>;
    }
    const isLater = later.includes(number);
    // On another way through the protocol the same number may be something else.
    if (isLater && !isStore(call)) release();
    const done = perform();
    if (isLater) release();
    return done;
  };
  return Object.assign(tap, { atEnd: release });
}

type StoreCall = Extract<Call, { readonly op: 'write' | 'writeRelease' }>;

function isStore(call: Call): call is StoreCall {
  return call.op === 'write' || call.op === 'writeRelease';
}

/** Each of these operations comes before the DSB that it followed. */
function beforeDsbTap(numbers: readonly number[]): Tap {
  let held: (() => unknown) | null = null;
  return <T>(call: Call, number: number, perform: () => T): T => {
    if (call.op === 'dsb' && numbers.includes(number + 1)) {
      held = perform;
      return undefined as T;
    }
    const done = perform();
    if (held !== null && numbers.includes(number)) {
      held();
      held = null;
    }
    return done;
  };
}

/** Does the step that it changes run where the protocol is told this level? */
export function runsOn({ step }: Pick<Variant, 'step'>, bbm: BbmLevel): boolean {
  return (step.numbers.get(bbm) ?? []).length > 0;
}

/** Of the variants the one that a token names; null if there is none. */
export function variantNamed(variants: readonly Variant[], code: string): Variant | null {
  return variants.find((variant) => variant.code === code) ?? null;
}
