/**
 * Protocol files that were judged wrongly once, where the folder of them is there: the verdict, and the
 * sentence that goes with it.
 */
import { cpSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { afterAll, describe, expect, it } from 'vitest';
import type { CpuModel } from '../../src/arch/cpu-model.ts';
import { exploreProtocol, installChanceGuards } from '../../src/explore/protocol/index.ts';
import type { Protocol } from '../../src/port/index.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const FOUND = path.join(ROOT, '../shared/findings/protocols');

interface Expected {
  readonly says: RegExp;
  readonly cpu?: Partial<CpuModel>;
  readonly level?: 1 | 2;
  readonly scenario?: 'two-vms';
}

const SAFE: Readonly<Record<string, Omit<Expected, 'says'>>> = {
  'b10-below-first-l2': {},
  'c01-operand-shift-fixed': {},
  'c02-ttl-from-address-fixed': {},
  'c04-vmid-loop-fixed': {},
  'c07-attrs-of-first-page-fixed': {},
  'c08-no-dsb-after-make-buggy': {},
  'c10-range-remainder-fixed': {},
  'c14-bottom-up-fixed': { level: 1 },
  'c15-break-by-af-fixed': {},
  'c18-flush-everything-fixed': { scenario: 'two-vms' },
  'own-reuse-fix': {},
  'x03b-child-zero-inflight': {},
  'x05-stlr-first': {},
  'x48-fix': {},
};

const VIOLATED: Readonly<Record<string, Expected>> = {
  'b08-nodsb-split': { says: /issued before a DSB ISH completed the stage-2 TLBI/ },
  'b11-two-s1-between': { says: /had taken 0x1000 of 0x2000 bytes/ },
  'b12-le1-then-one': { says: /reaches leaves only .* filled again/ },
  'b36-memattr-nt': { says: /and memory type .* \(R_PVTFW/ },
  'b38-contig': { says: /differs from the wanted block in Contiguous bit/ },
  'c01-operand-shift-buggy': { says: /16K granule.* wrong address/ },
  'c02-ttl-from-address-buggy': { says: /TTL hint/ },
  'c04-vmid-loop-buggy': { says: /no stage-2 TLBI of VMID 1 was complete before/ },
  'c07-attrs-of-first-page-buggy': { says: /in write permission/ },
  'c10-range-remainder-buggy': { says: /of 0x200000 bytes/ },
  'c14-bottom-up-buggy': { says: /table replaced by a block without nT/, level: 1 },
  'c15-break-by-af-buggy': { says: /no TLBI came between/ },
  'c18-flush-nothing-buggy': { says: /no TLBI came between/, scenario: 'two-vms' },
  'own-cas-excl-split-hafdbs': { says: /the compare-exchange of event 2 failed/ },
  'own-reuse': { says: /freed while walkers may still use it/ },
  'x04-merge-early': { says: /dirty/ },
  'x05-dsb-nsh-link': { says: /the DSB NSHST in between/ },
  'x17-twice-grace': { says: /freed twice/ },
  'x36-lost-spins': { says: /never ends/ },
  'x48-memattr-transient': { says: /and memory type/ },
  'x48-memattr-transient-nt': { says: /and memory type/ },
  'x48-sh-transient': { says: /and shareability/ },
  'x49-nt-merge': { says: /dirty/ },
  'x53-page7': { says: /entry 7 of the new table/ },
};

const REFUSED: Readonly<Record<string, RegExp>> = {
  'b27-zeroed': /points to no table page/,
  'z02-random-rare': /Math\.random\(\) is not there under explore/,
  'z13-async': /z13-async threw: run\(\) returned a promise/,
  'z20-timer': /setTimeout\(\) is not there under explore/,
};

// In the clone, as a user has to put them for their imports; removed after.
const folder = existsSync(FOUND) ? mkdtempSync(path.join(ROOT, '.findings-')) : null;
afterAll(() => {
  if (folder !== null) rmSync(folder, { recursive: true });
});

async function load(name: string): Promise<Protocol> {
  const file = pathToFileURL(path.join(folder ?? '', `${name}.ts`)).href;
  const { default: protocol } = (await import(file)) as { default: Protocol };
  return protocol;
}

describe.skipIf(folder === null)('the files that were found', () => {
  installChanceGuards();
  if (folder !== null) cpSync(FOUND, folder, { recursive: true });

  it.each(Object.entries(SAFE))('%s is safe', async (name, settings) => {
    const run = exploreProtocol({ protocol: await load(name), ...settings });
    expect([run.verdict, run.violations.map(({ why }) => why)]).toEqual(['safe', []]);
  });

  it.each(Object.entries(VIOLATED))('%s is violated', async (name, { says, ...settings }) => {
    const run = exploreProtocol({ protocol: await load(name), ...settings });
    expect(run.verdict).toBe('violated');
    expect(run.violations.map(({ why }) => why).join('\n')).toMatch(says);
  });

  it.each(Object.entries(REFUSED))('%s is refused', async (name, says) => {
    const protocol = await load(name);
    expect(() => exploreProtocol({ protocol })).toThrow(says);
  });

  it('a loop that waits says for what', async () => {
    const run = exploreProtocol({ protocol: await load('z14-wait-change') });
    expect([run.verdict, run.stoppedWhy]).toEqual(['bounded', expect.stringMatching(/waits for/)]);
  });
});
