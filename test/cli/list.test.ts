import { readFileSync } from 'node:fs';
import path from 'node:path';
import { describe, expect, it } from 'vitest';
import { CPU_KNOB_NAMES } from '../../src/request/cpu-knobs.ts';
import { type Listing, listingOf, listingText } from '../../src/cli/commands/list.ts';
import { BUILT_IN } from '../../src/request/registry.ts';
import { PLAIN } from '../../src/report/paint.ts';
import { RULES } from '../../src/result/rule.ts';
import { emptyFolder, program, typed } from './program.ts';

describe('list', () => {
  it('has everything a flag can name, as text', async () => {
    const { out, err, code } = program(['list']);
    expect({ err, code }).toEqual({ err: '', code: 0 });
    const mutants = await BUILT_IN.mutants();
    const named = [...BUILT_IN.protocols, ...mutants, ...BUILT_IN.scenarios].map(
      (thing) => thing.name,
    );
    for (const name of [...named, ...RULES, ...CPU_KNOB_NAMES])
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
  });

  it('is the same as JSON, on standard output or in a file', async () => {
    const folder = emptyFolder();
    const { out, code } = await typed(['list', '--json'], folder);
    const listing = JSON.parse(out) as Listing & { tool: string; command: string };
    expect(code).toBe(0);
    expect(listing.tool).toBe('stage2-stress');
    expect(listing.command).toBe('list');
    expect(listing.protocols).toEqual((await listingOf(BUILT_IN)).protocols);
    expect(listing.rules.map(({ name }) => name)).toEqual(RULES);
    for (const { summary, origin } of listing.rules) expect([summary, origin]).not.toContain('');
    const toFile = await typed(['list', '--json', 'list.json'], folder);
    expect(toFile).toMatchObject({
      code: 0,
      out: 'wrote list.json\n',
      err: '',
      files: ['list.json'],
    });
    expect(readFileSync(path.join(folder, 'list.json'), 'utf8')).toBe(out);
  });

  it('shows kind, claims and exhibits of a protocol', async () => {
    const protocol = {
      name: 'mine',
      kind: 'coalesce',
      summary: 'steps',
      origin: 'me',
      claims: { neverInvalid: true, handlesConflict: false },
      exhibit: 'broken on purpose',
      run: () => {},
    } as const;
    const none = { mutants: () => Promise.resolve([]), scenarios: [] };
    const text = listingText(await listingOf({ protocols: [protocol], ...none }), PLAIN);
    expect(text.split('\n').slice(0, 5)).toMatchInlineSnapshot(`
      [
        "Protocols (--protocol)",
        "  mine  coalesce  steps",
        "                  from: me",
        "                  claims: neverInvalid",
        "                  exhibit: broken on purpose",
      ]
    `);
  });
});
