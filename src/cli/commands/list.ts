/** `list`: everything a flag can name, as text or JSON. */
import type { Paint } from '../../report/paint.ts';
import { alignColumns } from '../../report/table.ts';
import { IMPLEMENTED_RULES } from '../../checker/rules/index.ts';
import { EXIT } from '../../result/exit-code.ts';
import { type Command, NO_POSITIONALS } from '../command.ts';
import { CPU_KNOB_NAMES, CPU_KNOBS, defaultKnobText } from '../../request/cpu-knobs.ts';
import { Delivery, jsonTarget } from '../files/delivery.ts';
import { BUILT_IN, type Catalogue } from '../../request/registry.ts';
import { JSON_INSTEAD, NO_COLOR } from '../flags/common.ts';

const FLAGS = { json: JSON_INSTEAD, 'no-color': NO_COLOR };

/** The same content for both forms: plain data, names first. */
export interface Listing {
  readonly protocols: readonly {
    readonly name: string;
    readonly kind: string;
    readonly summary: string;
    readonly origin: string;
    readonly claims: readonly string[];
    readonly exhibit: string | null;
  }[];
  readonly mutants: readonly {
    readonly name: string;
    readonly kind: string;
    readonly rule: string;
    readonly twin: string;
    readonly what: string;
  }[];
  readonly scenarios: readonly { readonly name: string; readonly summary: string }[];
  readonly rules: readonly {
    readonly name: string;
    readonly summary: string;
    readonly origin: string;
  }[];
  readonly cpu: readonly {
    readonly name: string;
    readonly values: string;
    readonly default: string;
    readonly summary: string;
  }[];
}

export async function listingOf(catalogue: Catalogue): Promise<Listing> {
  const mutants = await catalogue.mutants();
  return {
    protocols: catalogue.protocols.map(({ name, kind, summary, origin, claims, exhibit }) => ({
      name,
      kind,
      summary,
      origin,
      claims: Object.entries(claims).flatMap(([claim, made]) => (made ? [claim] : [])),
      exhibit: exhibit ?? null,
    })),
    mutants: mutants.map(({ name, seed, rule, twin, what }) => ({
      name,
      kind: seed.kind,
      rule,
      twin,
      what,
    })),
    scenarios: catalogue.scenarios.map(({ name, summary }) => ({ name, summary })),
    rules: IMPLEMENTED_RULES.map(({ rule, summary, origin }) => ({ name: rule, summary, origin })),
    cpu: CPU_KNOB_NAMES.map((name) => ({
      name,
      values: CPU_KNOBS[name].values,
      default: defaultKnobText(name),
      summary: CPU_KNOBS[name].help,
    })),
  };
}

export function listingText(listing: Listing, paint: Paint): string {
  const sections: readonly (readonly [string, readonly (readonly string[])[]])[] = [
    ['Protocols (--protocol)', listing.protocols.flatMap(protocolRows)],
    [
      'Mutants (--mutant): seeded bugs',
      listing.mutants.flatMap((m) => [
        [m.name, `${m.kind}, ${m.rule}`],
        ['', m.what],
      ]),
    ],
    ['Scenarios (--scenario)', listing.scenarios.map((s) => [s.name, s.summary])],
    ['Rules of the checker', listing.rules.map((r) => [r.name, r.summary])],
    [
      'CPU knobs (--cpu key=value,…)',
      listing.cpu.map((k) => [k.name, k.values, `[${k.default}]`, k.summary]),
    ],
  ];
  const blocks = sections.map(([title, rows]) => [
    paint('bold', title),
    ...alignColumns(rows).map((r) => `  ${r}`),
  ]);
  return `${blocks.map((block) => block.join('\n')).join('\n\n')}\n`;
}

function protocolRows(p: Listing['protocols'][number]): string[][] {
  const more = [`from: ${p.origin}`];
  if (p.claims.length > 0) more.push(`claims: ${p.claims.join(', ')}`);
  if (p.exhibit !== null) more.push(`exhibit: ${p.exhibit}`);
  return [[p.name, p.kind, p.summary], ...more.map((line) => ['', '', line])];
}

export const command: Command<typeof FLAGS> = {
  positionals: NO_POSITIONALS,
  about:
    'Everything --protocol, --mutant, --scenario and --cpu may name, and the rules a run is ' +
    'checked against.',
  examples: [
    { command: 'list', why: 'all of it' },
    { command: '--silent list -- --json', why: 'for a program' },
  ],
  flags: FLAGS,
  run: async ({ flags }, terminal) => {
    const json = jsonTarget(flags.json);
    const listing = await listingOf(BUILT_IN);
    const delivery = new Delivery(terminal, false);
    await delivery.json(json, { tool: 'stage2-stress', schema: 1, command: 'list', ...listing });
    if (json === null) delivery.text(() => listingText(listing, terminal.paint));
    return delivery.end(EXIT.pass);
  },
};
