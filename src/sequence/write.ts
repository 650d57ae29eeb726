/** A sequence as text: what `parseSequence` reads back as the same steps. */
import { assertNever } from '../arch/assert.ts';
import { parseSequence } from './parse.ts';
import {
  type Action,
  type Address,
  type ChildIndex,
  innerSteps,
  type Sequence,
  type Step,
} from './steps.ts';

export interface WriteOptions {
  /** One step a line, as in a file; else all on one line, between semicolons. */
  readonly lines?: boolean;
}

export function writeSequence(sequence: Sequence, { lines = false }: WriteOptions = {}): string {
  const { kind, form } = sequence;
  const steps = sequence.steps.map((step) => stepText(step, lines));
  const change = kind === 'coalesce' ? '' : `${form ?? kind}:`;
  const heads = headsOf(sequence);
  if (lines) return `${[...heads, ...(change === '' ? [] : [change]), ...steps].join('\n')}\n`;
  return [...heads, `${change === '' ? '' : `${change} `}${steps.join('; ')}`].join('; ');
}

/** As `--sequence "…"` takes it, without prose: nothing in it means anything to a shell. */
export function commandText(text: string): string {
  return writeSequence({ ...parseSequence(text), summary: null, origin: null });
}

function headsOf({ name, lock, context, claims, summary, origin }: Sequence): string[] {
  const claimed = [
    ...(claims.neverInvalid ? ['never-invalid'] : []),
    ...(claims.handlesConflict ? ['handles-conflict'] : []),
  ];
  return [
    ...(name === null ? [] : [`name: ${name}`]),
    ...(summary === null ? [] : [`summary: ${summary}`]),
    ...(origin === null ? [] : [`origin: ${origin}`]),
    ...(lock === 'exclusive' ? [] : [`lock: ${lock}`]),
    ...(context === undefined ? [] : [`context: ${context}`]),
    ...(claimed.length === 0 ? [] : [`claims: ${claimed.join(', ')}`]),
  ];
}

function stepText(step: Step, lines: boolean): string {
  const inside = innerSteps(step).map((inner) => stepText(inner, lines));
  if (inside.length === 0) return actionText(step);
  const head = step.op === 'each-page' ? actionText(step) : `${actionText(step)} else {`;
  if (!lines) return `${head} ${inside.join('; ')} }`;
  return [head, ...inside.flatMap((text) => text.split('\n')).map((l) => `  ${l}`), '}'].join('\n');
}

const MNEMONICS = { plain: 'str', release: 'stlr', cas: 'cas' } as const;
const FREED = { all: '', below: ' below', page: ' page' } as const;

/** One step, as tables name it: `tlbi ipas2e1is, ipa, ttl=2`. A loop is its first line. */
export function actionText(action: Action): string {
  switch (action.op) {
    case 'store': {
      const { order, value, child } = action;
      return `${MNEMONICS[order]} ${value}${child === null ? '' : `, child[${child}]`}`;
    }
    case 'load':
      return `ldr${childText(action.child)}`;
    case 'dsb':
    case 'dmb':
      return `${action.op} ${action.kind}`;
    case 'isb':
    case 'ipi':
      return action.op;
    case 'vttbr':
      return `vttbr ${action.table}`;
    case 'tge':
      return `tge ${action.on ? 'on' : 'off'}`;
    case 'tlbi': {
      const { kind, address, ttl, vmid } = action;
      return [
        `tlbi ${kind}`,
        ...(address === null ? [] : [addressText(address)]),
        ...(ttl === null ? [] : [`ttl=${ttl}`]),
        ...(vmid === null ? [] : [`vmid=${vmid}`]),
      ].join(', ');
    }
    case 'free':
      return `free child${FREED[action.part]}${action.when === 'grace' ? ' after grace' : ''}`;
    case 'allocate':
      return action.filled ? 'alloc child' : 'alloc empty child';
    case 'try-allocate':
      return action.filled ? 'try alloc child' : 'try alloc empty child';
    case 'get':
    case 'put':
      return `${action.op}${childText(action.child)}`;
    case 'merge':
    case 'clean':
    case 'gather':
      return action.op;
    case 'each-page':
      return action.mapped ? 'each mapped page {' : 'each page {';
    default:
      return assertNever(action);
  }
}

function childText(child: ChildIndex | null): string {
  return child === null ? '' : ` child[${child}]`;
}

function addressText(address: Address): string {
  switch (address.kind) {
    case 'page':
      return address.offset === 0 ? 'ipa' : `ipa+${address.offset} pages`;
    case 'pages':
      return `ipa+${address.count} pages`;
    case 'range':
    case 'gathered':
      return address.kind;
    default:
      return assertNever(address);
  }
}
